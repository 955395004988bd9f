// Gaussian means by Gauss-Legendre rules on pieces between breakpoints, halved until they agree.

import { density } from "./special.js";

export const REACH = 13; // standard deviations; e^(-13²/2) is 2e-37
const [BEYOND, FARTHEST] = [6, 38]; // of a breakpoint; where the density underflows
const DEEPEST = 12;
const TOLERANCE = 1e-12; // of a rule against two of half the width, which are much closer still

// Nodes and weights on [-1, 1], by Newton's rule on Legendre polynomials.
export function legendre(count) {
  const [nodes, weights] = [new Float64Array(count), new Float64Array(count)];
  for (let i = 0; i < count; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (count + 0.5));
    for (let k = 0; k < 100; k++) {
      const [value, slope] = legendreAt(count, x);
      const step = value / slope;
      x -= step;
      if (Math.abs(step) < 1e-16) break;
    }
    const [, slope] = legendreAt(count, x);
    [nodes[i], weights[i]] = [x, 2 / ((1 - x * x) * slope * slope)];
  }
  return { nodes, weights };
}

function legendreAt(n, x) {
  let [before, now] = [1, x];
  for (let k = 2; k <= n; k++) [before, now] = [now, ((2 * k - 1) * x * now - (k - 1) * before) / k];
  return [now, (n * (x * now - before)) / (x * x - 1)];
}

const RULE = legendre(20);

// Integrals of several functions at once, each summed with the Gaussian density.
function panel(functions, low, high) {
  const [middle, half] = [(low + high) / 2, (high - low) / 2];
  const totals = new Float64Array(functions.size);
  for (let i = 0; i < RULE.nodes.length; i++) {
    const x = middle + half * RULE.nodes[i];
    functions.add(totals, x, half * RULE.weights[i] * density(x));
  }
  return totals;
}

function refined(functions, low, high, whole, scale, depth) {
  const middle = (low + high) / 2;
  const [left, right] = [panel(functions, low, middle), panel(functions, middle, high)];
  const both = left.map((value, k) => value + right[k]);
  const apart = both.reduce((most, value, k) => Math.max(most, Math.abs(value - whole[k]) / (scale[k] || 1)), 0);
  if (apart < TOLERANCE || depth === 0) return both;
  const [a, b] = [refined(functions, low, middle, left, scale, depth - 1), refined(functions, middle, high, right, scale, depth - 1)];
  return a.map((value, k) => value + b[k]);
}

// Means under the standard normal of `size` functions, smooth between breaks, whose values at x
// times a weight `add` adds to an array.
export function means(size, add, breaks = []) {
  const functions = { size, add };
  const far = Math.max(0, ...breaks.map(Math.abs).filter((p) => p < FARTHEST));
  const reach = Math.max(REACH, Math.min(far + BEYOND, FARTHEST));
  const inside = breaks.filter((p) => Math.abs(p) < reach);
  const ends = [...new Set([-reach, -4, 0, 4, reach, ...inside])].sort((a, b) => a - b);
  const parts = ends.slice(1).map((high, i) => panel(functions, ends[i], high));
  const scale = new Float64Array(size);
  for (const part of parts) part.forEach((value, k) => { scale[k] += Math.abs(value); });
  const totals = new Float64Array(size);
  ends.slice(1).forEach((high, i) => {
    const found = refined(functions, ends[i], high, parts[i], scale, DEEPEST);
    found.forEach((value, k) => { totals[k] += value; });
  });
  return totals;
}
