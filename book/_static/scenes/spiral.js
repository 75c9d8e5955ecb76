// One mode of SGD with momentum in phase space: theta_{k+1} = (1 + beta - e) theta_k - beta theta_{k-1}
// - noise, with e = eta h; v_k = (theta_k - theta_{k-1})/eta, and v_0 = 0.
(() => {
  "use strict";
  const dampingRate = ({ eta, beta }) => (1 - beta) / (eta * (1 + beta));
  const angularFrequency = ({ eta, beta, curvature }) => Math.sqrt((2 * curvature) / (eta * (1 + beta)));
  const dampingRatio = (at) => dampingRate(at) / angularFrequency(at);
  // Momentum at which the mode is critically damped: above it, it swings.
  const criticalMomentum = ({ eta, curvature }) => { const x = eta * curvature; return 1 + x - Math.sqrt(x * x + 4 * x); };
  // Path of (theta, v), with the noise's draws if given: [[theta, v], ...] for k = 0 ... steps.
  function path(steps, { eta, beta, curvature, start = 1, noise = null }) {
    const out = [[start, 0]];
    for (let k = 0, v = 0, x = start; k < steps; k++) {
      v = beta * v - curvature * x - (noise ? noise() : 0);
      x += eta * v;
      out.push([x, v]);
    }
    return out;
  }
  const stationaryVariance = ({ eta, beta, curvature, batch = 1, sigma2 = 1 }) => {
    const edge = 1 - (eta * curvature) / (2 * (1 + beta));
    return { position: (eta * sigma2) / (2 * batch * (1 - beta) * curvature) / edge, velocity: sigma2 / (batch * (1 - beta ** 2)) / edge };
  };
  sgdescape.scenes.spiral = { dampingRate, angularFrequency, dampingRatio, criticalMomentum, path, stationaryVariance };

  const STEPS = 400;
  sgdescape.stage("spiral", (s) => {
    const plane = s.panel("Phase plane", "Position against velocity: the mean path spirals into the minimum, with one noisy chain", { height: 310 });
    const time = s.panel("Position against the step", "Position of the same paths against the step", { height: 310 });
    const beta = s.slider({ label: "Momentum β", min: 0, max: 3, step: 0.01, value: 1.5, map: (x) => 1 - 10 ** -x });
    const rate = s.slider({ label: "Step ηh", min: -3.5, max: 0, step: 0.05, value: Math.log10(0.0092), map: (x) => 10 ** x });
    const spread = s.slider({ label: "Noise", min: 0, max: 0.3, step: 0.01, value: 0.08 });
    let mean, chain, shown = STEPS, seed = 5;
    s.button("Kick again", () => { seed++; shown = s.playing ? 0 : STEPS; make(); });
    const now = () => ({ eta: 1, beta: beta.value, curvature: rate.value });
    function make() {
      const at = now(), normal = sgdescape.normals(sgdescape.random(seed)), size = stationaryVariance(at).position;
      const strength = spread.value / Math.sqrt(size); // standard deviation of theta, as a share of the kick
      mean = path(STEPS, at);
      chain = path(STEPS, { ...at, noise: () => strength * normal() });
    }
    return {
      reset() { make(); shown = s.playing ? 0 : STEPS; },
      play() { if (shown >= STEPS) shown = 0; },
      tick(dt) { shown = shown >= STEPS + 60 ? 0 : shown + 70 * dt; if (shown === 0) { seed++; make(); } },
      draw() {
        const { ink } = s, omega = angularFrequency(now()), upTo = Math.min(Math.floor(shown), STEPS), unit = (v) => v / omega;
        plane.frame({ x: [-1.15, 1.15], y: [-1.15, 1.15], xlabel: "position θ − μ, of its start", ylabel: "velocity v/ω" });
        plane.line([[-1.15, 0], [1.15, 0]], ink.rule, 1); plane.line([[0, -1.15], [0, 1.15]], ink.rule, 1);
        plane.inside(() => {
          plane.line(chain.slice(0, upTo + 1).map(([x, v]) => [x, unit(v)]), ink.blue, 1.3);
          plane.line(mean.map(([x, v]) => [x, unit(v)]), ink.red, 2.5);
          if (upTo < STEPS) plane.dot(mean[upTo][0], unit(mean[upTo][1]), 7, ink.hero);
        });
        plane.dot(1, 0, 4, ink.ink); plane.label("start", 1, 0, ink.ink, "right", -4, -8);
        time.frame({ x: [0, STEPS], y: [-1.15, 1.15], xlabel: "step k", ylabel: "position θ − μ" });
        time.inside(() => {
          time.line([[0, 0], [STEPS, 0]], ink.soft, 1);
          time.line(chain.slice(0, upTo + 1).map(([x], k) => [k, x]), ink.blue, 1.3);
          time.line(mean.map(([x], k) => [k, x]), ink.red, 2.5);
          if (upTo < STEPS) time.dot(upTo, mean[upTo][0], 7, ink.hero);
        });
      },
      say() {
        const at = now(), zeta = dampingRatio(at), critical = criticalMomentum(at), { brief } = sgdescape;
        const gamma = dampingRate(at), omega = angularFrequency(at), period = (2 * Math.PI) / Math.sqrt(Math.abs(omega ** 2 - gamma ** 2));
        s.key([["Damping ζ", brief(zeta), "red", false, zeta < 1 ? "it swings" : "it creeps"], ["Memory", `${brief(1 / gamma)} steps`, "ink", false, "(1 + β)/(1 − β)"],
          ["One turn", zeta < 1 ? `${brief(period)} steps` : "none", "ink", false, "2π/ν"], ["Critical momentum", brief(Math.max(critical, 0)), "red", true, "above it, spirals"]]);
        return zeta < 1
          ? `β = ${brief(at.beta, 4)} is above ${brief(Math.max(critical, 0))}: a turn takes ${brief(period)} steps, and the amplitude falls by e in ${brief(1 / gamma)}, whatever the curvature.`
          : `β = ${brief(at.beta, 4)} is below ${brief(critical)}: the weight creeps back without a swing, slower the flatter the direction.`;
      },
    };
  });
})();
