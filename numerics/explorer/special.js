// Functions that JavaScript lacks.

// The error function: its series near 0, the continued fraction of its complement far from it.
export function erf(x) {
  const y = Math.abs(x);
  if (y > 6) return Math.sign(x);
  if (y < 2.5) {
    let [term, total] = [y, y];
    for (let n = 1; Math.abs(term) > 1e-17 * total; n++) {
      term *= (2 * y * y) / (2 * n + 1);
      total += term;
    }
    return (Math.sign(x) * 2 * total * Math.exp(-y * y)) / Math.sqrt(Math.PI) || 0;
  }
  return Math.sign(x) * (1 - complement(y));
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
