// Figures that move. A stage brings controls, axes, colours, the loop and what assistive technology
// needs; a scene (scenes/<name>.js) brings its numbers, as pure functions, and its drawing. Until a
// scene has drawn itself once, and always on paper, the page shows the still picture of the build.
window.sgdescape ??= {};
sgdescape.scenes ??= {};
(() => {
  "use strict";
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const INKS = ["ink", "soft", "rule", "ground", "hill", "blue", "red", "green", "violet", "hero"];

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }

  // ---- numbers as text ----
  const superscript = (n) =>
    String(n).replace(/./g, (d) => (d === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]));
  function brief(value, digits = 3) {
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : "∞";
    const size = Math.abs(value);
    if (size >= 1e6 || (size > 0 && size < 1e-3)) {
      const [head, power] = value.toExponential(1).split("e");
      return `${Number(head)} × 10${superscript(Number(power))}`;
    }
    return Number(value.toPrecision(size >= 1000 ? 4 : digits)).toLocaleString("en").replace("-", "−");
  }

  // ---- axes ----
  function scale(low, high, from, to, log) {
    const f = log ? Math.log : (v) => v;
    return (v) => from + ((f(v) - f(low)) / (f(high) - f(low))) * (to - from);
  }
  function ticks(low, high, log, most) {
    const found = [];
    if (log) {
      const decades = Math.log10(high / low);
      const every = Math.ceil(decades / most);
      const digits = decades < 0.8 ? [1, 1.5, 2, 3, 4, 5, 7] : decades < 2.2 ? [1, 2, 5] : [1];
      for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high) + 1e-9; e++) {
        if (digits.length > 1 || e % every === 0) found.push(...digits.map((d) => d * 10 ** e));
      }
    } else {
      const rough = (high - low) / most, unit = 10 ** Math.floor(Math.log10(rough));
      const step = unit * [1, 2, 5, 10].find((m) => m * unit >= rough * 0.85);
      for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step);
    }
    const edge = log ? 1e-9 * high : 1e-9 * (high - low);
    return found.filter((v) => v >= low - edge && v <= high + edge);
  }

  // ---- a canvas with axes; lines and dots in the units of the axes ----
  class Panel {
    constructor(stage, title, label, height) {
      this.stage = stage;
      this.canvas = make("canvas", { role: "img", "aria-label": label });
      this.canvas.style.setProperty("--scene-height", `${height}px`);
      this.title = make("p", { class: "sgd-scene__title" }, title);
      stage.panels.append(make("div", { class: "sgd-scene__panel" }, this.title, this.canvas));
    }
    clear() {
      const ratio = window.devicePixelRatio || 1;
      this.w = this.canvas.clientWidth; this.h = this.canvas.clientHeight;
      const [w, h] = [Math.round(this.w * ratio), Math.round(this.h * ratio)];
      if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
      const g = (this.g = this.canvas.getContext("2d"));
      g.setTransform(ratio, 0, 0, ratio, 0, 0);
      g.clearRect(0, 0, this.w, this.h);
      g.globalAlpha = 1; g.lineJoin = "round"; g.lineCap = "round";
      return this;
    }
    // x, y: [low, high]. With bare: true no axes are drawn.
    frame({ x, y, xlog = false, ylog = false, xlabel = "", ylabel = "", bare = false, left = bare ? 4 : 46,
      right = bare ? 4 : 14, top = ylabel ? 26 : 12, bottom = bare ? 4 : 42, xticks, yticks }) {
      this.clear();
      const { g, w, h } = this, ink = this.stage.ink;
      this.box = { left, right: w - right, top, bottom: h - bottom };
      this.X = scale(...x, left, w - right, xlog);
      this.Y = scale(...y, h - bottom, top, ylog);
      this.low = x; this.xlog = xlog;
      if (bare) return this;
      const across = xticks ?? ticks(...x, xlog, Math.max(3, (w - left - right) / 62));
      const up = yticks ?? ticks(...y, ylog, Math.max(3, (h - top - bottom) / 42));
      for (const v of up) {
        this.path([[left, this.Y(v)], [w - right, this.Y(v)]], ink.rule, 1);
        this.write(tickText(v, ylog && y[1] / y[0] > 150), left - 6, this.Y(v), ink.soft, "right", "", "middle");
      }
      let last = -Infinity;
      for (const v of across) {
        const at = this.X(v), text = tickText(v, xlog && x[1] / x[0] > 150);
        if (at - last < 9 * text.length) continue; // labels that would touch
        last = at;
        this.path([[at, h - bottom], [at, h - bottom + 4]], ink.soft, 1);
        this.write(text, at, h - bottom + 18);
      }
      this.path([[left, top], [left, h - bottom], [w - right, h - bottom]], ink.soft, 1);
      this.write(xlabel, (left + w - right) / 2, h - 7, ink.ink);
      this.write(ylabel, 4, 14, ink.ink, "left");
      return this;
    }
    inside(draw) { // nothing beyond the frame
      const { left, right, top, bottom } = this.box;
      this.g.save(); this.g.beginPath(); this.g.rect(left, top, right - left, bottom - top); this.g.clip();
      draw(); this.g.restore();
    }
    path(points, colour, width = 2, dash = []) { // in pixels
      const { g } = this;
      g.beginPath();
      points.forEach(([x, y], i) => (i ? g.lineTo(x, y) : g.moveTo(x, y)));
      g.setLineDash(dash); g.strokeStyle = colour; g.lineWidth = width; g.stroke(); g.setLineDash([]);
    }
    line(points, colour, width = 2.5, dash = []) {
      this.path(points.filter(([, y]) => !Number.isNaN(y)).map(([x, y]) => [this.X(x), this.Y(y)]), colour, width, dash);
    }
    grid(n = 160, [low, high] = this.low) { // positions, even on the axis
      const f = (i) => (this.xlog ? low * (high / low) ** (i / n) : low + ((high - low) * i) / n);
      return Array.from({ length: n + 1 }, (_, i) => f(i));
    }
    curve(f, colour, width, dash, n, range) {
      this.inside(() => this.line(this.grid(n, range).map((x) => [x, f(x)]), colour, width, dash));
    }
    hill(f, colour = this.stage.ink.hill, line = this.stage.ink.soft) { // a filled landscape
      const { g, box } = this, points = this.grid().map((x) => [this.X(x), this.Y(f(x))]);
      this.inside(() => {
        g.beginPath(); points.forEach(([x, y]) => g.lineTo(x, y));
        g.lineTo(box.right, box.bottom); g.lineTo(box.left, box.bottom); g.fillStyle = colour; g.fill();
        this.path(points, line, 2);
      });
    }
    dot(x, y, radius, colour, hollow = false) { this.spot(this.X(x), this.Y(y), radius, colour, hollow); }
    spot(x, y, radius, colour, hollow = false) { // in pixels
      const { g } = this;
      g.beginPath(); g.arc(x, y, radius, 0, 7); g.fillStyle = hollow ? this.stage.ink.ground : colour; g.fill();
      if (hollow) { g.strokeStyle = colour; g.lineWidth = 2; g.stroke(); }
    }
    cloud(points, radius, colour, alpha) { // many dots at once, in the units of the axes
      const { g } = this;
      g.globalAlpha = alpha; g.fillStyle = colour; g.beginPath();
      for (const [x, y] of points) {
        const px = this.X(x), py = this.Y(y);
        g.moveTo(px + radius, py); g.arc(px, py, radius, 0, 7);
      }
      g.fill(); g.globalAlpha = 1;
    }
    bars(edges, heights, colour, alpha = 0.5) {
      const { g } = this, base = this.box.bottom;
      g.fillStyle = colour; g.globalAlpha = alpha;
      this.inside(() => heights.forEach((v, i) => {
        const a = this.X(edges[i]), b = this.X(edges[i + 1]), y = this.Y(v);
        if (base - y > 0) g.fillRect(a + 0.5, y, Math.max(b - a - 1, 1), base - y);
      }));
      g.globalAlpha = 1;
    }
    arrow(x0, y0, x1, y1, colour, width = 2) { // in pixels
      const angle = Math.atan2(y1 - y0, x1 - x0), tip = 5 + 2 * width;
      const wing = (turn) => [x1 - tip * Math.cos(angle + turn), y1 - tip * Math.sin(angle + turn)];
      this.path([[x0, y0], [x1, y1]], colour, width);
      this.path([wing(0.45), [x1, y1], wing(-0.45)], colour, width);
    }
    write(text, x, y, colour = this.stage.ink.soft, align = "center", weight = "", base = "alphabetic") { // in pixels
      const { g } = this;
      g.font = `${weight} 13px system-ui, sans-serif`; g.textAlign = align; g.textBaseline = base;
      g.lineWidth = 4; g.strokeStyle = this.stage.ink.ground; g.setLineDash([]); g.strokeText(text, x, y);
      g.fillStyle = colour; g.fillText(text, x, y);
    }
    label(text, x, y, colour, align = "left", dx = 0, dy = 0) { // beside a point of a curve, kept inside
      const { left, right, top, bottom } = this.box;
      this.g.font = "600 13px system-ui, sans-serif";
      const wide = this.g.measureText(text).width, shift = { left: 0, center: wide / 2, right: wide }[align];
      const px = Math.min(Math.max(this.X(x) + dx - shift, left + 3), right - wide);
      const py = Math.min(Math.max(this.Y(y) + dy, top + 12), bottom - 5);
      this.write(text, px, py, colour, "left", "600");
    }
  }
  function tickText(v, powers) {
    if (!powers) return brief(v);
    const e = Math.round(Math.log10(v));
    return Math.abs(Math.log10(v) - e) < 1e-9 ? `10${superscript(e)}` : brief(v);
  }

  // ---- a stage: the live half of one figure ----
  class Stage {
    constructor(root, build) {
      this.root = root;
      this.data = JSON.parse(root.querySelector("script[type='application/json']")?.textContent || "null");
      this.panels = make("div", { class: "sgd-scene__panels" });
      this.keys = make("ul", { class: "sgd-scene__key" });
      this.controls = make("div", { class: "sgd-scene__controls" });
      this.note = make("p", { class: "sgd-scene__note" });
      this.status = make("p", { class: "sgd-scene__status", role: "status", id: `${root.id}-status` });
      this.inputs = [];
      this.ink = {};
      this.playing = false; this.visible = false; this.last = 0; this.shown = 0; this.spoken = 0;
      this.act = build(this);
      if (this.act.tick) this.addPlay();
      this.live = make("div", { class: "sgd-scene__live" }, this.panels, this.keys, this.controls, this.note, this.status);
      this.readInk();
      root.insertBefore(this.live, root.querySelector("figcaption"));
      root.classList.add("sgd-scene--live");
      try {
        this.restart();
      } catch (error) { // the still picture is better than half of a live one
        root.classList.remove("sgd-scene--live");
        this.live.remove();
        throw error;
      }
      this.watch();
      root.dataset.state = "live";
    }

    panel(title, label, { height = 290 } = {}) { return new Panel(this, title, label, height); }

    slider({ label, min, max, step, value, map = (x) => x, show = brief }) {
      const input = make("input", { type: "range", min, max, step, value });
      const text = make("b", { "aria-hidden": "true" });
      const control = { input, get value() { return map(Number(input.value)); } };
      control.refresh = () => { text.textContent = show(control.value); input.setAttribute("aria-valuetext", show(control.value)); };
      input.setAttribute("aria-label", label);
      this.controls.append(make("label", {}, make("span", {}, label, " ", text), input));
      input.addEventListener("input", () => this.changed(control));
      input.addEventListener("change", () => this.speak(true));
      control.refresh(); this.inputs.push(control);
      return control;
    }

    choice({ label, options, value }) {
      const input = make("select", { "aria-label": label });
      for (const [key, text] of options) input.append(make("option", { value: key }, text));
      input.value = value ?? options[0][0];
      const control = { input, get value() { return input.value; }, refresh() {} };
      this.controls.append(make("label", {}, make("span", {}, label), input));
      input.addEventListener("change", () => { this.changed(control); this.speak(true); });
      this.inputs.push(control);
      return control;
    }

    button(text, action) {
      const element = make("button", { type: "button" }, text);
      element.addEventListener("click", () => { action(); this.refresh(true); });
      this.controls.append(element);
      return element;
    }

    addPlay() {
      this.play = make("button", { type: "button", class: "sgd-scene__play" });
      this.play.addEventListener("click", () => {
        this.playing = !this.playing;
        if (this.playing) this.act.play?.(); // a finished run starts again at once
        this.showPlay(); this.speak(true);
      });
      this.controls.prepend(this.play);
      this.playing = !calm.matches;
      this.showPlay();
    }
    showPlay() {
      this.play.textContent = this.playing ? "Pause" : "Play";
      if (this.playing) this.schedule();
    }

    changed(control) {
      control.refresh();
      this.restart(control);
    }
    // With the loop at rest, a scene is shown in a state that says something.
    restart(control) {
      this.act.reset?.(control);
      if (!this.playing) this.act.settle?.(control);
      this.refresh(false);
    }
    refresh(aloud) { this.act.draw(); this.speak(aloud); }

    speak(aloud) {
      const sentence = this.act.say();
      if (this.note.textContent !== sentence) this.note.textContent = sentence;
      if (aloud) { this.status.textContent = sentence; this.spoken = performance.now(); }
    }
    // entries: [name, value, colour, dashed, note]
    key(entries) {
      while (this.keys.children.length < entries.length) {
        this.keys.append(make("li", {}, make("span"), make("b"), make("small")));
      }
      entries.forEach(([name, value, colour, dashed = false, note = ""], i) => {
        const item = this.keys.children[i];
        [name, value, note].forEach((text, j) => { if (item.children[j].textContent !== text) item.children[j].textContent = text; });
        item.style.setProperty("--scene-entry", `var(--scene-${colour})`);
        item.classList.toggle("sgd-scene__dashed", dashed);
      });
    }

    readInk() {
      const style = getComputedStyle(this.root);
      for (const name of INKS) this.ink[name] = style.getPropertyValue(`--scene-${name}`).trim();
    }
    schedule() { if (this.playing && this.visible && !this.frame) this.frame = requestAnimationFrame((now) => this.step(now)); }
    step(now) {
      this.frame = 0;
      if (!this.playing || !this.visible) { this.last = 0; return; }
      const dt = Math.min(this.last ? (now - this.last) / 1000 : 0.016, 0.05);
      this.last = now;
      this.act.tick(dt); this.act.draw();
      if (now - this.shown > 400) { this.shown = now; this.speak(now - this.spoken > 12000); }
      this.schedule();
    }
    watch() {
      const redraw = () => { this.readInk(); this.act.draw(); };
      new MutationObserver(redraw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
      new ResizeObserver(redraw).observe(this.panels);
      calm.addEventListener("change", () => { if (calm.matches && this.play) { this.playing = false; this.showPlay(); } });
      new IntersectionObserver((entries) => {
        this.visible = entries[entries.length - 1].isIntersecting;
        this.schedule();
      }).observe(this.live);
    }
  }

  // ---- random numbers: the same still for everybody ----
  function random(seed) { // mulberry32, uniform on (0, 1)
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), state | 1);
      t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
      return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
    };
  }
  function normals(uniform) { // polar method
    let kept = null;
    return () => {
      if (kept !== null) { const value = kept; kept = null; return value; }
      for (;;) {
        const a = 2 * uniform() - 1, b = 2 * uniform() - 1, s = a * a + b * b;
        if (s > 0 && s < 1) { const f = Math.sqrt((-2 * Math.log(s)) / s); kept = b * f; return a * f; }
      }
    };
  }

  Object.assign(sgdescape, {
    brief, superscript, random, normals,
    stage(name, build) {
      for (const root of document.querySelectorAll(`[data-scene="${name}"]`)) new Stage(root, build);
    },
  });
})();
