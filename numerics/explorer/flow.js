// The gradient flow of the order parameters (91), its phase portrait, and the constant of the exit.

import { MOTION } from "./formulas.js";
import { roughly } from "./landscape.js";
import { EXIT_RADIUS } from "./sgd.js";

const INSIDE = 0.999; // of the overlaps ±1, where ṁ is zero throughout
const TOLERANCE = 1e-7;
const MOST_STEPS = 40000;
// Dormand and Prince's rule of order 5 and the weights of its error.
const NODES = [
  [1 / 5], [3 / 40, 9 / 40], [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
];
const ERRORS = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];

// The velocity of (u, m, κ): for the direction, the gradient's part on the sphere.
export function velocity(pair, mu, [u, m, kappa]) {
  const nu = pair.nu(mu);
  const [rho, s] = MOTION.place(mu, nu, u, m, kappa);
  const { a, b } = roughly(pair, rho, s);
  const [byU, byM, byKappa] = MOTION.forces(mu, nu, u, m, kappa, a, b);
  const radial = m * byM + kappa * byKappa;
  return nu ? [byU, byM - m * radial, byKappa - kappa * radial] : [byU, byM - m * radial, 0];
}

function stepped(f, state, first, h) {
  const slopes = [first];
  let next = state;
  for (const weights of NODES) {
    next = state.map((x, i) => x + h * weights.reduce((total, w, k) => total + w * slopes[k][i], 0));
    slopes.push(f(next));
  }
  const error = state.map((_, i) => h * ERRORS.reduce((total, w, k) => total + w * slopes[k][i], 0));
  return { next, slope: slopes[6], error };
}

// The path from a state up to a time, or until `done`, in a number of steps at least; null if it
// takes too many.
export function path(f, start, horizon, { done = () => false, scale = 1, least = 1 }) {
  const found = [{ t: 0, state: start }];
  let [t, state, slope, h] = [0, start, f(start), horizon / 1000];
  for (let k = 0; k < MOST_STEPS && t < horizon; k++) {
    h = Math.min(h, horizon / least, horizon - t);
    const { next, slope: after, error } = stepped(f, state, slope, h);
    const size = Math.max(...error.map((e, i) => Math.abs(e) / (TOLERANCE * (scale + Math.abs(next[i])))));
    if (!Number.isFinite(size)) return null;
    if (size <= 1) {
      if (done(next)) return [...found, ...last(f, state, slope, h, t, done)];
      [t, state, slope] = [t + h, next, after];
      found.push({ t, state });
    }
    h *= Math.min(5, Math.max(0.2, 0.9 * size ** -0.2));
  }
  return t < horizon ? null : found;
}

// The place in a step at which `done` begins to hold.
function last(f, state, slope, h, t, done) {
  let [low, high] = [0, h];
  for (let k = 0; k < 50; k++) {
    const middle = (low + high) / 2;
    if (done(stepped(f, state, slope, middle).next)) high = middle; else low = middle;
  }
  return [{ t: t + high, state: stepped(f, state, slope, high).next }];
}

// log K = lim (λ T_R(ε v) + log ε), by shooting from two ε along the growing direction.
export function exitConstant(pair, mu, { a, e }, rate) {
  const f = (state) => velocity(pair, mu, state);
  const size = Math.hypot(rate, a, e);
  const direction = [rate, a, e].map((x) => x / size);
  const radius = (state) => Math.hypot(...state) >= EXIT_RADIUS;
  const [one, two] = [1e-3, 1e-4].map((share) => {
    const epsilon = EXIT_RADIUS * share;
    const horizon = (Math.log(EXIT_RADIUS / epsilon) + 30) / rate;
    const found = path(f, direction.map((x) => x * epsilon), horizon, { done: radius, scale: epsilon });
    const end = found && found[found.length - 1];
    return end && radius(end.state) ? rate * end.t + Math.log(epsilon) : NaN;
  });
  return { value: two, error: Math.abs(two - one) + 1e-5 };
}

// u̇ and ṁ on a grid of (u, m), which is odd: half of it is computed.
export function portrait(pair, mu, span, count) {
  const [rates, overlaps] = [new Float64Array(count * count), new Float64Array(count * count)];
  for (let k = 0; k <= (count * count - 1) / 2; k++) {
    const u = span * ((2 * (k % count)) / (count - 1) - 1);
    const m = INSIDE * ((2 * Math.floor(k / count)) / (count - 1) - 1);
    const [du, dm] = velocity(pair, mu, [u, m, 0]);
    [rates[k], overlaps[k]] = [du, dm];
    [rates[count * count - 1 - k], overlaps[count * count - 1 - k]] = [-du, -dm];
  }
  return { span, count, rates, overlaps };
}
