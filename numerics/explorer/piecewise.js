// Functions that are analytic between breakpoints, and what becomes of them when they are put
// together. A derivative holds a δ at every breakpoint where the function jumps.

import { NotFound, add, asRational, compiled, keyOf, multiply, negative, polynomial, put, slope, source } from "./expression.js";
import { keepsSign, rateOf, signInside, zerosOf } from "./ranges.js";

const APART = 1e-12;
const MOST_BREAKS = 40;

export class Piecewise {
  constructor(pieces, breaks = [], deltas = breaks.map(() => 0)) {
    Object.assign(this, { pieces, breaks, deltas });
  }

  get intervals() {
    const ends = [-Infinity, ...this.breaks, Infinity];
    return this.pieces.map((piece, i) => [piece, ends[i], ends[i + 1]]);
  }

  // The function cut at more breakpoints.
  refined(breaks) {
    const place = (x) => this.breaks.filter((p) => p <= x + APART).length;
    return new Piecewise([this.pieces[0], ...breaks.map((p) => this.pieces[place(p)])], breaks,
      breaks.map((p) => this.deltas[this.breaks.findIndex((q) => Math.abs(p - q) <= APART)] ?? 0));
  }

  // Without breakpoints at which nothing happens.
  joined() {
    const kept = this.breaks.map((_, i) => i).filter((i) => this.deltas[i] || keyOf(this.pieces[i]) !== keyOf(this.pieces[i + 1]));
    return new Piecewise([this.pieces[0], ...kept.map((i) => this.pieces[i + 1])], kept.map((i) => this.breaks[i]), kept.map((i) => this.deltas[i]));
  }

  mapped(f) { return new Piecewise(this.pieces.map(f), this.breaks); }

  plus(other) { return together(add, this, other); }
  times(other) { return together(multiply, this, other); }
  negative() { return this.mapped(negative); }

  // Values from the left and from the right of each breakpoint.
  jumps() {
    return this.breaks.map((p, i) => at(this.pieces[i + 1], p) - at(this.pieces[i], p));
  }

  derivative() {
    const jumps = this.jumps().map((jump) => (Math.abs(jump) < 1e-11 ? 0 : jump));
    return new Piecewise(this.pieces.map(slope), this.breaks, jumps).joined();
  }

  // As a function of a double, without its δ; at a breakpoint, from the right.
  compiled() {
    const text = this.breaks.reduceRight((rest, p, i) => `(x<${p}?${source(this.pieces[i])}:${rest})`, source(this.pieces[this.pieces.length - 1]));
    return compiled(text);
  }
}

const at = (piece, x) => compiled(source(piece))(x);

export const analytic = (f) => new Piecewise([f]);

function inOrder(breaks) {
  const found = [...breaks].sort((a, b) => a - b);
  return found.filter((p, i) => i === 0 || p - found[i - 1] > APART);
}

function inCommon(...functions) {
  const breaks = inOrder(functions.flatMap((f) => f.breaks));
  return functions.map((f) => f.refined(breaks));
}

function together(operation, f, g) {
  const [one, two] = inCommon(f, g);
  return new Piecewise(one.pieces.map((piece, i) => operation(piece, two.pieces[i])), one.breaks);
}

function cutAtZeros(f) {
  const breaks = inOrder([...f.breaks, ...f.intervals.flatMap((part) => zerosOf(...part))]);
  if (breaks.length > MOST_BREAKS) throw new NotFound(`more than ${MOST_BREAKS} breakpoints are not accepted`);
  return f.refined(breaks);
}

// The function that is `above` where a judge is positive and `below` elsewhere.
export function chosen(judge, above, below) {
  const [cut, one, two] = (() => {
    const common = inCommon(judge, above, below);
    const zeros = cutAtZeros(common[0]);
    return [zeros, common[1].refined(zeros.breaks), common[2].refined(zeros.breaks)];
  })();
  const pieces = cut.intervals.map((part, i) => (signInside(...part) > 0 ? one : two).pieces[i]);
  return new Piecewise(pieces, cut.breaks).joined();
}

export const largest = (f, g) => chosen(f.plus(g.negative()), f, g);
export const smallest = (f, g) => chosen(g.plus(f.negative()), f, g);

// The function x ↦ outer(inner(x)).
export function composed(outer, inner) {
  let cut = inner;
  for (const p of outer.breaks) {
    const gap = cut.mapped((piece) => add(piece, polynomial([asRational(-p)])));
    cut = cut.refined(cutAtZeros(gap).breaks);
  }
  const pieces = cut.intervals.map(([piece, low, high]) => {
    const place = outer.breaks.filter((p) => signInside(add(piece, polynomial([asRational(-p)])), low, high) > 0).length;
    return put(outer.pieces[place], piece);
  });
  return new Piecewise(pieces, cut.breaks).joined();
}

export function insistOnPositive(f, what) {
  if (f.intervals.some((part) => keepsSign(...part) <= 0)) throw new NotFound(`${what} is of what stays above 0`);
  return f;
}

export function insistOnSign(f) {
  if (f.intervals.some((part) => !keepsSign(...part))) throw new NotFound("division is by what stays away from 0");
  return f;
}

// Refuse what jumps, and what has no finite mean square under a Gaussian.
export function insistOnFlow(f) {
  const jump = f.jumps().findIndex((size) => Math.abs(size) > 1e-11);
  if (jump >= 0) throw new NotFound(`it jumps at ${f.breaks[jump]}: σ' is not square integrable there`);
  if (f.intervals.some((part) => !(rateOf(...part) < 1 / 4))) {
    throw new NotFound("it grows too fast for a Gaussian: its risk is infinite, or not known to be finite");
  }
  return f;
}
