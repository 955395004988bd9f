// What runs beside the page: the theory at a point, and runs of SGD. One job at a time; a new one
// of its kind ends the one before.

import { curve, drift, rateOf, singularities, strengths } from "./drift.js";
import { exitConstant, path, portrait, velocity } from "./flow.js";
import { noise } from "./exit.js";
import { MOTION } from "./formulas.js";
import { roughly } from "./landscape.js";
import { pairOf } from "./pair.js";
import { Replica } from "./sgd.js";

const POINTS = 240; // of curves over μ
const GRID = 41; // of the phase portrait
const SPAN = 1.25; // of u in it
export const RECORDS = 160; // of a run
const LEAST = 1e-4; // of λ against |b|: where it is less, the search is only begun
const BUDGET = 12; // milliseconds of work between two messages
const PORTION = 20000; // steps between two looks at the clock
const FRAMES = 150; // that a run is spread over at least

function lossAt(pair, mu, [u, m, kappa]) {
  const nu = pair.nu(mu);
  const { loss } = roughly(pair, ...MOTION.place(mu, nu, u, m, kappa));
  return loss;
}

export function curvesOf(texts) {
  const pair = pairOf(texts);
  const found = curve(pair, strengths(POINTS));
  return { ...found, singular: singularities(pair, found) };
}

// The flow from a typical start, on the side of the growing direction.
function flowPath(pair, mu, { a, e }, dimension, horizon) {
  const size = 1 / Math.sqrt(dimension);
  const start = [size, Math.sign(a || 1) * 0.67 * size, pair.nu(mu) ? Math.sign(e) * 0.67 * size : 0];
  const found = path((state) => velocity(pair, mu, state), start, horizon, { scale: size, least: 150 }) ?? [];
  const stride = Math.max(1, Math.floor(found.length / 200));
  return found.filter((_, i) => i % stride === 0 || i === found.length - 1)
    .map(({ t, state }) => ({ t, u: state[0], m: state[1], loss: lossAt(pair, mu, state) }));
}

// How long to watch: until most runs have left, and learnt what follows.
export function horizonOf({ rate, b }, dimension) {
  return rate > LEAST * Math.abs(b) ? (1.4 * Math.log(dimension)) / rate : 400 / Math.abs(b || 1);
}

export function theoryOf(texts, mu, dimension) {
  const pair = pairOf(texts);
  const point = drift(pair, mu);
  const rate = rateOf(point);
  const horizon = horizonOf({ rate, b: point.b }, dimension);
  const constant = rate > LEAST * Math.abs(point.b) ? exitConstant(pair, mu, point, rate) : { value: NaN, error: NaN };
  return {
    noise: noise(pair, mu),
    constant,
    horizon,
    phase: portrait(pair, mu, SPAN, GRID),
    flow: flowPath(pair, mu, point, dimension, horizon),
    sure: pair.closed.landscape ? "exact" : "heuristic",
  };
}

// Runs, frame by frame.
class Simulation {
  constructor({ texts, law, runs, seed, horizon, paced }) {
    Object.assign(this, { law, pair: pairOf(texts), target: 0, made: 0, worked: 0 });
    this.replicas = Array.from({ length: runs }, (_, k) => new Replica(law, seed, k));
    this.last = Math.ceil(horizon / law.rate);
    this.stride = Math.max(1, Math.ceil(this.last / RECORDS));
    this.least = paced ? Math.ceil(this.last / FRAMES) : this.last;
  }

  place({ u, m, kappa, step }, k) { return { k, t: step * this.law.rate, u, m, kappa }; }

  recorded() {
    return this.replicas.map((replica, k) => {
      const { kappa, ...place } = this.place(replica, k);
      return { ...place, loss: lossAt(this.pair, this.law.mu, [place.u, place.m, kappa]) };
    });
  }

  // Go on for a frame: for so long, and not further than it may.
  frame() {
    const records = this.target === 0 ? this.recorded() : [];
    const [begin, end] = [performance.now(), Math.min(this.target + this.least, this.last)];
    while (this.target < end && performance.now() - begin < BUDGET) {
      const due = (Math.floor(this.target / this.stride) + 1) * this.stride;
      const count = Math.min(due, end, this.target + PORTION) - this.target;
      const before = performance.now();
      for (const replica of this.replicas) replica.advance(this.pair, this.law, count);
      this.worked += performance.now() - before;
      this.made += count * this.replicas.length;
      this.target += count;
      if (this.target === due || this.target === this.last) records.push(...this.recorded());
    }
    return {
      records,
      heads: this.replicas.map((replica, k) => this.place(replica, k)),
      exits: this.replicas.map((r) => (r.exit < 0 ? null : r.exit * this.law.rate)),
      done: this.target / this.last,
      speed: (1000 * this.made) / Math.max(this.worked, 0.01),
      finished: this.target >= this.last,
    };
  }
}

// Answer messages, where this runs as a worker.
export function serve(scope) {
  let current = 0;
  const answers = {
    curves: ({ texts }) => ({ curves: curvesOf(texts) }),
    theory: ({ texts, mu, dimension }) => ({ theory: theoryOf(texts, mu, dimension) }),
  };
  scope.onmessage = ({ data }) => {
    if (data.kind === "stop") current = 0;
    else if (data.kind === "runs") {
      current = data.id;
      const simulation = new Simulation(data);
      const tick = () => {
        if (current !== data.id) return;
        const frame = simulation.frame();
        scope.postMessage({ kind: "runs", id: data.id, ...frame });
        if (!frame.finished) setTimeout(tick, data.paced ? 4 : 0);
      };
      tick();
    } else scope.postMessage({ kind: data.kind, id: data.id, ...answers[data.kind](data) });
  };
}
