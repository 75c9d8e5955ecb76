// Hover or focus shows the equation, theorem, symbol or reference that a link leads to. The page carries the
// texts (see book/_ext/tips.py). Escape closes; on a touch screen links only lead where they lead.
const table = JSON.parse(document.getElementById("sgd-tips")?.textContent ?? "{}");
const box = document.createElement("div");
box.className = "sgd-tip mathjax_process";
box.id = "sgd-tip";
box.role = "tooltip";
box.hidden = true;
let owner = null;

function place(link) {
  const at = link.getBoundingClientRect();
  const room = document.documentElement.clientWidth;
  box.style.left = `${Math.max(8, Math.min(at.left, room - box.offsetWidth - 8))}px`;
  const below = at.bottom + 6;
  const fits = below + box.offsetHeight < window.innerHeight || at.top < box.offsetHeight + 6;
  box.style.top = `${fits ? below : at.top - box.offsetHeight - 6}px`;
}

async function show(link) {
  owner = link;
  box.innerHTML = table[link.getAttribute("href")];
  box.hidden = false;
  link.setAttribute("aria-describedby", box.id);
  place(link);
  await window.MathJax?.typesetPromise?.([box]);
  if (owner === link) place(link);
}

function hide() {
  owner?.removeAttribute("aria-describedby");
  owner = null;
  box.hidden = true;
}

if (Object.keys(table).length) {
  document.body.append(box);
  for (const link of document.querySelectorAll("article a[href*='#']")) {
    if (!(link.getAttribute("href") in table)) continue;
    link.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show(link));
    link.addEventListener("pointerleave", () => !box.matches(":hover") && hide());
    link.addEventListener("focus", () => link.matches(":focus-visible") && show(link));
    link.addEventListener("blur", hide);
  }
  box.addEventListener("pointerleave", hide);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  document.addEventListener("scroll", hide, { passive: true, capture: true });
}
