// One map of both papers: temperature T and damping zeta of a setting, what they say of its escape,
// and where it stops to be stable. Gaussian inputs, one direction of curvature h.
(() => {
  "use strict";
  const KURTOSIS = 3, RATIO = 2;
  const damping = ({ eta, beta, curvature }) => (1 - beta) / Math.sqrt(2 * eta * curvature * (1 + beta));
  const temperature = ({ eta, beta, batch, curvature }) => (eta * curvature) / (batch * (1 - beta));
  // Largest eta h with finite second moments.
  const stableStep = ({ beta, batch, kurtosis = KURTOSIS }) =>
    (2 * (1 + beta)) / (1 + ((kurtosis - 1) * (1 + beta)) / (batch * (1 - beta)));
  const weakFriction = (ratio, kurtosis = KURTOSIS) => {
    const k = (kurtosis - 1) / 4;
    return k === 0 ? ratio - 1 : Math.log1p(k * (ratio - 1)) / k;
  };
  // w(c; zeta) of the package on a grid, joined: linear in log zeta and log c within it, towards the
  // limits with zeta^2 and 1/zeta^2 beyond. table: {ratios, dampings, barriers, strong}.
  function barrier(ratio, zeta, { ratios, dampings, barriers, strong }) {
    const along = (row) => {
      let i = ratios.findIndex((c) => c >= ratio);
      i = Math.min(Math.max(i < 0 ? ratios.length - 1 : i, 1), ratios.length - 1);
      const q = Math.log(ratio / ratios[i - 1]) / Math.log(ratios[i] / ratios[i - 1]);
      return row[i - 1] + q * (row[i] - row[i - 1]);
    };
    return between(zeta, dampings, (j) => along(barriers[j]), weakFriction(ratio), along(strong));
  }
  function between(zeta, dampings, at, weak, strong) {
    const last = dampings.length - 1;
    if (zeta <= dampings[0]) return weak + (at(0) - weak) * (zeta / dampings[0]) ** 2;
    if (zeta >= dampings[last]) return strong + (at(last) - strong) * (dampings[last] / zeta) ** 2;
    const j = dampings.findIndex((z) => z >= zeta);
    const q = Math.log(zeta / dampings[j - 1]) / Math.log(dampings[j] / dampings[j - 1]);
    return at(j - 1) * (1 - q) + at(j) * q;
  }
  // A(zeta): the tail index a of P(L > c L*) ~ c^-a is A/T at small T. table: {dampings, tails, tailsEnd}.
  const tailSlope = (zeta, { dampings, tails, tailsEnd }) => between(zeta, dampings, (j) => tails[j], 2, tailsEnd);
  sgdescape.scenes.escape_map = { damping, temperature, stableStep, weakFriction, barrier, tailSlope };

  sgdescape.stage("escape_map", (s) => {
    const map = s.panel("Where the setting lies", "Map of temperature and damping with your setting, lines of equal escape time, the edge of stability, and both papers", { height: 400 });
    const plot = s.panel("What escape costs there", "Barrier against the loss ratio at your damping, between its two limits, with log c", { height: 400 });
    const eta = s.slider({ label: "Learning rate η", min: -5, max: 0, step: 0.05, value: -2, map: (x) => 10 ** x });
    const beta = s.slider({ label: "Momentum β", min: 0, max: 3, step: 0.02, value: 1, map: (x) => 1 - 10 ** -x });
    const batch = s.slider({ label: "Batch size B", min: 0, max: 10, step: 1, value: 3, map: (x) => 2 ** x });
    const curvature = s.slider({ label: "Curvature h", min: -1, max: 3, step: 0.05, value: 1, map: (x) => 10 ** x });
    const X = [1e-5, 10], Y = [0.01, 100], within = ([t, z]) => t >= X[0] && t <= X[1] && z >= Y[0] && z <= Y[1];
    const now = () => ({ eta: eta.value, beta: beta.value, batch: batch.value, curvature: curvature.value });
    const zetas = Array.from({ length: 61 }, (_, i) => 0.01 * 1e4 ** (i / 60));

    function drawMap(at, t, zeta) {
      const { ink } = s;
      map.frame({ x: X, y: Y, xlog: true, ylog: true, xlabel: "temperature T = ηh/(B(1−β))", ylabel: "damping ζ" });
      const { g, box } = map, plain = (x) => 1 / Math.sqrt(2 * at.batch * x);
      map.inside(() => {
        g.beginPath(); g.fillStyle = ink.hill; // more damping than no momentum has: nothing is there
        map.grid(60).forEach((x) => g.lineTo(map.X(x), map.Y(plain(x))));
        g.lineTo(box.right, box.top); g.lineTo(box.left, box.top); g.fill();
        map.curve(plain, ink.violet, 2, [7, 5]);
        for (const level of [1, 10, 100, 1000, 1e4]) map.line(zetas.map((z) => [barrier(RATIO, z, s.data) / level, z]), ink.soft, 1);
        map.line([[X[0], 1], [X[1], 1]], ink.soft, 1, [3, 4]);
        const edge = Array.from({ length: 60 }, (_, i) => 1 - 10 ** (-i / 16)).map((b) => {
          const step = stableStep({ beta: b, batch: at.batch }), one = { eta: step, beta: b, batch: at.batch, curvature: 1 };
          return [temperature(one), damping(one)];
        });
        map.line(edge, ink.red, 3);
      });
      for (const level of [1, 10, 100, 1000, 1e4]) {
        const x = barrier(RATIO, 0.016, s.data) / level;
        map.write(level === 1 ? "e" : `e${sgdescape.superscript(level)}`, map.X(x), map.Y(0.0125), ink.soft);
      }
      map.label("no momentum", 1e-5, plain(1e-5), ink.violet, "left", 8, -6);
      map.label("swings below ζ = 1", X[1], 1, ink.soft, "right", -2, 16);
      map.label("unstable", 10, 0.3, ink.red, "right", -2, 0);
      s.data.marks.forEach(({ at: [x, z], kind }) => {
        if (within([x, z])) map.dot(x, z, 4.5, { mori: ink.violet, kunin: ink.green, book: ink.soft }[kind], kind === "book");
      });
      const px = Math.min(Math.max(map.X(t), box.left), box.right), py = Math.min(Math.max(map.Y(zeta), box.top), box.bottom);
      map.spot(px, py, 8, ink.hero); map.spot(px, py, 3, ink.ground);
    }
    function drawBarrier(zeta) {
      const { ink } = s, table = s.data, most = 20;
      plot.frame({ x: [1, most], y: [0, 5], xlog: true, xlabel: "loss ratio c", ylabel: "w: log(time) is w/T" });
      plot.curve((c) => c - 1, ink.soft, 2, [7, 5]);
      plot.curve(Math.log, ink.violet, 2, [2, 5]);
      plot.curve((c) => weakFriction(c), ink.green, 2, [2, 5]);
      plot.curve((c) => barrier(Math.max(c, table.ratios[0]), Infinity, table), ink.blue, 2, [7, 5]);
      plot.curve((c) => barrier(Math.max(c, table.ratios[0]), zeta, table), ink.hero, 3.5);
      plot.label("c − 1: Gibbs", 5, 4, ink.soft, "right", -8);
      plot.label("ζ → 0", 13, weakFriction(13), ink.green, "right", -8, -8);
      plot.label("ζ → ∞", 16, barrier(16, Infinity, table), ink.blue, "left", -14, -14);
      plot.label("log c", 18, Math.log(18), ink.violet, "right", 0, 26);
      plot.dot(RATIO, barrier(RATIO, zeta, table), 5.5, ink.hero);
    }
    return {
      draw() { const at = now(), zeta = damping(at); drawMap(at, temperature(at), zeta); drawBarrier(zeta); },
      say() {
        const at = now(), t = temperature(at), zeta = damping(at), { brief } = sgdescape, w = barrier(RATIO, zeta, s.data);
        const share = (at.eta * at.curvature) / stableStep(at), stable = share < 1;
        const tail = tailSlope(zeta, s.data) / t;
        s.key([["Temperature T", brief(t), "hero", false, "chances are exp(−w/T)"], ["Damping ζ", brief(zeta), "hero", false, zeta < 1 ? "swings around the minimum" : "creeps back to it"],
          ["Time to 2L*", stable ? `e^${brief(w / t)}` : "–", "soft", false, `w = ${brief(w)}`],
          ["Tail index", stable ? brief(tail) : "–", "blue", true, "of P(L > cL*), small T"],
          ["Edge of stability", `${brief(100 * share)} %`, "red", false, `of ηh = ${brief(stableStep(at))}`]]);
        if (!stable) return "Here second moments are infinite: the loss has no mean, and no exponent holds.";
        const near = zeta > 3 ? "almost as without momentum: climb and jump (dashed blue)" : zeta < 0.3 ? "almost as at weak friction (dotted green), where jumps are too dear" : "between both limits";
        return `Escape costs ${near}. To twice the loss it takes of the order of e^${brief(w / t)} relaxations; Mori et al. have e^${brief(Math.log(2) / t)}, Kunin et al.’s Gibbs law e^${brief(1 / t)}.`;
      },
    };
  });
})();
