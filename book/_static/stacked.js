// On a phone a table that is wider than the page is read row by row: each row a block, its first cell the
// title, the others behind the name of their column. Without scripts the table scrolls.
const narrow = window.matchMedia("(max-width: 575px)");

function stack(table) {
  const names = [...table.tHead.rows[0].cells].map((cell) => cell.innerText.trim());
  for (const row of table.tBodies[0].rows) {
    [...row.cells].forEach((cell, column) => {
      if (column > 0) cell.dataset.label = names[column];
      cell.classList.toggle("sgd-nothing", cell.innerText.trim() === "–");
    });
  }
  table.classList.add("sgd-stacks");
}

async function look() {
  await window.MathJax?.startup?.promise; // a formula has no width before it is set
  if (!narrow.matches) return;
  for (const box of document.querySelectorAll(".pst-scrollable-table-container")) {
    const table = box.querySelector("table");
    if (box.scrollWidth > box.clientWidth && table?.tHead && table.tBodies.length) stack(table);
  }
}
window.addEventListener("load", look);
narrow.addEventListener("change", look);
