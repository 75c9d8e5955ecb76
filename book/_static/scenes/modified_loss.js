// Density and current of a linear Langevin equation dz = -A z dt + (2D/kappa)^(1/2) dW in two
// dimensions: A = (D + Q) U, Psi = z'Uz/2, current J/p = -QUz.
(() => {
  "use strict";
  const product = (m, n) => m.map((row) => n[0].map((_, j) => row[0] * n[0][j] + row[1] * n[1][j]));
  const apply = (m, [x, y]) => [m[0][0] * x + m[0][1] * y, m[1][0] * x + m[1][1] * y];
  const inverse = ([[a, b], [c, d]]) => { const det = a * d - b * c; return [[d / det, -b / det], [-c / det, a / det]]; };
  // B of A B + B A' = 2 D: three linear equations, by Cramer's rule.
  function shape([[a, b], [c, d]], [[p, q], [, r]]) {
    const trace = a + d, det = a * d - b * c, whole = trace * det;
    return [
      [(p * (det + d * d) - 2 * q * b * d + r * b * b) / whole, (-p * c * d + 2 * q * a * d - r * a * b) / whole],
      [(-p * c * d + 2 * q * a * d - r * a * b) / whole, (p * c * c - 2 * q * a * c + r * (det + a * a)) / whole],
    ];
  }
  function decompose(drift, diffusion) {
    const b = shape(drift, diffusion), ab = product(drift, b), turn = (ab[0][1] - ab[1][0]) / 2;
    return { drift, diffusion, shape: b, precision: inverse(b), circulation: [[0, turn], [-turn, 0]] };
  }
  const modifiedLoss = (z, { precision }) => { const [x, y] = apply(precision, z); return (z[0] * x + z[1] * y) / 2; };
  const probabilityVelocity = (z, { circulation, precision }) => apply(circulation, apply(precision, z)).map((v) => -v);
  const arealRate = ({ circulation }, temperature = 1) => 2 * temperature * circulation[0][1];
  // Position and velocity of one mode of SGD with momentum, per unit of t = eta k; noise h.
  function oscillator({ eta, beta, curvature }) {
    const f = 2 / (eta * (1 + beta));
    return [[[0, -1], [f * curvature, f * (1 - beta)]], [[0, 0], [0, f * (1 - beta) * curvature]]];
  }
  const toy = (strong, tilt) => [[[2.5, -tilt], [-tilt, 2.5]], [[strong, 0], [0, 1]]];
  sgdescape.scenes.modified_loss = { shape, decompose, modifiedLoss, probabilityVelocity, arealRate, oscillator, toy };

  const MANY = 220;
  sgdescape.stage("modified_loss", (s) => {
    const left = s.panel("Particles of the process", "Noisy particles over the levels of the loss and of the modified loss", { height: 320 });
    const right = s.panel("The current alone", "Dots that follow the current along the levels of the modified loss", { height: 320 });
    const kind = s.choice({ label: "Process", options: [["toy", "two positions (Fig. 3)"], ["oscillator", "SGD with momentum"]] });
    const strong = s.slider({ label: "Noise along z₁", min: -1, max: 3, step: 0.1, value: 2, map: (x) => 2 ** x });
    const tilt = s.slider({ label: "Tilt of the loss", min: -2, max: 2, step: 0.1, value: 1.5 });
    const beta = s.slider({ label: "Momentum β", min: 0, max: 0.98, step: 0.01, value: 0.8 });
    const uniform = sgdescape.random(11), normal = sgdescape.normals(uniform);
    let parts, cloud, dots, root, scaleUp, pace, shrink;

    function fresh() { const a = normal(), b = normal(); return [root[0][0] * a, root[1][0] * a + root[1][1] * b]; }
    return {
      reset() {
        const isToy = kind.value === "toy";
        strong.input.disabled = tilt.input.disabled = !isToy; beta.input.disabled = isToy;
        parts = decompose(...(isToy ? toy(strong.value, tilt.value) : oscillator({ eta: 0.5, beta: beta.value, curvature: 1 })));
        const b = parts.shape, r = Math.sqrt(b[0][0]);
        root = [[r, 0], [b[0][1] / r, Math.sqrt(b[1][1] - (b[0][1] / r) ** 2)]];
        scaleUp = 3.1 * Math.sqrt(Math.max(b[0][0], isToy ? b[1][1] : 0)); shrink = isToy ? 1 : Math.sqrt(b[1][1] / b[0][0]);
        cloud = Array.from({ length: MANY }, fresh);
        dots = Array.from({ length: 60 }, (_, i) => { // evenly on three levels
          const ring = 1 + (i % 3) * 0.7, angle = (2 * Math.PI * i) / 60, c = ring * Math.cos(angle), d = ring * Math.sin(angle);
          return [root[0][0] * c, root[1][0] * c + root[1][1] * d];
        });
        pace = 0.6 / Math.max(Math.abs(parts.circulation[0][1]) / Math.sqrt(b[0][0] * b[1][1] - b[0][1] ** 2), 0.6);
      },
      tick(dt) {
        const { drift, diffusion } = parts, pieces = 12, h = (dt * pace) / pieces;
        const kick = [Math.sqrt(2 * diffusion[0][0] * h), Math.sqrt(2 * diffusion[1][1] * h)];
        for (let k = 0; k < pieces; k++) for (const z of cloud) {
          const f = apply(drift, z);
          z[0] += -f[0] * h + (kick[0] ? kick[0] * normal() : 0); z[1] += -f[1] * h + (kick[1] ? kick[1] * normal() : 0);
        }
        for (const z of dots) { // midpoint rule: the dots stay on their level
          const a = probabilityVelocity(z, parts), b = probabilityVelocity([z[0] + (a[0] * dt * pace) / 2, z[1] + (a[1] * dt * pace) / 2], parts);
          z[0] += b[0] * dt * pace; z[1] += b[1] * dt * pace;
        }
      },
      draw() {
        const { ink } = s, isToy = kind.value === "toy", axes = { x: [-scaleUp, scaleUp], y: [-scaleUp * shrink, scaleUp * shrink], xlabel: isToy ? "z₁" : "position θ − μ", ylabel: isToy ? "z₂" : "velocity v" };
        const ring = (m, radius, n = 90) => { // level radius^2/2 of z'mz/2, from the Cholesky root of m^-1
          const b = inverse(m), r = Math.sqrt(b[0][0]), low = b[0][1] / r, rest = Math.sqrt(b[1][1] - low * low);
          return Array.from({ length: n + 1 }, (_, i) => { const q = (2 * Math.PI * i) / n; return [radius * r * Math.cos(q), radius * (low * Math.cos(q) + rest * Math.sin(q))]; });
        };
        for (const panel of [left, right]) {
          panel.frame(axes);
          panel.inside(() => {
            if (panel === left && isToy) for (const k of [1, 1.7, 2.4]) panel.line(ring(parts.drift, k * Math.sqrt(1.4)), ink.soft, 1.3, [4, 4]);
            for (const k of [1, 1.7, 2.4]) panel.line(ring(parts.precision, k), ink.red, 2);
          });
        }
        left.inside(() => left.cloud(cloud, 2.6, ink.blue, 0.7));
        right.inside(() => {
          right.cloud(dots, 3, ink.hero, 1);
          for (let i = 0; i < 60; i += 7) {
            const z = dots[i], v = probabilityVelocity(z, parts), x = right.X(z[0]), y = right.Y(z[1]), x1 = right.X(z[0] + v[0]) - x, y1 = right.Y(z[1] + v[1]) - y;
            const long = Math.hypot(x1, y1), size = Math.min(26, 9 * Math.sqrt(long / 10));
            if (long > 1) right.arrow(x, y, x + (x1 / long) * size, y + (y1 / long) * size, ink.hero, 1.5);
          }
        });
      },
      say() {
        const area = arealRate(parts), turning = Math.abs(area) < 1e-9 ? "no current" : area > 0 ? "counter-clockwise" : "clockwise", { brief } = sgdescape;
        const flat = kind.value === "toy";
        s.key([["Loss", flat ? "levels of Φ" : "θ part of Ψ", "soft", true, flat ? "whose gradient is the drift" : "velocity has no loss"], ["Modified loss Ψ", "levels", "red", false, "the density is exp(−κΨ)"], ["Areal rate", brief(area), "hero", false, `2Q₁₂ at κ = 1: ${turning}`]]);
        if (!flat) return `With momentum the cloud turns clockwise whatever β is: what moves to the right has v > 0. Time reversal turns v round, so that this current is no sign of irreversibility by itself.`;
        return Math.abs(area) < 1e-9 ? "Here noise and drift have the same axes: the modified loss has the axes of the loss, and nothing flows." : `The noise does not fit the loss: particles settle on the orange levels, not on the grey ones, and drift round them ${turning}.`;
      },
    };
  });
})();
