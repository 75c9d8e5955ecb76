// Mean-square displacement of momentum SGD from the stationary state, mode by mode and exactly, for a
// power-law spectrum of curvatures and noise Sigma = H.
(() => {
  "use strict";
  // rho_j = rho_1 j^(-1/(a - 1)): density falls as rho^-a.
  const spectrum = (count, exponent, largest = 1) => Array.from({ length: count }, (_, j) => largest * (j + 1) ** (-1 / (exponent - 1)));
  // E|Delta_k|^2 at ascending whole steps: sum over modes of E delta^2 (U_k + (1 + beta) S_k), where U is
  // the answer to a unit kick and S its running sum.
  function displacement(steps, { curvatures, noise, eta, beta, batch }) {
    const out = new Array(steps.length).fill(0);
    curvatures.forEach((h, i) => {
      const e = eta * h, square = (eta ** 2 * noise[i]) / batch / (1 - beta ** 2) / (1 - e / (2 * (1 + beta)));
      let before = 0, now = 1, sum = 0, k = 1; // U_{k-1}, U_k, S_k
      steps.forEach((wanted, n) => {
        for (; k < wanted; k++) { sum += now; [before, now] = [now, (1 + beta - e) * now - beta * before]; }
        out[n] += wanted === 0 ? 0 : square * (now + (1 + beta) * sum);
      });
    });
    return out;
  }
  const localExponents = (steps, values) => steps.slice(1).map((k, i) => [Math.sqrt(k * steps[i]), Math.log(values[i + 1] / values[i]) / Math.log(k / steps[i])]);
  const firstExponent = (beta) => 1 + Math.log2(1 + beta);
  const saturation = ({ curvatures, noise, eta, beta, batch }) => (eta / (batch * (1 - beta))) * curvatures.reduce((sum, h, i) => sum + noise[i] / h, 0);
  sgdescape.scenes.displacement = { spectrum, displacement, localExponents, firstExponent, saturation };

  const MOST = 30000, STEPS = [...new Set(Array.from({ length: 70 }, (_, i) => Math.round(MOST ** (i / 69))))];
  sgdescape.stage("displacement", (s) => {
    const left = s.panel("How far after k steps", "Mean-square displacement against the number of steps, with slopes one and two");
    const right = s.panel("Local exponent", "Slope of the displacement in logarithms against the number of steps");
    const beta = s.slider({ label: "Momentum β", min: 0, max: 2.3, step: 0.02, value: 1, map: (x) => 1 - 10 ** -x });
    const eta = s.slider({ label: "Step ηρ₁", min: -3, max: 0, step: 0.05, value: -1.3, map: (x) => 10 ** x });
    const shape = s.slider({ label: "Spectrum’s exponent a", min: 1.15, max: 1.95, step: 0.05, value: 1.5 });
    const count = s.slider({ label: "Modes", min: 0, max: 6, step: 1, value: 5, map: (x) => 2 ** x });
    const now = () => { const curvatures = spectrum(count.value, shape.value); return { curvatures, noise: curvatures, eta: eta.value, beta: beta.value, batch: 1 }; };
    let values, exponents;
    return {
      reset() { values = displacement(STEPS, now()); exponents = localExponents(STEPS, values); },
      draw() {
        const { ink } = s, at = now(), high = values[values.length - 1] * 4, low = values[0] / 4, cross = 1 / (1 - at.beta);
        left.frame({ x: [1, MOST], y: [low, high], xlog: true, ylog: true, xlabel: "steps k", ylabel: "E|Δ|², units of σ²" });
        left.curve((k) => values[0] * k * k, ink.soft, 1.5, [3, 5]);
        left.curve((k) => (values[0] / 1.6) * k, ink.soft, 1.5, [8, 5]);
        left.curve(() => saturation(at), ink.red, 1.5, [7, 5]);
        left.inside(() => left.line(STEPS.map((k, i) => [k, values[i]]), ink.blue, 3.5));
        left.label("saturation", 1, saturation(at), ink.red, "left", 6, -7);
        right.frame({ x: [1, MOST], y: [0, 2.1], xlog: true, xlabel: "steps k", ylabel: "exponent c" });
        right.line([[1, 1], [MOST, 1]], ink.soft, 1.5, [8, 5]);
        if (cross < MOST) { right.line([[cross, 0], [cross, 2.1]], ink.violet, 1.5, [4, 4]); right.label("1/(1 − β)", cross, 2, ink.violet, "left", 5, 0); }
        right.inside(() => right.line(exponents, ink.blue, 3.5));
        right.dot(exponents[0][0], exponents[0][1], 5, ink.hero);
        right.label("diffusion", MOST, 1, ink.soft, "right", -2, -7);
      },
      say() {
        const first = firstExponent(beta.value), { brief } = sgdescape, middle = exponents.filter(([k]) => k > 3 / (1 - beta.value)).map(([, c]) => c), most = Math.max(...middle, 0);
        s.key([["First exponent", brief(first), "hero", false, "1 + log₂(1 + β) where flat"], ["Later, at most", middle.length ? brief(most) : "–", "blue", false, "beyond 3/(1 − β) steps"], ["Saturates at", brief(saturation(now())), "red", true, "number of modes × η/(B(1 − β))"]]);
        return `The start is ${first > 1.5 ? "almost ballistic" : "close to diffusive"} for about ${brief(1 / (1 - beta.value))} steps; from then on the exponent ${most > 1.05 ? `is still ${brief(most)}, and falls` : "is at most 1"}. In the end every mode has saturated, and it is 0.`;
      },
    };
  });
})();
