// The escape as a movie: many SGD runs in a bowl (or on a circle), both landscapes, both clocks, and
// a growing histogram of passage times. Units h = sigma = 1 in the bowl: c = 1 + theta^2. On the
// circle L = 1 - cos(theta) + sigma^2/2, and sigma^2 = 4/(c - 1) puts the saddle at c.
(() => {
  "use strict";
  const NODES = [], WEIGHTS = [];
  (function legendre(n) { // Gauss and Legendre, on [0, 1]
    for (let i = 1; i <= n; i++) {
      let x = Math.cos((Math.PI * (i - 0.25)) / (n + 0.5)), slope = 1;
      for (let k = 0; k < 40; k++) {
        let before = 0, now = 1;
        for (let j = 1; j <= n; j++) [before, now] = [now, ((2 * j - 1) * x * now - (j - 1) * before) / j];
        slope = (n * (x * now - before)) / (x * x - 1);
        x -= now / slope;
      }
      NODES.push((1 - x) / 2); WEIGHTS.push(1 / ((1 - x * x) * slope * slope));
    }
  })(10);

  // theory: "additive" (noise of the minimum), "paper" (noise 2L) or "covariance" (the exact one).
  // Potential phi with phi' = drift/diffusion, and the diffusion D = (eta/2B) x noise.
  function diffusionOf(place, theory, heat, ratio, kurtosis) {
    if (place === "bowl") {
      const k = { additive: 0, paper: 1, covariance: kurtosis - 1 }[theory];
      return { end: Math.sqrt(ratio - 1), noise: (x) => 1 + k * x * x,
        phi: (x) => (k === 0 ? x * x : Math.log1p(k * x * x) / k) / heat };
    }
    const variance = 4 / (ratio - 1), rise = (x) => 2 * Math.sin(x / 2) ** 2, root = Math.sqrt(variance + 4);
    return { end: Math.PI, ...{
      additive: { noise: () => variance, phi: (x) => (2 * rise(x)) / variance / heat },
      paper: { noise: (x) => variance + 2 * rise(x), phi: (x) => Math.log1p((2 * rise(x)) / variance) / heat },
      covariance: { noise: (x) => variance + 2 * rise(x) + Math.sin(x) ** 2,
        phi: (x) => ((2 / root) * (Math.atanh((rise(x) - 2) / root) + Math.atanh(2 / root))) / heat },
    }[theory] };
  }
  // Exact mean first-passage time from the bottom: the double integral of exp(phi(x) - phi(y))/D(y).
  function meanTime(place, theory, { heat, ratio, kurtosis = 3 }) {
    const { end, noise, phi } = diffusionOf(place, theory, heat, ratio, kurtosis);
    const panels = 8 + Math.ceil(phi(end) / 2), width = end / panels;
    const inner = (y) => Math.exp(-phi(y)) / ((heat / 2) * noise(y));
    let below = 0, total = 0;
    for (let p = 0; p < panels; p++) {
      const from = p * width;
      NODES.forEach((x, i) => {
        let part = 0; // of the inner integral, within this panel
        NODES.forEach((y, j) => { part += WEIGHTS[j] * x * width * inner(from + x * y * width); });
        total += WEIGHTS[i] * width * Math.exp(phi(from + x * width)) * (below + part);
      });
      NODES.forEach((y, j) => { below += WEIGHTS[j] * width * inner(from + y * width); });
    }
    return total;
  }

  const KURTOSIS = { gaussian: 3, uniform: 1.8, rademacher: 1 };
  const BINS = 26;
  // Runs of discrete SGD on fresh samples; one that passes is counted and starts again.
  function swarm({ place, eta, batch, law, ratio, walkers = 150, seed = 7 }) {
    const uniform = sgdescape.random(seed), normal = sgdescape.normals(uniform);
    const theta = new Float64Array(walkers), age = new Float64Array(walkers);
    const bowl = place === "bowl", end = bowl ? Math.sqrt(ratio - 1) : Math.PI, sigma = Math.sqrt(4 / (ratio - 1));
    const square = {
      gaussian: () => { const x = normal(); return x * x; },
      uniform: () => { const x = 2 * uniform() - 1; return 3 * x * x; },
      rademacher: () => 1,
    }[law];
    const bowlStep = (x) => { // given the inputs, the sum of x_i y_i is normal
      let s = 0;
      for (let b = 0; b < batch; b++) s += square();
      return x - (eta / batch) * (x * s - Math.sqrt(s) * normal());
    };
    const circleStep = (x) => { // u and v: the inputs in the frame of theta
      let g = 0;
      for (let b = 0; b < batch; b++) {
        const u = normal(), v = normal();
        g += (u * (1 - Math.cos(x)) + v * Math.sin(x) - sigma * normal()) * v;
      }
      return x - (eta / batch) * g;
    };
    const move = bowl ? bowlStep : circleStep;
    const height = bowl ? (x) => 1 + x * x : (x) => 1 + ((1 - Math.cos(x)) * (ratio - 1)) / 2;
    const self = { theta, end, steps: 0, count: 0, risk: 0, times: [], t: 0, tau: 0, escaped: [], height };
    self.advance = (steps) => {
      for (let k = 0; k < steps; k++) {
        self.steps++; self.risk += eta * walkers;
        self.t += eta; self.tau += eta * height(theta[0]); // clocks of the marked run
        for (let i = 0; i < walkers; i++) {
          const x = move(theta[i]);
          age[i]++;
          if (Math.abs(x) >= end) {
            self.count++; self.times.push(eta * age[i]);
            if (self.escaped.length < 40) self.escaped.push([i, x]);
            theta[i] = age[i] = 0;
            if (i === 0) self.t = self.tau = 0;
          } else theta[i] = x;
        }
      }
    };
    self.ages = () => Array.from(age, (k) => eta * k);
    // Time at risk over passages: the mean of the finished runs alone would favour the short ones.
    self.estimate = () => {
      const n = self.count, mean = self.risk / n, half = Math.exp(1.96 / Math.sqrt(n));
      return n ? { n, mean, low: mean / half, high: mean * half } : { n, mean: NaN, low: self.risk / 3, high: Infinity };
    };
    return self;
  }
  // Share of runs that pass, per e-fold of time, in bins even in log t: a life table, so that runs
  // that are still under way count for as long as they have lasted.
  function histogram(times, ages, low, high) {
    const width = Math.log(high / low) / BINS, out = new Array(BINS + 2).fill(0), cut = new Array(BINS + 2).fill(0);
    const bin = (t) => Math.min(Math.max(Math.floor(Math.log(t / low) / width) + 1, 0), BINS + 1); // 0: before the axis
    for (const t of times) out[bin(t)]++;
    for (const t of ages) cut[t > 0 ? bin(t) : 0]++;
    let left = times.length + ages.length, survive = 1;
    const shares = out.map((n, b) => {
      const risk = left - cut[b] / 2, share = risk > 0 ? (survive * n) / risk : 0;
      survive -= share; left -= n + cut[b];
      return share / width;
    });
    return { edges: Array.from({ length: BINS + 1 }, (_, i) => low * Math.exp(i * width)), heights: shares.slice(1, BINS + 1) };
  }
  const density = (t, mean) => (t / mean) * Math.exp(-t / mean); // of an exponential law, per e-fold
  sgdescape.scenes.escape_movie = { meanTime, swarm, histogram, density };

  sgdescape.stage("escape_movie", (s) => {
    const hill = s.panel("Loss L, clock t", "The loss with 150 walkers, a marked one and its clock t", { height: 250 });
    const logs = s.panel("The same walkers on log L, clock τ", "The logarithm of the loss with the same walkers and the clock tau", { height: 250 });
    const histo = s.panel("Passage times so far", "Histogram of passage times on a logarithmic axis, with the laws that the theories predict", { height: 250 });
    const more = s.button("Skip 5,000 steps", () => { runs.advance(5000); runs.escaped.length = 0; ghosts = []; });
    const speed = s.slider({ label: "Steps a second", min: 1, max: 3.7, step: 0.05, value: 1.7, map: (x) => 10 ** x });
    const eta = s.slider({ label: "Learning rate η", min: -1.5, max: -0.5, step: 0.02, value: -1, map: (x) => 10 ** x });
    const batch = s.slider({ label: "Batch size B", min: 1, max: 6, step: 1, value: 1 });
    const rim = s.slider({ label: "Rim or saddle c", min: 1.3, max: 4, step: 0.05, value: 2 });
    const place = s.choice({ label: "Landscape", options: [["bowl", "bowl"], ["circle", "circle"]] });
    const law = s.choice({ label: "Inputs (bowl)", options: [["gaussian", "Gaussian"], ["uniform", "uniform"], ["rademacher", "Rademacher, ±1"]] });
    more.before(s.play ?? more);
    let runs, theories, ghosts = [], flights = [], debt = 0, watched = 0, axis;

    function clock(panel, value, name) {
      const { ink } = s, x = panel.w / 2, y = 34, angle = (2 * Math.PI * value) / 4 - Math.PI / 2;
      panel.spot(x, y, 20, ink.soft, true);
      for (let k = 0; k < 4; k++) panel.path([[x + 15 * Math.cos((k * Math.PI) / 2), y + 15 * Math.sin((k * Math.PI) / 2)], [x + 18 * Math.cos((k * Math.PI) / 2), y + 18 * Math.sin((k * Math.PI) / 2)]], ink.soft, 2);
      panel.path([[x, y], [x + 14 * Math.cos(angle), y + 14 * Math.sin(angle)]], ink.hero, 3);
      panel.write(`${name} = ${value.toFixed(1)}`, x, y + 38, ink.ink, "center", "600");
    }
    function landscape(panel, f) {
      const { ink } = s, edge = place.value === "bowl" ? 1.3 * runs.end : Math.PI * 1.15, top = f(runs.end), bottom = f(0);
      panel.frame({ x: [-edge, edge], y: [bottom - 0.12 * (top - bottom), bottom + 1.75 * (top - bottom)], bare: true });
      panel.hill(f);
      for (const side of [-1, 1]) panel.dot(side * runs.end, top, 5, ink.red, true);
      const points = [], layers = ghosts.length ? ghosts : [runs.theta], size = panel.h / 22;
      // each walker hovers at a height of its own, so that a crowd is a cloud
      for (const layer of layers) layer.forEach((x, i) => { if (i) points.push([x, f(x) + ((i * 0.618) % 1) * 0.16 * (top - bottom)]); });
      panel.cloud(points, Math.min(2.6, size), ink.blue, layers.length > 1 ? 0.38 : 0.7);
      panel.dot(runs.theta[0], f(runs.theta[0]), 6, ink.hero);
      for (const { x, age } of flights) {
        const px = panel.X(Math.sign(x) * runs.end) + Math.sign(x) * 40 * age, py = panel.Y(top) - 70 * age + 90 * age * age;
        panel.g.globalAlpha = 1 - age; panel.spot(px, py, 4, ink.red); panel.g.globalAlpha = 1;
      }
    }
    return {
      reset(control) {
        if (control === speed) { watched = 9; return; }
        const at = { place: place.value, eta: eta.value, batch: batch.value, law: law.value, ratio: rim.value };
        law.input.disabled = at.place === "circle";
        runs = swarm(at); ghosts = []; flights = [];
        const a = { heat: at.eta / at.batch, ratio: at.ratio, kurtosis: KURTOSIS[at.law] };
        theories = ["additive", "covariance", "paper"].map((name) => meanTime(at.place, name, a));
        axis = [Math.min(...theories) / 20, Math.min(Math.max(...theories) * 6, Math.min(...theories) * 1e8)];
      },
      settle(control) { if (control !== speed) { runs.advance(control ? 4000 : 12000); runs.escaped.length = 0; } },
      tick(dt) {
        if (watched < 6) { // first single walkers to follow, then time lapse
          watched += dt;
          speed.input.value = 1.7 + 1.5 * Math.min(1, Math.max(0, watched - 3) / 3); speed.refresh();
        }
        debt += speed.value * dt;
        const steps = Math.floor(debt), parts = Math.min(5, steps), until = performance.now() + 9;
        debt -= steps; ghosts = [];
        for (let p = 0; p < parts && performance.now() < until; p++) { runs.advance(Math.ceil(steps / parts)); ghosts.push(runs.theta.slice()); }
        for (const [, x] of runs.escaped.splice(0)) flights.push({ x, age: 0 });
        flights = flights.filter((f) => (f.age += dt * 1.2) < 1).slice(-50);
      },
      draw() {
        const { ink } = s, height = runs.height;
        landscape(hill, height); clock(hill, runs.t, "t");
        landscape(logs, (x) => Math.log(height(x))); clock(logs, runs.tau, "τ");
        const { edges, heights } = histogram(runs.times, runs.ages(), ...axis);
        histo.frame({ x: axis, y: [0, 0.56], xlog: true, xlabel: "passage time t = ηk", ylabel: "share per factor e" });
        histo.bars(edges, heights, ink.ink, 0.35);
        [["green", [7, 5]], ["violet", [2, 5]], ["red", []]].forEach(([colour, dash], i) => histo.curve((t) => density(t, theories[i]), ink[colour], 2.5, dash));
        const e = runs.estimate();
        if (e.n) { histo.dot(e.mean, 0.47, 5, ink.ink, e.n < 10); histo.inside(() => histo.line([[e.low, 0.47], [e.high, 0.47]], ink.ink, 2)); }
      },
      say() {
        const e = runs.estimate(), { brief } = sgdescape, many = (n) => `${n.toLocaleString("en")} escape${n === 1 ? "" : "s"}`, [additive, covariance, paper] = theories;
        s.key([["SGD, measured", e.n ? brief(e.mean) : `over ${brief(e.low)}`, "ink", false, e.n ? `${brief(e.low)} to ${brief(e.high)}; ${many(e.n)}` : "no escape yet"],
          ["Additive noise", brief(additive), "green", true, "barrier linear in the loss"],
          ["SDE, exact covariance", brief(covariance), "violet", true, "Eq. (8)"],
          ["The paper’s SDE", brief(paper), "red", false, "barrier log c"]]);
        const head = `c = ${brief(rim.value)}, B/η = ${brief(batch.value / eta.value)}, after ${runs.steps.toLocaleString("en")} steps. `;
        if (e.n < 10) return `${head}${e.n ? `${many(e.n)} so far` : "No escape so far"}: lower c, raise η, or wait.`;
        const against = (t, name) => t < e.low ? `takes ${brief(e.mean / t)} times as long as ${name}` : t > e.high ? `escapes ${brief(t / e.mean)} times sooner than ${name}` : `agrees with ${name}`;
        return `${head}SGD ${against(paper, "the paper’s SDE")} and ${against(additive, "additive noise")}.`;
      },
    };
  });
})();
