// Figures of the cells: a tap, or the button below, shows one as large as the window.
const large = document.createElement("dialog");
large.className = "sgd-enlarged";
large.innerHTML = '<button type="button" autofocus>Close</button>';
large.firstChild.addEventListener("click", () => large.close());
let goBack = () => {};
large.addEventListener("close", () => goBack());

function enlarge(box) {
  // the drawing itself moves, not a copy: its names are unique on the page
  const place = document.createElement("div");
  place.style.height = `${box.offsetHeight}px`;
  const views = [...box.querySelectorAll("svg")].map((svg) => svg.viewBox.baseVal);
  box.style.setProperty("--shape", views.reduce((sum, view) => sum + view.width, 0) / views[0].height);
  box.replaceWith(place);
  large.append(box);
  large.setAttribute("aria-label", "The figure, enlarged");
  goBack = () => { place.replaceWith(box); goBack = () => {}; };
  large.showModal();
}

for (const figure of document.querySelectorAll(".sgd-figure")) {
  const box = figure.querySelector(".sgd-figure__box");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Enlarge";
  button.addEventListener("click", () => enlarge(box));
  figure.querySelector(".sgd-figure__tools").prepend(button);
  box.style.cursor = "zoom-in";
  box.addEventListener("click", () => (large.open ? large.close() : enlarge(box)));
}
if (document.querySelector(".sgd-figure")) document.body.append(large);
