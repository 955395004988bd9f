// Expressions in x: sums of a polynomial and of products of powers, functions and constants.
//
// They are put in a common form when they are made, as much as it takes to see that terms cancel;
// their slopes are symbolic, and they become JavaScript that holds nothing but numbers, x and
// functions of this list.

import { ONE, Rational, ZERO, near, productOf, slopeOf, sumOf, trimmed } from "./rational.js";
import { erf, softplus } from "./special.js";

export class NotFound extends Error {}

const CONSTANTS = { pi: Math.PI, e: Math.E };
// What each function is, the slope it has at its argument, and its parity if it has one.
const FUNCTIONS = {
  exp: { value: Math.exp, slope: (y) => call("exp", y) },
  log: { value: Math.log, slope: (y) => power(y, -1) },
  sin: { value: Math.sin, slope: (y) => call("cos", y), parity: -1 },
  cos: { value: Math.cos, slope: (y) => negative(call("sin", y)), parity: 1 },
  tanh: { value: Math.tanh, slope: (y) => add(number(1), negative(power(call("tanh", y), 2))), parity: -1 },
  erf: {
    value: erf,
    slope: (y) => multiply(scaled(power(constant("pi"), -0.5), Rational.of(2)), call("exp", negative(power(y, 2)))),
    parity: -1,
  },
  atan: { value: Math.atan, slope: (y) => power(add(number(1), power(y, 2)), -1), parity: -1 },
  Softplus: { value: softplus, slope: (y) => sigmoid(y) },
};

export const polynomial = (coefficients) => ({ kind: "sum", poly: trimmed(coefficients), terms: [] });
export const number = (value) => polynomial([Rational.of(value)]);
export const X = polynomial([ZERO, ONE]);
export const constant = (name) => asSum({ kind: "constant", name });
const sigmoid = (y) => scaled(add(number(1), call("tanh", scaled(y, new Rational(1n, 2n)))), new Rational(1n, 2n));

// A node that is no sum, with a coefficient, as a sum.
const asSum = (node, coefficient = ONE) =>
  coefficient.isZero ? number(0) : { kind: "sum", poly: [], terms: [[coefficient, node]] };

export const isPolynomial = (f) => f.terms.length === 0;
export const isZero = (f) => isPolynomial(f) && f.poly.length === 0;
export const hasX = (node) => node.kind === "sum"
  ? node.poly.length > 1 || node.terms.some(([, part]) => hasX(part))
  : node.kind === "product" ? node.factors.some(([base]) => hasX(base))
    : node.kind === "call" && hasX(node.argument);

// A rational number, else null.
export const rationalOf = (f) => (isPolynomial(f) && f.poly.length <= 1 ? f.poly[0] ?? ZERO : null);

export function keyOf(node) {
  if (node.key === undefined) {
    const parts = {
      sum: () => [...node.poly.map((c, k) => `${c.key}x${k}`), ...node.terms.map(([c, t]) => `${c.key}*${keyOf(t)}`).sort()],
      product: () => node.factors.map(([base, e]) => `(${keyOf(base)})^${e}`).sort(),
      call: () => [node.name, keyOf(node.argument)],
      constant: () => [node.name],
    }[node.kind]();
    node.key = `${node.kind[0]}[${parts.join(" ")}]`;
  }
  return node.key;
}

export function add(f, g) {
  const terms = new Map(f.terms.map(([c, t]) => [keyOf(t), [c, t]]));
  for (const [c, t] of g.terms) {
    const total = c.plus(terms.get(keyOf(t))?.[0] ?? ZERO);
    if (total.isZero) terms.delete(keyOf(t));
    else terms.set(keyOf(t), [total, t]);
  }
  return { kind: "sum", poly: sumOf(f.poly, g.poly), terms: [...terms.values()] };
}

export function scaled(f, factor) {
  if (factor.isZero) return number(0);
  return {
    kind: "sum",
    poly: f.poly.map((c) => c.times(factor)),
    terms: f.terms.map(([c, t]) => [c.times(factor), t]),
  };
}

export const negative = (f) => scaled(f, Rational.of(-1));

// A sum as a coefficient and powers: itself, if it has several parts.
function factorsOf(f) {
  if (f.poly.length === 0 && f.terms.length === 1) {
    const [[coefficient, node]] = f.terms;
    return [coefficient, node.kind === "product" ? node.factors : [[node, 1]]];
  }
  return [ONE, [[f, 1]]];
}

export function multiply(f, g) {
  if (isPolynomial(f) && isPolynomial(g)) return polynomial(productOf(f.poly, g.poly));
  for (const [one, other] of [[f, g], [g, f]]) {
    const factor = rationalOf(one);
    if (factor) return scaled(other, factor);
  }
  const [[c, left], [d, right]] = [factorsOf(f), factorsOf(g)];
  return product(c.times(d), [...left, ...right]);
}

// A coefficient times powers, those of equal bases and all exponentials put together.
function product(coefficient, factors) {
  const powers = new Map();
  let [poly, exponent] = [null, null];
  for (const [base, e] of factors) {
    if (base.kind === "call" && base.name === "exp") {
      const grown = scaled(base.argument, new Rational(BigInt(2 * e), 2n));
      exponent = exponent ? add(exponent, grown) : grown;
    } else if (base.kind === "sum" && isPolynomial(base) && e === 1) {
      poly = poly ? productOf(poly, base.poly) : base.poly;
    } else {
      const known = powers.get(keyOf(base))?.[1] ?? 0;
      powers.set(keyOf(base), [base, known + e]);
    }
  }
  let found = [...powers.values()].filter(([, e]) => e !== 0);
  if (exponent && !isZero(exponent)) found.push([factorsOf(call("exp", exponent))[1][0][0], 1]);
  if (poly && poly.length === 1) coefficient = coefficient.times(poly[0]);
  else if (poly && found.length === 0) return scaled(polynomial(poly), coefficient);
  else if (poly) found.push([polynomial(poly), 1]);
  if (found.length === 0) return scaled(number(1), coefficient);
  if (found.length === 1 && found[0][1] === 1) {
    const [[base]] = found;
    return base.kind === "sum" ? scaled(base, coefficient) : asSum(base, coefficient);
  }
  return asSum({ kind: "product", factors: found }, coefficient);
}

// A power with a multiple of one half as exponent; sums are multiplied out.
export function power(f, exponent) {
  if (exponent === 0) return number(1);
  if (exponent === 1) return f;
  const exact = rationalOf(f);
  if (exact && Number.isInteger(exponent)) return rationalPower(exact, exponent);
  if (exact) {
    const root = exact.root();
    if (root) return rationalPower(root, 2 * exponent);
  }
  const [coefficient, factors] = factorsOf(f);
  if (factors.length === 1 && factors[0][0] === f) { // a sum of several parts
    if (Number.isInteger(exponent) && exponent > 0) return multipliedOut(f, exponent);
    return product(ONE, [[f, exponent]]);
  }
  const outside = Number.isInteger(exponent) ? rationalPower(coefficient, exponent) : power(polynomial([coefficient]), exponent);
  return multiply(outside, product(ONE, factors.map(([base, e]) => [base, e * exponent])));
}

function rationalPower(base, exponent) {
  const inverse = exponent < 0 ? base.inverse() : base;
  const n = BigInt(Math.abs(exponent));
  return polynomial([new Rational(inverse.p ** n, inverse.q ** n)]);
}

function multipliedOut(f, exponent) {
  if (isPolynomial(f)) {
    let found = [ONE];
    for (let k = 0; k < exponent; k++) found = productOf(found, f.poly);
    return polynomial(found);
  }
  const parts = partsOf(f);
  let found = number(1);
  for (let k = 0; k < exponent; k++) {
    found = partsOf(found).flatMap((p) => parts.map((q) => multiply(p, q))).reduce(add, number(0));
  }
  return found;
}

const partsOf = (f) => [
  ...f.poly.map((c, k) => polynomial([...Array(k).fill(ZERO), c])).filter((p) => !isZero(p)),
  ...f.terms.map(([c, t]) => asSum(t, c)),
];

export function call(name, argument) {
  const zero = { exp: number(1), sin: number(0), cos: number(1), tanh: number(0), erf: number(0), atan: number(0) };
  if (isZero(argument) && zero[name]) return zero[name];
  if (name === "log" && rationalOf(argument)?.equals(ONE)) return number(0);
  if (name === "exp" && rationalOf(argument)?.equals(ONE)) return constant("e");
  const { parity } = FUNCTIONS[name];
  if (parity && leads(argument).p < 0n) {
    const mirrored = asSum({ kind: "call", name, argument: negative(argument) });
    return parity < 0 ? negative(mirrored) : mirrored;
  }
  return asSum({ kind: "call", name, argument });
}

// The coefficient by which a function of known parity is told from its mirror image.
const leads = (f) => f.poly[f.poly.length - 1] ?? [...f.terms].sort((a, b) => (keyOf(a[1]) < keyOf(b[1]) ? -1 : 1))[0][0];

export function slope(node) {
  if (node.kind === "sum") {
    return node.terms.reduce((total, [c, t]) => add(total, scaled(slope(t), c)), polynomial(slopeOf(node.poly)));
  }
  if (!hasX(node)) return number(0);
  if (node.kind === "call") return multiply(FUNCTIONS[node.name].slope(node.argument), slope(node.argument));
  return node.factors.map(([base, e], i) => {
    const others = node.factors.filter((_, j) => j !== i);
    const lowered = product(new Rational(BigInt(2 * e), 2n), [[base, e - 1], ...others]);
    return multiply(lowered, slope(base));
  }).reduce(add, number(0));
}

// The expression with another in the place of x.
export function put(node, inner) {
  if (node.kind === "sum") {
    const start = node.poly.reduceRight((total, c) => add(isPolynomial(inner) ? multiply(total, inner) : distributed(total, inner), polynomial([c])), number(0));
    return node.terms.reduce((total, [c, t]) => add(total, scaled(put(t, inner), c)), start);
  }
  if (node.kind === "call") return call(node.name, put(node.argument, inner));
  if (node.kind === "constant") return asSum(node);
  return node.factors.map(([base, e]) => power(put(base, inner), e)).reduce(multiply);
}

const distributed = (f, g) => partsOf(f).flatMap((p) => partsOf(g).map((q) => multiply(p, q))).reduce(add, number(0));

// As JavaScript.
export function source(node) {
  if (node.kind === "sum") {
    const horner = node.poly.map((c) => `${c.value}`).reduceRight((total, c) => (total === "" ? c : `${c}+x*(${total})`), "");
    const parts = node.terms.map(([c, t]) => (c.equals(ONE) ? source(t) : `${c.value}*${source(t)}`));
    return `(${[horner, ...parts].filter(Boolean).join("+") || "0"})`;
  }
  if (node.kind === "constant") return `${CONSTANTS[node.name]}`;
  if (node.kind === "call") return `${node.name}(${source(node.argument)})`;
  return `(${node.factors.map(([base, e]) => {
    const inner = source(base);
    if (e === 2) return `square(${inner})`;
    return e === 1 ? inner : e === -1 ? `1/${inner}` : e === 0.5 ? `sqrt(${inner})` : `pow(${inner},${e})`;
  }).sort((a, b) => a.startsWith("1/") - b.startsWith("1/")).join("*").replaceAll("*1/", "/")})`;
}

const NAMES = { ...Object.fromEntries(Object.entries(FUNCTIONS).map(([name, f]) => [name, f.value])), sqrt: Math.sqrt, pow: Math.pow, square: (y) => y * y };

// The expression as a function of a double. Its source holds nothing that its user wrote.
export function compiled(text) {
  return new Function(...Object.keys(NAMES), `"use strict"; return (x) => ${text};`)(...Object.values(NAMES));
}

// The value of an expression without x.
export const valueOf = (f) => (isPolynomial(f) ? (f.poly[0]?.value ?? 0) : compiled(source(f))(0));


// A double as a rational number: a near one of small denominator, or the double itself.
export const asRational = (value) => near(value, 2e-16) ?? new Rational(BigInt(Math.round(value * 2 ** 60)), 2n ** 60n);
