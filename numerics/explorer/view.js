// What the six charts show.

import { chart, contour, dot, forgetInks, ink, line, pointsOf, polyline, setAxis, upright } from "./charts.js";

const RUN = { colour: "purple", alpha: 0.55, width: 1.1 };
const [ARROWS, LENGTH] = [3, 9]; // an arrow every so many places of the grid, in pixels
const FLOW = { colour: "ink", width: 1.3, dash: [5, 4] };

function keys(name, entries) {
  const key = document.querySelector(`#${name} .key`);
  key.replaceChildren(...entries.map(([text, colour, dash = "solid"]) => {
    const entry = document.createElement("span");
    entry.textContent = text;
    entry.style.setProperty("--colour", `var(--${colour})`);
    entry.style.setProperty("--dash", dash);
    return entry;
  }));
}

export function describe(name, text) {
  document.querySelector(`#${name} canvas`).setAttribute("aria-label", text);
}

export class View {
  constructor() {
    this.curves = null;
    this.point = null;
    this.theory = null;
    this.runs = [];
    this.law = null;
    this.exits = [];
    this.heads = [];
    this.scale = 1;
    this.build();
  }

  // Made anew when the colours change.
  build() {
    forgetInks();
    Object.values(this.charts ?? {}).forEach((made) => made.destroy());
    const strength = { title: "strength μ", symbol: "μ", min: 0, max: 1 };
    const time = { title: "time (1/γ)", symbol: "t", min: 0, max: 1 };
    this.charts = {
      drift: chart("drift", { x: strength, y: { title: "a, b (γ)" }, draw: (made) => this.overDrift(made) }),
      tau: chart("tau", { x: strength, y: { title: "τ (1/γ)", type: "logarithmic" }, draw: (made) => this.overTau(made) }),
      overlap: chart("overlap", { x: time, y: { title: "|m|", min: 0, max: 1.02 }, draw: (made) => this.overPaths(made, (p) => Math.abs(p.m)), tooltip: false }),
      loss: chart("loss", { x: time, y: { title: "loss L" }, draw: (made) => this.overPaths(made, (p) => p.loss), tooltip: false }),
      phase: chart("phase", { x: { title: "overlap m", min: -1, max: 1 }, y: { title: "scale u", min: -1.25, max: 1.25 }, draw: (made) => this.overPhase(made), tooltip: false }),
      law: chart("law", { x: time, y: { title: "share still searching", min: 0, max: 1.02 }, draw: (made) => this.overLaw(made) }),
    };
    keys("drift", [["a", "blue"], ["b", "vermilion", "dashed"]]);
    keys("tau", [["τ", "blue"], ["singular", "green", "dotted"]]);
    keys("overlap", [["run", "purple"], ["flow", "ink", "dashed"]]);
    keys("loss", [["run", "purple"], ["flow", "ink", "dashed"]]);
    keys("phase", [["u̇ = 0", "green"], ["ṁ = 0", "orange", "dashed"], ["run", "purple"]]);
    keys("law", [["law", "blue"], ["runs", "purple"]]);
    if (this.curves) this.showCurves(this.curves);
    if (this.theory) this.showTheory(this.theory);
    if (this.law) this.showLaw(this.law);
  }

  showCurves(curves) {
    this.curves = curves;
    const { drift, tau } = this.charts;
    drift.data.datasets = [
      line("a", pointsOf(curves.mu, curves.a), "blue"),
      line("b", pointsOf(curves.mu, curves.b), "vermilion", { borderDash: [6, 4] }),
    ];
    const sizes = [...curves.a, ...curves.b].map(Math.abs).sort((p, q) => p - q);
    const most = Math.min(sizes[sizes.length - 1], 6 * sizes[Math.floor(0.8 * sizes.length)] || 1);
    const [low, high] = [Math.min(0, ...curves.a, ...curves.b), Math.max(0, ...curves.a, ...curves.b)];
    tau.data.datasets = [line("τ", pointsOf(curves.mu, curves.tau.map((t) => (Number.isFinite(t) ? t : NaN))), "blue")];
    const finite = curves.tau.filter((t) => Number.isFinite(t) && t > 0);
    const least = Math.min(...finite);
    tau.options.scales.y.min = least / 2;
    tau.options.scales.y.max = Math.max(Math.min(Math.max(...finite), 3e3 * least), 20 * least);
    tau.update("none");
    setAxis(drift, "y", "a, b (γ)", 1.1 * Math.max(-most, low), 1.1 * Math.min(most, high));
  }

  // The point at this strength, quickly: nothing is computed but it, nothing laid out.
  showPoint(point) {
    this.point = point;
    this.charts.tau.draw();
    this.charts.drift.draw();
  }

  overDrift(made) {
    if (!this.point) return;
    polyline(made, [[0, 0, true], [1, 0]], { colour: "grey", width: 1 });
    this.markSingularities(made);
    upright(made, this.point.mu, { colour: "soft", width: 1 });
    dot(made, this.point.mu, this.point.a, { colour: "blue" });
    dot(made, this.point.mu, this.point.b, { colour: "vermilion" });
  }

  overTau(made) {
    if (!this.point) return;
    this.markSingularities(made);
    upright(made, this.point.mu, { colour: "soft", width: 1 });
    dot(made, this.point.mu, this.point.tau, { colour: "blue" });
  }

  markSingularities(made) {
    for (const zero of this.curves?.singular.zeros ?? []) {
      upright(made, zero.mu, { colour: zero.diverges ? "green" : "grey", width: 1.4, dash: [2, 3] });
    }
  }

  showTheory(theory) {
    this.theory = theory;
    const { rates, overlaps, count, span } = theory.phase;
    theory.nullclines = { u: contour(rates, count, span), m: contour(overlaps, count, span) };
    for (const name of ["overlap", "loss", "law"]) {
      setAxis(this.charts[name], "x", this.scale === 1 ? "time (1/γ)" : "samples", 0, theory.horizon * this.scale);
    }
    const losses = theory.flow.map((p) => p.loss);
    const [low, high] = losses.length ? [Math.min(...losses), Math.max(...losses)] : [0, 1];
    const room = Math.max((high - low) * 0.25, Math.abs(high) * 0.1, 1e-9);
    setAxis(this.charts.loss, "y", "loss L", low >= 0 ? Math.max(0, low - room) : low - room, high + room);
    this.charts.phase.draw();
  }

  overPhase(made) {
    if (!this.theory) return;
    const { nullclines, phase: { rates, overlaps, count, span }, flow } = this.theory;
    arrows(made, { rates, overlaps, count, span });
    polyline(made, nullclines.m, { colour: "orange", dash: [6, 4] });
    polyline(made, nullclines.u, { colour: "green" });
    polyline(made, flow.map((p, i) => [p.m, p.u, i === 0]), FLOW);
    for (const run of this.runs) polyline(made, run.map((p, i) => [p.m, p.u, i === 0]), { ...RUN, width: 1.3 });
    for (const head of this.heads) dot(made, head.m, head.u, { colour: "purple", radius: 3.5 });
    for (const side of [1, -1]) dot(made, side, side * (1 - (this.point?.mu ?? 0)), { colour: "ink", radius: 5 });
  }

  overPaths(made, value) {
    for (const run of this.runs) polyline(made, run.map((p, i) => [p.t * this.scale, value(p), i === 0]), RUN);
    if (this.theory) polyline(made, this.theory.flow.map((p, i) => [p.t * this.scale, value(p), i === 0]), FLOW);
  }

  showLaw(law) {
    this.law = law;
    const times = Array.from({ length: 161 }, (_, i) => (law.horizon * i) / 160);
    this.charts.law.data.datasets = law.searching
      ? [line("share", times.map((t) => ({ x: t * this.scale, y: law.searching(t) })), "blue")] : [];
    this.charts.law.update("none");
  }

  overLaw(made) {
    const count = this.exits.length;
    if (!count || !this.runs.length) return;
    const left = this.exits.filter((t) => t !== null).sort((p, q) => p - q);
    const seen = Math.max(0, ...this.heads.map((head) => head.t));
    const steps = left.flatMap((t, i) => [[t * this.scale, 1 - i / count], [t * this.scale, 1 - (i + 1) / count]]);
    polyline(made, [[0, 1, true], ...steps, [seen * this.scale, 1 - left.length / count]], { colour: "purple", width: 1.5 });
  }

  clearRuns(count) {
    this.runs = Array.from({ length: count }, () => []);
    this.exits = [];
    this.heads = [];
  }

  showRuns({ records, exits, heads }) {
    this.heads = heads;
    for (const record of records) this.runs[record.k]?.push(record);
    this.exits = exits;
    for (const name of ["phase", "overlap", "loss", "law"]) this.charts[name].draw();
  }
}

// Directions of the flow, all of one length and in one stroke.
function arrows({ ctx, scales: { x, y } }, { rates, overlaps, count, span }) {
  ctx.save();
  ctx.strokeStyle = ink("grey");
  ctx.globalAlpha = 0.6;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (let i = 2; i < count; i += ARROWS) {
    for (let j = 2; j < count; j += ARROWS) {
      const [h, v] = [x.getPixelForValue((2 * j) / (count - 1) - 1), y.getPixelForValue(span * ((2 * i) / (count - 1) - 1))];
      const [along, up] = [overlaps[j * count + i] * x.width, (-rates[j * count + i] / span) * y.height];
      const size = Math.hypot(along, up);
      if (size > 0) arrow(ctx, h, v, along / size, up / size);
    }
  }
  ctx.stroke();
  ctx.restore();
}

function arrow(ctx, h, v, dx, dy) {
  const [x, y] = [h + (LENGTH / 2) * dx, v + (LENGTH / 2) * dy];
  ctx.moveTo(h - (LENGTH / 2) * dx, v - (LENGTH / 2) * dy);
  ctx.lineTo(x, y);
  ctx.moveTo(x - 3.2 * dx + 2 * dy, y - 3.2 * dy - 2 * dx);
  ctx.lineTo(x, y);
  ctx.lineTo(x - 3.2 * dx - 2 * dy, y - 3.2 * dy + 2 * dx);
}
