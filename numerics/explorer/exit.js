// The law of the exit time, of small steps in large dimensions (derive.exit), and the largest
// learning rate (numerics.dynamics.stability).

import { MOTION } from "./formulas.js";
import { means } from "./quadrature.js";
import { noiseAt } from "./landscape.js";

// E (y - σ)² σ'² where the search begins: the mean square of a sample's pull on u.
export const noise = (pair, mu) => noiseAt(pair, mu, pair.nu(mu) ** 2);

// The law from λ, b, log K and the noise.
export function exitLaw({ rate, b, logK, noise: power }, { dimension, rate: gamma, batch }) {
  const [mean, variance] = MOTION.moments(rate, b, (gamma * dimension * power) / batch, 1);
  const height = Math.log(dimension) / 2 + logK;
  const searching = (t) => MOTION.searching(Math.exp(height - rate * t), mean, variance);
  const quantile = (share) => {
    let [low, high] = [0, (height + 40) / rate];
    for (let k = 0; k < 80; k++) {
      const middle = (low + high) / 2;
      if (searching(middle) > 1 - share) low = middle; else high = middle;
    }
    return high;
  };
  return { searching, quantile };
}

// γ below which the mean square distance to the teacher contracts (46).
export function stableRate(pair, mu, dimension, batch) {
  const add = (totals, z, weight) => {
    const square = pair.slope(z) ** 2;
    [square, square * z * z, square * square, square * square * z * z, square * square * z ** 4]
      .forEach((value, k) => { totals[k] += weight * value; });
  };
  const [p0, p2, q0, q2, q4] = means(5, add, pair.breaks);
  const [v, beta] = [1 - mu, 1 - 1 / batch];
  const growth = [
    [(v * v * ((q0 * (dimension + 1)) / batch + beta * p0 * p0)) / (2 * p0), (q2 * (dimension - 1)) / batch / (2 * p0)],
    [(v * v * q2) / batch / (2 * p2), (q4 / batch + beta * p2 * p2) / (2 * p2)],
  ];
  const half = (growth[0][0] + growth[1][1]) / 2;
  const apart = (growth[0][0] - growth[1][1]) / 2;
  return 1 / (half + Math.sqrt(apart * apart + growth[0][1] * growth[1][0]));
}
