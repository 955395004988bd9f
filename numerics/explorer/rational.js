// Exact rational numbers and polynomials with such coefficients, lowest degree first.

const gcd = (a, b) => { while (b) [a, b] = [b, a % b]; return a; };
const size = (n) => (n < 0n ? -n : n).toString(16).length * 4;

export class Rational {
  constructor(numerator, denominator = 1n) {
    const sign = denominator < 0n ? -1n : 1n;
    const common = gcd(numerator < 0n ? -numerator : numerator, sign * denominator) || 1n;
    this.p = (sign * numerator) / common;
    this.q = (sign * denominator) / common;
  }

  // A decimal as people write it, such as 1.5e-3.
  static parse(text) {
    const [digits, exponent = "0"] = text.toLowerCase().split("e");
    const [whole, rest = ""] = digits.split(".");
    const shift = Number(exponent) - rest.length;
    const ten = 10n ** BigInt(Math.abs(shift));
    const value = BigInt(whole + rest || "0");
    return shift < 0 ? new Rational(value, ten) : new Rational(value * ten);
  }

  static of(value) {
    return value instanceof Rational ? value : new Rational(BigInt(value));
  }

  plus(other) { return new Rational(this.p * other.q + other.p * this.q, this.q * other.q); }
  times(other) { return new Rational(this.p * other.p, this.q * other.q); }
  inverse() { return new Rational(this.q, this.p); }
  negative() { return new Rational(-this.p, this.q); }
  equals(other) { return this.p === other.p && this.q === other.q; }
  get isZero() { return this.p === 0n; }
  get isInteger() { return this.q === 1n; }
  get bits() { return Math.max(size(this.p), size(this.q)); }
  get key() { return this.q === 1n ? `${this.p}` : `${this.p}/${this.q}`; }

  // The nearest double, or almost, of numbers whose parts are beyond doubles too.
  get value() {
    const shift = BigInt(Math.max(0, this.bits - 1000));
    return Number(this.p >> shift) / Number((this.q >> shift) || 1n);
  }

  // The square root if it is rational, else null.
  root() {
    const [p, q] = [exactRoot(this.p), exactRoot(this.q)];
    return p === null || q === null ? null : new Rational(p, q);
  }
}

function exactRoot(n) {
  if (n < 0n) return null;
  let x = BigInt(Math.floor(Math.sqrt(Number(n))));
  if (n > 2n ** 52n) for (let i = 0; i < 60 && x > 0n; i++) x = (x + n / x) / 2n;
  for (const r of [x - 1n, x, x + 1n]) if (r >= 0n && r * r === n) return r;
  return null;
}

export const ZERO = new Rational(0n);
export const ONE = new Rational(1n);

export function trimmed(coefficients) {
  const found = [...coefficients];
  while (found.length && found[found.length - 1].isZero) found.pop();
  return found;
}

export function sumOf(f, g) {
  const length = Math.max(f.length, g.length);
  return trimmed(Array.from({ length }, (_, k) => (f[k] ?? ZERO).plus(g[k] ?? ZERO)));
}

export function productOf(f, g) {
  if (!f.length || !g.length) return [];
  const found = Array(f.length + g.length - 1).fill(ZERO);
  f.forEach((a, i) => g.forEach((b, j) => { found[i + j] = found[i + j].plus(a.times(b)); }));
  return trimmed(found);
}

export const slopeOf = (f) => f.slice(1).map((c, k) => c.times(Rational.of(k + 1)));

export const valueAt = (f, x) => f.reduceRight((total, c) => total.times(x).plus(c), ZERO);

// The rest of a division by a monic quadratic or linear polynomial.
export function remainder(f, divisor) {
  const rest = [...f];
  for (let k = rest.length - 1; k >= divisor.length - 1; k--) {
    const factor = rest[k];
    divisor.forEach((c, j) => {
      const place = k - divisor.length + 1 + j;
      rest[place] = rest[place].plus(c.times(factor).negative());
    });
  }
  return trimmed(rest.slice(0, divisor.length - 1));
}

// The rational number of the least denominator next to a double, if it is a small one.
export function near(x, tolerance = 1e-9) {
  let [p0, q0, p1, q1, rest] = [1, 0, Math.floor(x), 1, x - Math.floor(x)];
  while (q1 < 1e6) {
    const there = Math.abs(p1 / q1 - x) <= tolerance * Math.max(1, Math.abs(x));
    if (there || rest === 0) return new Rational(BigInt(p1), BigInt(q1));
    const whole = Math.floor(1 / rest);
    [p0, q0, p1, q1, rest] = [p1, q1, whole * p1 + p0, whole * q1 + q0, 1 / rest - whole];
  }
  return null;
}
