// Climb or jump: the cheapest way of discrete SGD to a loss ratio c, for Gaussian regression.
// Units h = sigma = 1: c = 1 + theta^2; the chance of a way is exp(-(B/eta) cost).
(() => {
  "use strict";
  const jumpCost = (position, displacement) => {
    const along = position * displacement, root = Math.hypot(displacement, along);
    return along < 0 ? displacement ** 2 / (root - along) : along + root;
  };
  // Stops of a climb to sinh(w) and stationary jumps after it, at alternating sides.
  function sequence(w, jumps) {
    const stops = [Math.sinh(w)], costs = [Math.sinh(w) ** 2];
    let slope = 2 * stops[0];
    for (let j = 0; j < jumps; j++) {
      const here = stops[j], u = Math.asinh(here);
      const next = slope * Math.exp(u) * Math.cosh(u) + Math.exp(-u);
      slope = Math.exp(-u);
      costs.push((next + here) * slope); stops.push(next);
    }
    return { stops, costs };
  }
  // The cheapest way with exactly this many jumps, or null where none ends at sqrt(c - 1).
  function way(ratio, jumps) {
    const end = Math.sqrt(ratio - 1);
    if (jumps === 0) return { stops: [end], costs: [end * end], total: end * end };
    if (sequence(0, jumps).stops[jumps] > end) return null;
    let low = 0, high = Math.asinh(end);
    for (let k = 0; k < 80; k++) {
      const middle = (low + high) / 2;
      if (sequence(middle, jumps).stops[jumps] > end) high = middle; else low = middle;
    }
    const { stops, costs } = sequence((low + high) / 2, jumps);
    stops[jumps] = end;
    costs[jumps] = jumpCost(-stops[jumps - 1], stops[jumps - 1] + end);
    return { stops, costs, total: costs.reduce((a, b) => a + b) };
  }
  function cheapest(ratio) {
    const found = ratio <= 2 ? [way(ratio, 0)] : [];
    for (let jumps = 1; jumps < 12; jumps++) found.push(way(ratio, jumps));
    return found.filter(Boolean).reduce((a, b) => (b.total < a.total ? b : a));
  }
  const quasiPotential = (ratio) => cheapest(ratio).total;
  sgdescape.scenes.climb_or_jump = { jumpCost, way, cheapest, quasiPotential };

  const MOST = 100, loss = (x) => (1 + x * x) / 2;
  const costs = Array.from({ length: 161 }, (_, i) => MOST ** (i / 160)).map((c) => [c, quasiPotential(c)]);

  sgdescape.stage("climb_or_jump", (s) => {
    const bowl = s.panel("The cheapest way out", "Bowl with the cheapest way to the rim: a climb, then jumps across");
    const plot = s.panel("What it costs", "Cost against the loss ratio of the rim: climbing all the way, the cheapest way, and log c");
    const rim = s.slider({ label: "Rim c = L/L*", min: 0.1, max: Math.log(MOST), step: 0.01, value: Math.log(5), map: Math.exp });
    const strength = s.slider({ label: "B/η", min: 5, max: 60, step: 5, value: 10 });

    function drawBowl(c, best) {
      const end = Math.sqrt(c - 1), edge = 1.25 * end, { ink } = s;
      bowl.frame({ x: [-edge, edge], y: [0.5 - 0.12 * loss(edge), 1.25 * loss(edge)], bare: true });
      bowl.hill(loss);
      const rimY = bowl.Y(c / 2);
      bowl.path([[0, rimY], [bowl.w, rimY]], ink.soft, 1, [3, 4]);
      bowl.write(`rim, c = ${sgdescape.brief(c)}`, 26, rimY - 8, ink.soft, "left");
      const side = (k) => (best.stops.length - 1 - k) % 2 === 0 ? 1 : -1, last = best.stops.length - 1;
      const first = best.stops[0] * side(0);
      bowl.line(Array.from({ length: 31 }, (_, i) => [(first * i) / 30, loss((first * i) / 30)]), ink.green, 6);
      for (let k = 1; k <= last; k++) {
        const [x0, y0, x1, y1] = [bowl.X(best.stops[k - 1] * side(k - 1)), bowl.Y(loss(best.stops[k - 1])),
          bowl.X(best.stops[k] * side(k)), bowl.Y(loss(best.stops[k]))];
        const lift = Math.min(70, 0.3 * Math.abs(x1 - x0) + 25);
        const arc = Array.from({ length: 33 }, (_, i) => { const q = i / 32; return [x0 + (x1 - x0) * q, y0 + (y1 - y0) * q - 4 * lift * q * (1 - q)]; });
        bowl.path(arc, ink.hero, 4);
        bowl.arrow(...arc[30], ...arc[32], ink.hero, 4);
        bowl.write(`jump ${sgdescape.brief(best.costs[k])}`, arc[14][0], arc[14][1] - 12, ink.hero, "center", "600");
      }
      bowl.write(`climb ${sgdescape.brief(best.costs[0])}`, bowl.X(first / 2), Math.min(bowl.h - 8, bowl.Y(0.5) + 22), ink.green, "center", "600");
      bowl.spot(bowl.X(0), bowl.Y(0.5), 5, ink.ink);
      bowl.spot(bowl.X(end), rimY, 6, ink.ink, true);
    }
    function drawCosts(c, best) {
      const { ink } = s;
      plot.frame({ x: [1, MOST], y: [0, 5], xlog: true, xlabel: "rim c = L/L*", ylabel: "cost" });
      plot.path([[plot.X(c), plot.box.top], [plot.X(c), plot.box.bottom]], ink.soft, 1, [3, 4]);
      plot.curve((k) => k - 1, ink.green, 2, [7, 5]);
      plot.curve(Math.log, ink.red, 2.5, [2, 5]);
      plot.inside(() => plot.line(costs, ink.hero, 3.5));
      plot.label("climb, c − 1", 4.6, 3.7, ink.green, "right", -8);
      plot.label("cheapest", 30, quasiPotential(30), ink.hero, "right", -2, -12);
      plot.label("log c", 40, Math.log(40), ink.red, "left", 8, 24);
      for (const [v, colour] of [[c - 1, ink.green], [Math.log(c), ink.red], [best.total, ink.hero]]) {
        if (v <= 5) plot.dot(c, v, 5.5, colour);
      }
    }
    return {
      draw() { const c = rim.value, best = cheapest(c); drawBowl(c, best); drawCosts(c, best); },
      say() {
        const c = rim.value, best = cheapest(c), jumps = best.costs.length - 1, a = strength.value;
        s.key([["Cheapest way", sgdescape.brief(best.total), "hero", false, jumps ? `climb ${sgdescape.brief(best.costs[0])}, then ${jumps} jump${jumps > 1 ? "s" : ""}` : "climb all the way"],
          ["Climb all the way", sgdescape.brief(c - 1), "green", true, "c − 1"],
          ["The paper’s SDE", sgdescape.brief(Math.log(c)), "red", true, "log c"]]);
        const what = jumps === 0 ? "it is cheapest to climb all the way" : jumps === 1 ? "it is cheaper to run up one side and jump across" : `${jumps} jumps to and fro are cheapest`;
        return `At c = ${sgdescape.brief(c)}, ${what}. With B/η = ${a} the wait grows by a factor of about ${sgdescape.brief(Math.exp(a * best.total))}; log c would make it ${sgdescape.brief(c ** a)}.`;
      },
    };
  });
})();
