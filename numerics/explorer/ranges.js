// What values an expression takes on an interval, where it is zero, how fast it grows.
//
// The same questions as derive.ranges, derive.composition and derive.growth ask, answered in
// doubles: what is proved there is looked at here.

import { NotFound, add, asRational, compiled, hasX, isPolynomial, keyOf, negative, polynomial, slope, source, valueOf } from "./expression.js";
import { Rational, ZERO, near, remainder, valueAt } from "./rational.js";

const HUGE = 1000;
const TINY = 1e-12;
const RISING = {
  exp: [Math.exp, 0, Infinity], tanh: [Math.tanh, -1, 1], atan: [Math.atan, -11 / 7, 11 / 7],
  erf: [(x) => NAMED("erf", x), -1, 1], Softplus: [(x) => NAMED("Softplus", x), 0, Infinity],
};
const NAMED = (name, x) => compiled(`${name}(x)`)(x);
const INVERSES = {
  exp: Math.log, tanh: Math.atanh, Softplus: (y) => Math.log(Math.expm1(y)),
  atan: (y) => (Math.abs(y) < Math.PI / 2 ? Math.tan(y) : NaN),
};

export const horner = (c, x) => c.reduceRight((total, a) => total * x + a, 0);
const doubles = (poly) => poly.map((c) => c.value);

// Real zeros of a polynomial of doubles inside an interval: between those of its slope.
export function rootsOf(c, low, high) {
  if (c.length < 2) return [];
  const bound = 1 + Math.max(...c.slice(0, -1).map((a) => Math.abs(a / c[c.length - 1])));
  const ends = [Math.max(low, -bound), ...rootsOf(c.slice(1).map((a, k) => a * (k + 1)), low, high), Math.min(high, bound)];
  const found = [];
  for (let i = 0; i + 1 < ends.length; i++) {
    let [a, b] = [ends[i], ends[i + 1]];
    const sign = Math.sign(horner(c, a));
    const scale = c.reduce((total, k, n) => total + Math.abs(k) * Math.abs(b) ** n, 0);
    if (Math.abs(horner(c, b)) <= 1e-14 * scale && b < high) found.push(b);
    else if (sign && sign === -Math.sign(horner(c, b))) {
      for (let k = 0; k < 200 && a < b; k++) {
        const middle = (a + b) / 2;
        if (middle === a || middle === b) break;
        if (Math.sign(horner(c, middle)) === sign) a = middle; else b = middle;
      }
      found.push((a + b) / 2);
    }
  }
  return found.filter((x, i) => x > low && x < high && (i === 0 || x - found[i - 1] > TINY));
}

// Bounds on an interval; they may be wide.
export function rangeOf(node, low = -Infinity, high = Infinity) {
  if (node.kind === "sum") return ofSum(node, low, high);
  if (!hasX(node)) { const value = compiled(source(node))(0); return [value, value]; }
  if (node.kind === "product") return node.factors.map(([base, e]) => ofPower(rangeOf(base, low, high), e)).reduce(times);
  const inner = rangeOf(node.argument, low, high);
  if (node.name === "sin" || node.name === "cos") return [-1, 1];
  if (node.name === "log") return [inner[0] > 0 ? Math.log(inner[0]) : -Infinity, Math.log(inner[1])];
  const [f, least, greatest] = RISING[node.name];
  let bounds = [least, greatest];
  if (-HUGE < inner[0] && inner[0] < HUGE) bounds[0] = Math.max(least, f(inner[0]));
  if (-HUGE < inner[1] && inner[1] < HUGE) bounds[1] = Math.min(greatest, f(inner[1]));
  return bounds;
}

function ofSum(f, low, high) {
  const parts = f.poly.length ? [ofPolynomial(doubles(f.poly), low, high)] : [];
  const exponentials = new Map();
  for (const [c, node] of f.terms) {
    if (node.kind === "call" && node.name === "exp" && c.p > 0n) exponentials.set(keyOf(node.argument), [c.value, node]);
    else parts.push(times([c.value, c.value], rangeOf(node, low, high)));
  }
  for (const [key, [factor, node]] of exponentials) {
    let bounds = times([factor, factor], rangeOf(node, low, high));
    const mirrored = keyOf(negative(node.argument));
    const other = exponentials.get(mirrored);
    if (other && key !== mirrored) { // e^y and e^-y: the mean of both is at least 1
      exponentials.delete(mirrored);
      const more = times([other[0], other[0]], rangeOf(other[1], low, high));
      bounds = [Math.max(bounds[0] + more[0], 2 * Math.sqrt(factor * other[0])), bounds[1] + more[1]];
    }
    parts.push(bounds);
  }
  return parts.reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
}

function ofPolynomial(c, low, high) {
  const at = (x) => (Number.isFinite(x) ? horner(c, x)
    : c.length < 2 ? c[0] ?? 0 : Math.sign(c[c.length - 1]) * (x > 0 || c.length % 2 ? Infinity : -Infinity));
  const values = [low, high, ...rootsOf(c.slice(1).map((a, k) => a * (k + 1)), low, high)].map(at);
  return [Math.min(...values), Math.max(...values)];
}

function times([a, b], [c, d]) {
  const ends = [a, b].flatMap((x) => [c, d].map((y) => (x === 0 || y === 0 ? 0 : x * y)));
  return [Math.min(...ends), Math.max(...ends)];
}

function ofPower([low, high], e) {
  if (e < 0) {
    const [below, above] = ofPower([low, high], -e);
    if (below > TINY || above < -TINY) return [1 / above, 1 / below];
    return below >= 0 ? [1 / above, Infinity] : [-Infinity, Infinity];
  }
  if (!Number.isInteger(e)) return low < 0 ? [-Infinity, Infinity] : [low ** e, high ** e];
  const ends = [low ** e, high ** e].sort((a, b) => a - b);
  return e % 2 === 0 && low < 0 && high > 0 ? [0, ends[1]] : ends;
}

// 1 or -1 if an expression stays away from 0 on an interval, else 0.
export function keepsSign(f, low, high) {
  const [least, greatest] = rangeOf(f, low, high);
  return (least > TINY) - (greatest < -TINY);
}

// The sign in an open interval of a function without zeros there.
export function signInside(f, low, high) {
  const inside = Number.isFinite(low) ? (Number.isFinite(high) ? (low + high) / 2 : Math.floor(low) + 2)
    : Number.isFinite(high) ? Math.floor(high) - 1 : 0;
  const value = hasX(f) ? compiled(source(f))(inside) : valueOf(f);
  return Math.abs(value) < 1e-14 ? 0 : Math.sign(value);
}

// All zeros in an open interval, where they are found as exactly as derive.composition finds them.
export function zerosOf(f, low, high) {
  if (!hasX(f) || keepsSign(f, low, high)) return [];
  const inside = (x) => x > low + TINY && x < high - TINY;
  return [...new Set(candidates(f, low, high).filter(inside))].sort((a, b) => a - b);
}

function candidates(f, low, high) {
  if (isPolynomial(f)) return ofLowDegree(f.poly, low, high);
  const offset = f.poly.length === 1 ? f.poly[0].value : 0;
  const fixed = f.terms.filter(([, t]) => !hasX(t));
  const moving = f.terms.filter(([, t]) => hasX(t));
  const level = -(offset + fixed.reduce((total, [c, t]) => total + c.value * compiled(source(t))(0), 0));
  if (f.poly.length <= 1 && moving.length === 1) {
    const [[c, node]] = moving;
    if (level === 0 && node.kind === "product") {
      return node.factors.flatMap(([base, e]) => (e > 0 ? zerosOf(asItself(base), low, high) : []));
    }
    if (node.kind === "call" && INVERSES[node.name]) {
      const value = INVERSES[node.name](level / c.value);
      return Number.isFinite(value) ? zerosOf(minus(node.argument, value), low, high) : [];
    }
  }
  if (f.poly.length === 2 && moving.length === 0) return [(level) / f.poly[1].value];
  const [least, greatest] = rangeOf(slope(f), low, high);
  if ((least >= 0 || greatest <= 0) && Math.abs(compiled(source(f))(0)) < 1e-15) return [0];
  throw new NotFound("where it is 0 is not found exactly: give another function");
}

const asItself = (node) => (node.kind === "sum" ? node : { kind: "sum", poly: [], terms: [[Rational.of(1), node]] });

const minus = (f, value) => add(f, polynomial([asRational(-value)]));

// Zeros that are rational or in a quadratic field; others are refused.
function ofLowDegree(poly, low, high) {
  const c = doubles(poly);
  const roots = rootsOf(c, low, high).concat(c[0] === 0 && low < 0 && high > 0 ? [0] : []);
  if (poly.length <= 3) return roots;
  for (const x of roots) {
    const rational = near(x);
    if (rational && valueAt(poly, rational).isZero) continue;
    if (!inQuadraticField(poly, x)) throw new NotFound("it breaks at a zero of higher degree: breakpoints are rational numbers and square roots");
  }
  return [...new Set(roots)];
}

// Whether x is a zero of a quadratic factor with rational coefficients.
function inQuadraticField(poly, x) {
  return rootsOf(doubles(poly), -Infinity, Infinity).some((other) => {
    const [sum, prod] = [near(x + other), near(x * other)];
    return other !== x && sum && prod && remainder(poly, [prod, sum.negative(), Rational.of(1)]).length === 0;
  });
}

// The rate r of growth as e^(r x²) of a function on an interval; Infinity if none is known.
export function rateOf(node, low = -Infinity, high = Infinity) {
  if (!hasX(node)) return 0;
  if (node.kind === "sum") return Math.max(0, ...node.terms.map(([, t]) => rateOf(t, low, high)));
  if (node.kind === "product") {
    return node.factors.reduce((total, [base, e]) => {
      const rate = rateOf(base, low, high);
      return total + (e > 0 ? e * (e === 1 ? rate : Math.max(0, rate)) : 0);
    }, 0);
  }
  if (node.name !== "exp") return 0;
  const { argument } = node;
  if (isPolynomial(argument) && argument.poly.length <= 3) {
    const rate = (argument.poly[2] ?? ZERO).value;
    return Number.isFinite(low) && Number.isFinite(high) ? 0 : rate;
  }
  if (rangeOf(argument, low, high)[1] < Infinity || (Number.isFinite(low) && Number.isFinite(high))) return 0;
  return degreeOf(argument) <= 1 ? 0 : Infinity;
}

function degreeOf(node) {
  if (!hasX(node)) return 0;
  if (node.kind === "sum") return Math.max(node.poly.length - 1, ...node.terms.map(([, t]) => degreeOf(t)));
  if (node.kind === "product") return node.factors.reduce((total, [base, e]) => total + (e > 0 ? e * degreeOf(base) : 0), 0);
  if (node.name === "exp") return rangeOf(node.argument)[1] < Infinity ? 0 : Infinity;
  return ["atan", "cos", "erf", "sin", "tanh"].includes(node.name) ? 0 : degreeOf(node.argument);
}
