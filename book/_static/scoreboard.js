// The list of claims: filters by source, chapter, verdict, evidence and words. A link to a row that
// is filtered out shows all again. Without this script the list stands whole, in the book's order.
// Under a statement of a paper each claim says its sentence; it is taken from the list, which has it.
for (const form of document.querySelectorAll(".sgd-filter")) {
  const board = form.closest(".sgd-board");
  const rows = [...board.querySelectorAll(".sgd-list tbody tr")];
  const chosen = ["paper", "chapter", "verdict", "evidence"];
  const apply = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      row.hidden = !(
        chosen.every((name) => !form.elements[name].value || row.dataset[name] === form.elements[name].value) &&
        words.every((word) => row.dataset.text.includes(word))
      );
      shown += !row.hidden;
    }
    form.querySelector("output").value =
      shown === rows.length ? `${shown} claims` : `${shown} of ${rows.length} claims`;
  };
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  window.addEventListener("hashchange", () => {
    const goal = document.getElementById(location.hash.slice(1));
    if (rows.includes(goal) && goal.hidden) {
      form.reset();
      setTimeout(() => goal.scrollIntoView());
    }
  });
  apply();
}
const say = (entries) => {
  for (const link of entries.querySelectorAll("li > a[href*='#claim-']")) {
    const row = document.getElementById(link.hash.replace("#claim-", "row-"));
    const sentence = row?.querySelector(".sgd-line")?.cloneNode(true);
    if (!sentence) continue;
    sentence.className = "sgd-says";
    link.parentElement.append(sentence);
  }
  const goal = document.getElementById(location.hash.slice(1));
  if (goal && entries.contains(goal)) goal.scrollIntoView(); // it has moved down
};
for (const entries of document.querySelectorAll("details.sgd-entries")) {
  const opened = async () => {
    if (!entries.open) return;
    entries.removeEventListener("toggle", opened);
    await window.MathJax?.startup?.promise; // the sentences are copied as they are set
    say(entries);
  };
  entries.addEventListener("toggle", opened);
  opened();
}
