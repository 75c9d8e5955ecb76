// One path of the paper's SDE on two clocks. Units h = 1, L* = 1/2: L = (1 + theta^2)/2. On the clock
// tau the noise is constant, so the path is made there: d theta = -(log L)' d tau + (2 eta/B)^(1/2) dW.
(() => {
  "use strict";
  const loss = (x) => (1 + x * x) / 2;
  // tau(t) along a path: the integral of L, by the trapezoid rule on an even grid.
  function internalTime(losses, step) {
    const out = [0];
    for (let k = 1; k < losses.length; k++) out.push(out[k - 1] + (step * (losses[k] + losses[k - 1])) / 2);
    return out;
  }
  const physicalTime = (losses, step) => internalTime(losses.map((v) => 1 / v), step);
  const stationaryExponent = ({ eta, batch, curvature }) => 1 + batch / (eta * curvature);
  const logBarrier = (top, bottom) => Math.log(top / bottom);
  function path(noise, seed, steps = 9000, step = 0.004) {
    const normal = sgdescape.normals(sgdescape.random(seed)), kick = Math.sqrt(2 * noise * step), theta = [0];
    for (let k = 0; k < steps; k++) {
      const x = theta[k];
      theta.push(x - ((2 * x) / (1 + x * x)) * step + kick * normal());
    }
    const t = physicalTime(theta.map(loss), step);
    return { theta, t, tau: theta.map((_, k) => k * step), step };
  }
  sgdescape.scenes.two_clocks = { loss, internalTime, physicalTime, stationaryExponent, logBarrier, path };

  const REACH = 4, WINDOW = 14;
  sgdescape.stage("two_clocks", (s) => {
    const left = s.panel("Clock t: hill L, kicks grow with height", "The path against time t, and where it stands on the hill L", { height: 360 });
    const right = s.panel("Clock τ: hill log L, equal kicks", "The same path against the clock tau, and where it stands on the hill log L", { height: 360 });
    let run, at = 0, seed = 3;
    const heat = s.slider({ label: "Noise η/B", min: 0.1, max: 1, step: 0.05, value: 0.8 });
    const moment = s.slider({ label: "Moment t", min: 0, max: 1, step: 0.002, value: 0.468, map: (q) => q * (run ? run.t[run.t.length - 1] : 1), show: (v) => v.toFixed(1) });
    s.button("Another path", () => { seed++; make(); });
    const find = (t) => { let low = 0, high = run.t.length - 1; while (high - low > 1) { const m = (low + high) >> 1; if (run.t[m] > t) high = m; else low = m; } return low; };
    function make() { run = path(heat.value, seed); at = find(moment.value); moment.refresh(); }

    function drawOne(panel, clock, f, name, kick) {
      const { ink } = s, hillShare = 0.4, now = clock[at];
      panel.frame({ x: [-REACH, REACH], y: [f(0) - 0.2, f(REACH)], bare: true, bottom: 1 + 330 * (1 - hillShare) });
      panel.hill(f);
      const x = Math.max(-REACH, Math.min(REACH, run.theta[at])), px = panel.X(x), py = panel.Y(f(x));
      // the path unrolls below the hill, newest on top; numbered lines are units of t on both clocks
      const top = panel.box.bottom + 16, down = (v) => top + ((now - v) / WINDOW) * (panel.h - top);
      panel.g.save(); panel.g.beginPath(); panel.g.rect(0, top - 4, panel.w, panel.h); panel.g.clip();
      let unit = Math.floor(run.t[at]), last = -99;
      const cold = [], hot = [];
      for (let k = at; k >= 0 && down(clock[k]) < panel.h; k -= 3) {
        const point = [panel.X(run.theta[k]), down(clock[k])];
        if (Math.floor(run.t[k]) < unit) {
          panel.path([[30, point[1]], [panel.w - 6, point[1]]], ink.rule, 1);
          if (point[1] - last > 13) { last = point[1]; panel.write(String(unit), 24, last, ink.soft, "right", "", "middle"); }
          unit = Math.floor(run.t[k]);
        }
        cold.push(point);
        if (run.theta[k] ** 2 > 1) (hot[hot.length - 1]?.open ? hot[hot.length - 1] : hot[hot.push(Object.assign([], { open: true })) - 1]).push(point);
        else if (hot.length) hot[hot.length - 1].open = false;
      }
      panel.path(cold, ink.blue, 1.4);
      for (const part of hot) panel.path(part, ink.red, 2);
      panel.g.restore();
      panel.path([[px, py], [px, top]], ink.soft, 1, [2, 4]);
      const half = (panel.X(1) - panel.X(0)) * Math.sqrt(2 * heat.value * kick * 0.2);
      panel.arrow(px, py - 8, px + half, py - 8, ink.red, 3); panel.arrow(px, py - 8, px - half, py - 8, ink.red, 3);
      panel.spot(px, py - 8, 7, ink.hero);
      panel.write(`${name} = ${now.toFixed(1)}`, panel.w / 2, 22, ink.ink, "center", "600");
    }
    return {
      reset(control) { if (control !== moment || !run) make(); else at = find(moment.value); },
      tick(dt) {
        let t = run.t[at] + dt * 1.2;
        if (t > run.t[run.t.length - 1]) { seed++; t = 0; run = path(heat.value, seed); }
        at = find(t);
        moment.input.value = run.t[at] / run.t[run.t.length - 1]; moment.refresh();
      },
      draw() { const l = loss(run.theta[at]); drawOne(left, run.t, loss, "t", l); drawOne(right, run.tau, (x) => Math.log(loss(x)), "τ", 1); },
      say() {
        const l = loss(run.theta[at]), { brief } = sgdescape;
        s.key([["Pace of τ here", brief(l), "hero", false, "dτ/dt = L; ½ at the bottom"], ["Kick’s variance per t", brief(2 * heat.value * l), "red", false, "2ηL/B: grows uphill"],
          ["Kick’s variance per τ", brief(2 * heat.value), "red", true, "2η/B: the same everywhere"]]);
        return `At t = ${run.t[at].toFixed(1)} the clock shows τ = ${run.tau[at].toFixed(1)}. Here L is ${brief(2 * l)} times L*; on the right it is a climb of only ${brief(logBarrier(l, 0.5))}. The hot parts of the path (orange) are stretched by the clock.`;
      },
    };
  });
})();
