// Claims: the link of a card copies its address, its BibTeX can be copied; a link to something folded
// unfolds it, and so does printing. Without this script links are links and everything can be unfolded.
const copied = async (text, from) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea"); // pages opened from disk may have no clipboard
    area.value = text;
    from.after(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    from.focus();
  }
  let note = from.parentElement.querySelector(".sgd-copied");
  if (!note) {
    note = document.createElement("span");
    note.className = "sgd-copied";
    note.setAttribute("role", "status");
    from.after(note);
  }
  note.textContent = "copied";
  setTimeout(() => { note.textContent = ""; }, 2500);
};
for (const link of document.querySelectorAll(".sgd-claim__link")) {
  link.addEventListener("click", () => copied(link.href, link)); // and goes there, as links do
}
for (const entry of document.querySelectorAll(".sgd-claim__cite")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "sgd-claim__copy";
  button.textContent = "Copy BibTeX";
  const row = document.createElement("p");
  row.append(button);
  entry.before(row);
  button.addEventListener("click", () => copied(entry.textContent, button));
}
const reveal = () => {
  const goal = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!goal) return;
  let folded = false;
  for (let box = goal.closest("details"); box; box = box.parentElement?.closest("details")) {
    folded ||= !box.open;
    box.open = true;
  }
  if (folded) goal.scrollIntoView();
};
window.addEventListener("hashchange", reveal);
reveal();
let unfolded = [];
window.addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll(".sgd-claim details, .sgd-board details, details.sgd-entries, details.sgd-minor")].filter((d) => !d.open);
  for (const box of unfolded) box.open = true;
});
window.addEventListener("afterprint", () => { for (const box of unfolded) box.open = false; });
