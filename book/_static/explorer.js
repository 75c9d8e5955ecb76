// Interactive figures: the slider exchanges the moving curve for one that the page brought along.
document.addEventListener("DOMContentLoaded", () => {
  for (const explorer of document.querySelectorAll(".sgd-explorer")) {
    const curves = JSON.parse(explorer.querySelector("script").textContent);
    const slider = explorer.querySelector("input");
    const show = () => {
      const curve = curves[slider.value];
      explorer.querySelector(".moving").setAttribute("points", curve.points);
      explorer.querySelector("[role=status]").textContent = curve.reading;
      slider.setAttribute("aria-valuetext", curve.value);
    };
    slider.addEventListener("input", show);
    show();
  }
});
