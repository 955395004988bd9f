// The drift coefficients a and b, the escape time τ (57)-(61), and where it diverges.
//
// A closed form is the sum of its terms where these do not cancel; elsewhere, and for all other
// pairs, the mean is integrated.

import { MOTION } from "./formulas.js";
import { means } from "./quadrature.js";
import { slopesAt } from "./landscape.js";
import { density } from "./special.js";

const MOST_CANCELLATION = 1000;

// The value of a closed form, or null where it cannot be trusted.
function trusted(terms) {
  let [total, size] = [0, 0];
  for (const term of terms) {
    total += term;
    size += Math.abs(term);
  }
  return size <= MOST_CANCELLATION * Math.abs(total) && Number.isFinite(size) ? total : null;
}

// a = E (y - σ) z σ'(μz) and b = E (y - σ) σ''(μz) - E σ'², with σ'' a δ at every kink.
export function integrated(pair, mu) {
  const { label, sigma, slope, curvature, square } = pair;
  const add = (totals, z, weight) => {
    const x = mu * z;
    const bend = slope(x);
    const error = square ? label(z) - sigma(x) : label(z);
    totals[0] += weight * error * z * bend;
    totals[1] += weight * (error * curvature(x) - (square ? bend * bend : 0));
  };
  const moving = pair.breaks.map((p) => p / mu);
  const [a, b] = means(2, add, [...pair.labelBreaks, ...moving]);
  const kinks = pair.kinks.reduce((total, [p, weight]) => {
    const z = p / mu;
    return total + (weight * (label(z) - (square ? sigma(p) : 0)) * density(z)) / mu;
  }, 0);
  return { a, b: b + kinks, sure: "heuristic" };
}

export function drift(pair, mu) {
  const nu = pair.nu(mu);
  if (nu > 0) {
    const { a, b, sure } = slopesAt(pair, mu, nu * nu);
    return { a, b, e: nu * b, sure };
  }
  const a = pair.closed.a ? trusted(pair.closed.a(mu)) : null;
  const b = pair.closed.b ? trusted(pair.closed.b(mu)) : null;
  if (a !== null && b !== null) return { a, b, e: 0, sure: "exact" };
  const other = integrated(pair, mu);
  return { a: a ?? other.a, b: b ?? other.b, e: 0, sure: other.sure };
}

// λ₊ (59), without cancellation where b is negative.
export function rateOf({ a, b, e }) {
  const [growing, falling] = MOTION.eigenvalues(a, b, e);
  return b > 0 ? growing : -(a * a + e * e) / falling || 0;
}

export const strengths = (count) => Float64Array.from({ length: count }, (_, k) => (k + 0.5) / count);

// a, b, τ over strengths, and what is least sure among them.
export function curve(pair, mus) {
  const points = Array.from(mus, (mu) => drift(pair, mu));
  return {
    mu: Array.from(mus),
    a: points.map((p) => p.a),
    b: points.map((p) => p.b),
    tau: points.map((p) => 1 / rateOf(p)),
    sure: points.every((p) => p.sure === "exact") ? "exact" : "heuristic",
  };
}

// Strengths at which τ diverges or a vanishes: certified ones, or changes of sign, which are found.
export function singularities(pair, found) {
  if (pair.certified) return { zeros: pair.certified.map((s) => ({ ...s, mu: Number(s.mu), digits: s.mu })), sure: "certified" };
  if (!pair.aligned) return { zeros: [], sure: "heuristic" };
  const zeros = [];
  for (let i = 1; i < found.mu.length; i++) {
    if (found.a[i - 1] * found.a[i] < 0) {
      const mu = bisected((x) => drift(pair, x).a, found.mu[i - 1], found.mu[i]);
      const { b } = drift(pair, mu);
      zeros.push({ mu, digits: mu.toPrecision(8), b, diverges: b <= 0 });
    }
  }
  return { zeros, sure: "heuristic" };
}

function bisected(f, low, high) {
  const sign = Math.sign(f(low));
  for (let k = 0; k < 50; k++) {
    const middle = (low + high) / 2;
    if (Math.sign(f(middle)) === sign) low = middle; else high = middle;
  }
  return (low + high) / 2;
}
