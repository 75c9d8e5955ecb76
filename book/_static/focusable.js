// What scrolls sideways (code, long equations, tables) must be reachable by keyboard. The theme looks once,
// before mathematics is set and while the solutions are hidden; this looks whenever a size changes.
const watch = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
  }
});
window.addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  const regions = document.querySelectorAll(
    "pre, mjx-container[display='true'], .pst-scrollable-table-container, .sgd-figure__box",
  );
  for (const region of regions) watch.observe(region);
});
