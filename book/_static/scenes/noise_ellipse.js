// The covariance of the noise along a path away from the minimum: two independent inputs of kurtosis
// kappa, labels with independent noise, units h = sigma = 1: L = (1 + |z|^2)/2, c = 1 + |z|^2.
(() => {
  "use strict";
  // Exact, of one sample, and what Eq. (6) says: 2 L H.
  const covariance = ([x, y], kurtosis) => {
    const level = 1 + x * x + y * y;
    return [[level + (kurtosis - 2) * x * x, x * y], [x * y, level + (kurtosis - 2) * y * y]];
  };
  const decoupled = ([x, y]) => [[1 + x * x + y * y, 0], [0, 1 + x * x + y * y]];
  // Kurtosis of the inputs' projection on a direction.
  const alongKurtosis = (angle, kurtosis) => 3 + (kurtosis - 3) * (Math.cos(angle) ** 4 + Math.sin(angle) ** 4);
  const kurtosisNoise = (ratio, kurtosis) => 1 + (kurtosis - 1) * (ratio - 1);
  const decouplingRatio = (ratio, kurtosis) => (1 + kurtosis * (ratio - 1)) / ratio;
  const traceRatio = (ratio, kurtosis, directions) => 1 + ((kurtosis - 2) * (1 - 1 / ratio)) / directions;
  const diffusionBarrier = (ratio, kurtosis) => (kurtosis === 1 ? ratio - 1 : Math.log1p((kurtosis - 1) * (ratio - 1)) / (kurtosis - 1));
  sgdescape.scenes.noise_ellipse = { covariance, decoupled, alongKurtosis, kurtosisNoise, decouplingRatio, traceRatio, diffusionBarrier };

  const MOST = 4;
  sgdescape.stage("noise_ellipse", (s) => {
    const left = s.panel("Noise along the path", "Level lines of the loss, a path from the minimum, and the covariance of the noise on it as ellipses, exact and decoupled", { height: 340 });
    const right = s.panel("Noise in the path’s direction", "Noise along the path against the loss ratio, counted in four ways", { height: 340 });
    const kappa = s.slider({ label: "Kurtosis κ of the inputs", min: 1, max: 6, step: 0.1, value: 3 });
    const angle = s.slider({ label: "Direction of the path", min: 0, max: 90, step: 5, value: 0, show: (v) => `${v}°` });
    const ratio = s.slider({ label: "Where: c = L/L*", min: 1, max: MOST, step: 0.05, value: 3 });
    let gradients;
    const place = (c) => { const r = Math.sqrt(c - 1), q = (angle.value * Math.PI) / 180; return [r * Math.cos(q), r * Math.sin(q)]; };
    return {
      reset() { // single gradients there, for inputs with this kurtosis
        const uniform = sgdescape.random(2), normal = sgdescape.normals(uniform), k = kappa.value, z = place(ratio.value);
        const a = ((3 - Math.min(k, 3)) / 2) ** 0.25, d = Math.sqrt(Math.max(k / 3 - 1, 0)), coin = () => (uniform() < 0.5 ? -1 : 1);
        const input = () => a * coin() + Math.sqrt(1 - a * a) * Math.sqrt(1 + d * coin()) * normal();
        gradients = Array.from({ length: 400 }, () => { const x = [input(), input()], f = z[0] * x[0] + z[1] * x[1] - normal(); return [f * x[0] - z[0], f * x[1] - z[1]]; });
      },
      draw() {
        const { ink } = s, reach = 2.6, tall = (reach * (340 - 54)) / Math.max(left.canvas.clientWidth - 60, 1);
        left.frame({ x: [-reach, reach], y: [-tall, tall], xlabel: "z₁ (parameters from the minimum)", ylabel: "z₂" });
        const ring = (centre, [[a, b], [, d]], size, colour, width, dash) => {
          const r = Math.sqrt(a), low = b / r, rest = Math.sqrt(Math.max(d - low * low, 0));
          left.line(Array.from({ length: 61 }, (_, i) => { const q = (2 * Math.PI * i) / 60; return [centre[0] + size * r * Math.cos(q), centre[1] + size * (low * Math.cos(q) + rest * Math.sin(q))]; }), colour, width, dash);
        };
        const one = [[1, 0], [0, 1]], size = 0.22, here = place(ratio.value);
        left.inside(() => {
          for (const c of [1.5, 2, 3, 4, 5]) ring([0, 0], one, Math.sqrt(c - 1), ink.rule, 1.3);
          left.cloud(gradients.map(([x, y]) => [here[0] + size * x, here[1] + size * y]), 1.7, ink.ink, 0.3);
          const end = place(MOST);
          left.line([[0, 0], end], ink.soft, 1.5);
          for (const c of [1, 1.25, 2, 3, 4]) if (Math.abs(c - ratio.value) > 0.3) { const z = place(c); ring(z, decoupled(z), size, ink.blue, 1, [4, 4]); ring(z, covariance(z, kappa.value), size, ink.hero, 1.2); }
          ring(here, decoupled(here), size, ink.blue, 2.5, [6, 4]);
          ring(here, covariance(here, kappa.value), size, ink.hero, 3);
        });
        left.dot(0, 0, 3.5, ink.ink);
        const k = alongKurtosis((angle.value * Math.PI) / 180, kappa.value), top = Math.max(kurtosisNoise(MOST, k + 1), 5) * 1.05;
        right.frame({ x: [1, MOST], y: [0, top], xlabel: "loss ratio c", ylabel: "BΣ/(2hL*) along the path" });
        right.curve((c) => kurtosisNoise(c, k + 1), ink.violet, 2, [2, 5]);
        right.curve((c) => c, ink.blue, 2.5, [6, 4]);
        right.curve(() => 1, ink.green, 2, [9, 5]);
        right.curve((c) => kurtosisNoise(c, k), ink.hero, 3.5);
        right.dot(ratio.value, kurtosisNoise(ratio.value, k), 6, ink.hero);
        right.dot(ratio.value, ratio.value, 5, ink.blue, true);
      },
      say() {
        const c = ratio.value, k = alongKurtosis((angle.value * Math.PI) / 180, kappa.value), { brief } = sgdescape, exact = kurtosisNoise(c, k);
        s.key([["Exact, Eq. (8)", brief(exact), "hero", false, "1 + (κ_e − 1)(c − 1)"], ["Decoupled, Eq. (6)", brief(c), "blue", true, "mean dropped: c"], ["Decoupled, mean kept", "1", "green", true, "a constant"], ["Exact, mean dropped", brief(kurtosisNoise(c, k + 1)), "violet", true, "1 + κ_e(c − 1)"]]);
        const off = exact / c;
        return `Along the path κ_e = ${brief(k)}, and the noise is ${Math.abs(off - 1) < 0.005 ? "just what Eq. (6) says" : `${brief(off)} times what Eq. (6) says`}; the trace over these two directions is ${brief(traceRatio(c, kappa.value, 2))} times${angle.value % 90 ? " (for a path along an axis)" : ""}. The diffusion’s barrier there: ${brief(diffusionBarrier(c, k))}, not log c = ${brief(Math.log(c))}.`;
      },
    };
  });
})();
