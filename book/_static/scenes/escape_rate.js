// Theorem 4.7 moved: the escape time of Eq. (15) and the critical dimension of Eq. (16).
(() => {
  "use strict";
  const exponent = ({ eta, batch, curvature, dimension }) => batch / (eta * curvature) + 1 - dimension / 2;
  const escapeRate = (ratio, at) =>
    (Math.sqrt(at.curvature * Math.abs(at.saddle)) / (2 * Math.PI)) * ratio ** -exponent(at);
  const criticalDimension = ({ eta, batch, curvature }) => 2 * (batch / (eta * curvature) + 1);
  // Mean growth of log |z| per t far out in an isotropic bowl.
  const growthRate = (at) =>
    ((at.eta * at.curvature ** 2) / (2 * at.batch)) * (at.dimension - criticalDimension(at));
  sgdescape.scenes.escape_rate = { exponent, escapeRate, criticalDimension, growthRate };

  const MOST = 60;
  sgdescape.stage("escape_rate", (s) => {
    const times = s.panel("Mean time to escape, 1/κ", "Escape time against the loss ratio c on logarithmic axes, for this dimension and for one");
    const powers = s.panel("The power of c", "Exponent of the escape time against the number of dimensions, zero at the critical one");
    const eta = s.slider({ label: "Learning rate η", min: -1.7, max: 0, step: 0.02, value: -0.7, map: (x) => 10 ** x });
    const batch = s.slider({ label: "Batch size B", min: 1, max: 8, step: 1, value: 1 });
    const curvature = s.slider({ label: "Curvature h", min: -2, max: 2, step: 0.1, value: 0, map: (x) => 2 ** x });
    const dimension = s.slider({ label: "Dimensions n", min: 1, max: MOST, step: 1, value: 4 });
    const now = (n = dimension.value) => ({ eta: eta.value, batch: batch.value, curvature: curvature.value, saddle: 1, dimension: n });
    return {
      draw() {
        const at = now(), one = now(1), critical = criticalDimension(at), { ink } = s, inBounds = at.dimension < critical;
        const top = Math.min(Math.max(1 / escapeRate(4, one), 1e3), 1e60);
        times.frame({ x: [1, 4], y: [top ** -0.25, top], xlog: true, ylog: true, xlabel: "loss ratio c = L(saddle)/L(minimum)", ylabel: "time t = ηk" });
        times.curve((c) => 1 / escapeRate(c, one), ink.soft, 2, [3, 5]);
        times.curve((c) => 1 / escapeRate(c, at), inBounds ? ink.blue : ink.red, 3.5);
        times.label("n = 1", 2.6, 1 / escapeRate(2.6, one), ink.soft, "right", -8, -8);
        times.label(`n = ${at.dimension}`, 3, 1 / escapeRate(3, at), inBounds ? ink.blue : ink.red, "left", 4, 22);
        const high = exponent(one), span = Math.max(high, 4);
        powers.frame({ x: [1, MOST], y: [-span, span * 1.1], xlabel: "dimensions n", ylabel: "exponent B/(ηh) + 1 − n/2" });
        const { g, box } = powers;
        if (critical < MOST) {
          g.fillStyle = ink.red; g.globalAlpha = 0.13;
          g.fillRect(powers.X(critical), box.top, box.right - powers.X(critical), box.bottom - box.top);
          g.globalAlpha = 1;
          powers.line([[critical, -span], [critical, span * 1.1]], ink.red, 2, [5, 4]);
          powers.label(`n_c = ${sgdescape.brief(critical)}`, critical, span, ink.red, "left", 6, 4);
          powers.label("no valley holds", critical, -span * 0.85, ink.red, "left", 6, 0);
        }
        powers.line([[1, 0], [MOST, 0]], ink.soft, 1);
        powers.curve((n) => exponent(now(n)), ink.blue, 3);
        powers.inside(() => powers.dot(at.dimension, exponent(at), 6.5, inBounds ? ink.blue : ink.red));
      },
      say() {
        const at = now(), power = exponent(at), critical = criticalDimension(at), { brief } = sgdescape;
        s.key([["Exponent of c", brief(power), power > 0 ? "blue" : "red", false, "B/(ηh) + 1 − n/2"],
          ["Critical dimension", brief(critical), "red", true, "n_c = 2 (B/(ηh) + 1)"],
          ["Twice the loss ratio", `× ${brief(2 ** power)}`, "soft", false, "what it does to the wait"]]);
        return at.dimension < critical
          ? `With n = ${at.dimension} below n_c = ${brief(critical)} a saddle at c = 2 holds SGD for t = ${brief(1 / escapeRate(2, at))}, which is ${brief(1 / escapeRate(2, at) / at.eta)} steps.`
          : `With n = ${at.dimension} at or above n_c = ${brief(critical)} nothing holds SGD near the minimum: far out log|θ| ${growthRate(at) === 0 ? "does not shrink" : `grows by ${brief(growthRate(at))} per unit of t`}.`;
      },
    };
  });
})();
