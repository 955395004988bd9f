// Charts by Chart.js: their common look, and what is drawn over them.

import { raised, shown } from "./numbers.js";

const WIDTH = 54; // of every vertical axis, so that charts above each other are aligned
const FONT = { family: 'system-ui, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif', size: 11 };

const inks = new Map(); // asking for a style is dear where hundreds of arrows do

export function ink(name) {
  if (!inks.has(name)) inks.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  return inks.get(name);
}

export const forgetInks = () => inks.clear();

function tick(value, index, ticks) {
  if (this.type !== "logarithmic") return shown(value / 10 ** (this.options.power ?? 0), 3);
  const power = Math.log10(value);
  const decades = Math.log10(this.max / this.min);
  if (Math.abs(power - Math.round(power)) < 1e-9) {
    return Math.abs(power) < 4 ? shown(value) : `10${raised(Math.round(power))}`;
  }
  const leading = Math.round(value / 10 ** Math.floor(power + 1e-9));
  return decades < 2.2 && [2, 5].includes(leading) && ticks.length ? shown(value) : null;
}

// Set the ends of an axis; a common power of ten of its numbers goes into its title.
export function setAxis(made, name, title, min, max) {
  const exponent = Math.floor(Math.log10(Math.max(Math.abs(min), Math.abs(max), 1e-300)) + 1e-9);
  const power = exponent > 3 || exponent < -2 ? exponent : 0;
  const options = made.options.scales[name];
  Object.assign(options, { min, max, power });
  options.title.text = power ? `${title}, in 10${raised(power)}` : title;
  made.update("none");
}

function axis({ title, symbol, ...given }) {
  return {
    type: "linear",
    title: { display: true, text: title, font: FONT, color: ink("soft"), padding: 2 },
    grid: { color: ink("grid"), drawTicks: false },
    border: { color: ink("line") },
    ticks: { font: FONT, color: ink("soft"), callback: tick, maxRotation: 0, padding: 4, autoSkipPadding: 12, includeBounds: false, maxTicksLimit: 7 },
    ...given,
  };
}

// A chart in the figure of a name. `draw` draws over it, `x` and `y` are its axes.
export function chart(name, { x, y, draw, tooltip = true }) {
  const canvas = document.querySelector(`#${name} canvas`);
  const over = { id: "over", afterDatasetsDraw: (made) => draw?.(made, made.ctx) };
  return new Chart(canvas, {
    type: "line",
    data: { datasets: [] },
    plugins: [over],
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      parsing: false,
      normalized: true,
      interaction: { mode: "index", intersect: false, axis: "x" },
      events: tooltip ? ["mousemove", "mouseout", "touchstart"] : [],
      elements: { point: { radius: 0, hitRadius: 0, hoverRadius: 0 }, line: { borderWidth: 1.8, borderJoinStyle: "round" } },
      layout: { padding: { top: 6, right: 8 } },
      scales: {
        x: axis(x),
        y: axis({ ...y, afterFit: (scale) => { scale.width = WIDTH; } }),
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          enabled: tooltip,
          displayColors: false,
          animation: false,
          filter: (item) => Boolean(item.dataset.label),
          callbacks: {
            title: (items) => (items.length ? `${x.symbol} = ${shown(items[0].parsed.x)}` : ""),
            label: (item) => `${item.dataset.label} = ${shown(item.parsed.y)}`,
          },
        },
      },
    },
  });
}

export const line = (label, data, colour, more = {}) => ({ label, data, borderColor: ink(colour), backgroundColor: ink(colour), ...more });
export const pointsOf = (xs, ys) => Array.from(xs, (x, i) => ({ x, y: ys[i] }));

// Drawing in the units of the axes.

export function polyline(made, points, { colour, width = 1.5, dash = [], alpha = 1 }) {
  const { ctx, scales: { x, y } } = made;
  clipped(made, () => {
    ctx.globalAlpha = alpha;
    ctx.strokeStyle = ink(colour);
    ctx.lineWidth = width;
    ctx.setLineDash(dash);
    ctx.lineJoin = "round";
    ctx.beginPath();
    for (const [px, py, moved] of points) {
      const [h, v] = [x.getPixelForValue(px), y.getPixelForValue(py)];
      if (moved) ctx.moveTo(h, v); else ctx.lineTo(h, v);
    }
    ctx.stroke();
  });
}

export function upright(made, at, style) {
  const { min, max } = made.scales.y;
  polyline(made, [[at, min, true], [at, max]], style);
}

export function dot(made, px, py, { colour, radius = 4, hollow = false }) {
  const { ctx, scales: { x, y } } = made;
  if (!(py >= y.min && py <= y.max)) return;
  ctx.save();
  ctx.beginPath();
  ctx.arc(x.getPixelForValue(px), y.getPixelForValue(py), radius, 0, 2 * Math.PI);
  ctx.fillStyle = hollow ? ink("paper") : ink(colour);
  ctx.strokeStyle = hollow ? ink(colour) : ink("paper");
  ctx.lineWidth = 1.5;
  ctx.fill();
  ctx.stroke();
  ctx.restore();
}

function clipped(made, action) {
  const { ctx, chartArea: { left, top, width, height } } = made;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  action();
  ctx.restore();
}

// The zero set of values on a square grid of [-1, 1] × [-span, span], as pairs of points.
export function contour(values, count, span) {
  const found = [];
  const at = (i, j) => [(2 * j) / (count - 1) - 1, span * ((2 * i) / (count - 1) - 1)];
  const value = (i, j) => values[j * count + i] || 1e-300;
  for (let i = 0; i + 1 < count; i++) {
    for (let j = 0; j + 1 < count; j++) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
      const cuts = [];
      corners.forEach((corner, k) => {
        const next = corners[(k + 1) % 4];
        const [f, g] = [value(...corner), value(...next)];
        if (f * g < 0) {
          const [p, q] = [at(...corner), at(...next)];
          const share = f / (f - g);
          cuts.push([p[0] + share * (q[0] - p[0]), p[1] + share * (q[1] - p[1])]);
        }
      });
      for (let k = 0; k + 1 < cuts.length; k += 2) found.push([...cuts[k], true], cuts[k + 1]);
    }
  }
  return found;
}
