// The contents at the side follow the reader: the section on the screen is marked and kept in sight.
const sections = new Map();
for (const link of document.querySelectorAll(".page-toc a[href^='#']")) {
  const section = document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (section) sections.set(section, link);
}

function mark() {
  let current = null;
  for (const [section, link] of sections) {
    if (section.getBoundingClientRect().top < window.innerHeight / 4) current = link;
  }
  for (const link of sections.values()) {
    if (link === current) link.setAttribute("aria-current", "location");
    else link.removeAttribute("aria-current");
  }
  const box = current?.closest(".bd-sidebar-secondary, .sidebar-secondary-items");
  if (box) {
    const [at, room] = [current.getBoundingClientRect(), box.getBoundingClientRect()];
    if (at.top < room.top || at.bottom > room.bottom) box.scrollTop += at.top - room.top - room.height / 3;
  }
}

let waiting = false;
document.addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; mark(); });
}, { passive: true });
mark();
