// Shuffled against independent batches: in an epoch of M batches the noise of shuffled ones sums to
// zero. One mode, e = eta h, noise of unit variance a batch (drawn with replacement).
(() => {
  "use strict";
  const epochWeights = (m) => Array.from({ length: m - 1 }, (_, i) => (m - 1 - i) / (m * (m - 1)));
  // g(k) = E|Delta_k|^2 of independent batches, for k = 0 ... most.
  function independent(most, { eta, beta, curvature, noise = 1, batch = 1 }) {
    const e = eta * curvature, square = (eta ** 2 * noise) / batch / (1 - beta ** 2) / (1 - e / (2 * (1 + beta))), out = [0];
    for (let k = 1, before = 0, now = 1, sum = 0; k <= most; k++) {
      out.push(square * (now + (1 + beta) * sum));
      sum += now; [before, now] = [now, (1 + beta - e) * now - beta * before];
    }
    return out;
  }
  const withoutReplacement = (batch, m) => (batch * m - batch) / (batch * m - 1);
  // A new permutation each epoch; g reaches to max(steps) + m - 1.
  function shuffled(steps, at, m) {
    const w = epochWeights(m), g = independent(Math.max(...steps) + m, at);
    return steps.map((k) => withoutReplacement(at.batch ?? 1, m) * (g[k] - w.reduce((sum, v, i) => sum + v * (g[Math.abs(k - i - 1)] + g[k + i + 1] - 2 * g[i + 1]), 0)));
  }
  // Var(shuffled)/Var(independent) of an overdamped mode with x relaxations an epoch.
  const shuffledFraction = (x) => (x < 1e-3 ? x / 3 - (x * x) / 12 : 1 - (2 * (x - 1 + Math.exp(-x))) / (x * x));
  const crossoverCurvature = ({ eta, beta }, m) => (3 * (1 - beta)) / (eta * m);
  // Two chains with the same gradients: drawn anew each step, or each once an epoch.
  function chains(steps, { eta, beta, curvature }, m, seed) {
    const uniform = sgdescape.random(seed), normal = sgdescape.normals(uniform);
    const samples = Array.from({ length: m }, normal), middle = samples.reduce((a, b) => a + b) / m;
    const size = Math.sqrt(samples.reduce((a, x) => a + (x - middle) ** 2, 0) / m), draws = samples.map((x) => (x - middle) / size);
    const run = (pick) => {
      const out = [0];
      for (let k = 0, x = 0, v = 0; k < steps; k++) { v = beta * v - curvature * x - pick(k); x += eta * v; out.push(x); }
      return out;
    };
    const order = draws.slice();
    const next = (k) => { if (k % m === 0) for (let i = m - 1; i > 0; i--) { const j = Math.floor(uniform() * (i + 1)); [order[i], order[j]] = [order[j], order[i]]; } return order[k % m]; };
    return { independent: run(() => draws[Math.floor(uniform() * m)]), shuffled: run(next) };
  }
  sgdescape.scenes.batches = { epochWeights, independent, shuffled, shuffledFraction, crossoverCurvature, chains };

  const EPOCHS = 8;
  sgdescape.stage("batches", (s) => {
    const left = s.panel("One weight, two samplers", "A weight against the step with independent and with shuffled batches, epochs marked");
    const right = s.panel("How far after k steps", "Mean-square displacement against the number of steps for both samplers, the epoch marked");
    const size = s.slider({ label: "Batches an epoch M", min: 10, max: 100, step: 5, value: 50 });
    const beta = s.slider({ label: "Momentum β", min: 0, max: 0.95, step: 0.05, value: 0 });
    const relaxed = s.slider({ label: "Relaxations x", min: -2, max: 1.5, step: 0.05, value: -1, map: (x) => 10 ** x });
    let seed = 4, pair, curves, steps, shown = 0;
    s.button("Draw again", () => { seed++; make(); });
    const now = () => ({ eta: 0.1, beta: beta.value, curvature: (relaxed.value * (1 - beta.value)) / (0.1 * size.value) });
    function make() {
      const m = size.value, most = EPOCHS * m;
      pair = chains(most, now(), m, seed); shown = s.playing ? 0 : most;
      steps = [...new Set(Array.from({ length: 90 }, (_, i) => Math.round(most ** (i / 89))))];
      const g = independent(most, now());
      curves = { independent: steps.map((k) => g[k]), shuffled: shuffled(steps, now(), m) };
    }
    return {
      reset: make,
      play() { if (shown >= EPOCHS * size.value) shown = 0; },
      tick(dt) { const most = EPOCHS * size.value; shown += (most / 6) * dt; if (shown > 1.3 * most) { seed++; make(); } },
      draw() {
        const { ink } = s, m = size.value, most = EPOCHS * m, end = Math.min(Math.floor(shown), most);
        const reach = 1.1 * Math.max(...pair.independent.map(Math.abs), ...pair.shuffled.map(Math.abs));
        left.frame({ x: [0, most], y: [-reach, reach], xlabel: "step k", ylabel: "weight θ − μ", yticks: [0] });
        for (let j = 1; j <= EPOCHS; j++) left.line([[j * m, -reach], [j * m, reach]], ink.rule, 1);
        left.line(pair.independent.slice(0, end + 1).map((x, k) => [k, x]), ink.red, 1.6);
        left.line(pair.shuffled.slice(0, end + 1).map((x, k) => [k, x]), ink.blue, 2);
        for (let j = 0; j * m <= end; j++) left.dot(j * m, pair.shuffled[j * m], 3.5, ink.blue, true);
        const high = Math.max(...curves.independent) * 2, low = Math.max(Math.min(...curves.shuffled.filter((v) => v > 0)), high * 1e-6) / 2;
        right.frame({ x: [1, most], y: [low, high], xlog: true, ylog: true, xlabel: "steps k", ylabel: "E Δ²" });
        right.inside(() => {
          right.line([[m, low], [m, high]], ink.soft, 1.5, [4, 4]);
          right.line(steps.map((k, i) => [k, curves.independent[i]]), ink.red, 3, [9, 5]);
          right.line(steps.map((k, i) => [k, Math.max(curves.shuffled[i], low)]), ink.blue, 3);
        });
        right.label("one epoch", m, low, ink.soft, "right", -5, -8);
      },
      say() {
        const { brief } = sgdescape, fraction = shuffledFraction(relaxed.value), flat = relaxed.value < 3;
        s.key([["Independent", "1", "red", true, "variance of the weight"], ["Shuffled", brief(fraction), "blue", false, "of that variance (small ηh)"], ["Crossover", brief(crossoverCurvature(now(), size.value)), "soft", false, `ρ× = 3(1 − β)/(ηM); here h = ${brief(now().curvature)}`]]);
        return flat ? `This direction relaxes ${brief(relaxed.value)} times an epoch: before the noise can add up, the rest of the epoch takes it back, and the shuffled weight returns near where it was (circles).` : `This direction relaxes ${brief(relaxed.value)} times an epoch and forgets faster than an epoch lasts: shuffling hardly matters.`;
      },
    };
  });
})();
