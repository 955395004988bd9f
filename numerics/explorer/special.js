// Functions that JavaScript lacks.

const [SPACING, ORDER, FARTHEST] = [1 / 16, 11, 6];

// The error function by its series, all of whose terms are positive.
function series(y) {
  let [term, total] = [y, y];
  for (let n = 1; term > 1e-18 * total; n++) {
    term *= (2 * y * y) / (2 * n + 1);
    total += term;
  }
  return (2 * total * Math.exp(-y * y)) / Math.sqrt(Math.PI);
}

// Its Taylor coefficients at a point: slopes are Hermite polynomials times the Gaussian.
function taylor(y) {
  const found = [y < 2.5 ? series(y) : 1 - complement(y), (2 * Math.exp(-y * y)) / Math.sqrt(Math.PI)];
  for (let n = 1; n < ORDER; n++) {
    found.push((-2 * (y * n * found[n] + (n - 1) * found[n - 1])) / (n * (n + 1)));
  }
  return found;
}

const TABLE = new Float64Array((FARTHEST / SPACING + 1) * (ORDER + 1));
for (let k = 0; k <= FARTHEST / SPACING; k++) TABLE.set(taylor(k * SPACING), k * (ORDER + 1));

export function erf(x) {
  const y = Math.abs(x);
  if (!(y < FARTHEST)) return Math.sign(x);
  const place = Math.round(y / SPACING);
  const h = y - place * SPACING;
  let total = 0;
  for (let n = ORDER; n >= 0; n--) total = total * h + TABLE[place * (ORDER + 1) + n];
  return x < 0 ? -total : total;
}

// 1 - erf(y) for y ≥ 2, by Lentz's rule.
function complement(y) {
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (y + fraction);
  return Math.exp(-y * y) / Math.sqrt(Math.PI) / (y + fraction);
}

export const erfc = (x) => (x > 2 ? complement(x) : 1 - erf(x));

// The imaginary error function, -i erf(ix).
export function erfi(x) {
  let [term, total] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
    term *= (x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 * total) / Math.sqrt(Math.PI);
}

export const softplus = (y) => Math.max(y, 0) + Math.log1p(Math.exp(-Math.abs(y)));

export const density = (x) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
