// One-pass SGD on the sphere, exactly in law, at a cost independent of the dimension: the same
// update as numerics.dynamics.update, (38)-(45).
//
// The student's direction is ω = m ω* + κ ξ + r η, with η a unit vector off the teacher ω* and off
// the misaligned direction ξ. An input enters through its projections z, x, w on these three, and
// through the length of what is left of a whole batch, a chi-square.

import { Stream } from "./random.js";

const LARGEST_STATE = 1e3; // beyond it a run counts as diverged
export const EXIT_RADIUS = 0.5;

// Square of the mean gradient's length in all other directions (40).
export function across(stream, law, power) {
  return (power / (law.batch * law.batch)) * stream.chisquare(law.dimension - (law.nu ? 3 : 2));
}

// A replica: its state (u, m, κ), the number of its steps, and the steps of exit and divergence.
export class Replica {
  constructor(law, seed, index) {
    this.stream = new Stream(seed, index);
    const known = [this.stream.normal(), law.nu ? this.stream.normal() : 0];
    const size = Math.hypot(...known, Math.sqrt(this.stream.chisquare(law.dimension - (law.nu ? 2 : 1))));
    this.u = 1 / Math.sqrt(law.dimension);
    [this.m, this.kappa] = known.map((x) => x / size);
    Object.assign(this, { step: 0, exit: -1, diverged: -1 });
    this.look();
  }

  look() {
    const { u, m, kappa } = this;
    if (this.exit < 0 && u * u + m * m + kappa * kappa >= EXIT_RADIUS * EXIT_RADIUS) this.exit = this.step;
  }

  // Make a number of steps, at most, and none after exit if `stop` says so.
  advance(pair, law, count, { stop = false, others = across } = {}) {
    for (let k = 0; k < count && this.diverged < 0 && !(stop && this.exit >= 0); k++) {
      this.update(pair, law, others);
      this.step++;
      if (!(Math.abs(this.u) < LARGEST_STATE) || !(Math.abs(this.m) <= 1 + 1e-9)) this.diverged = this.step;
      this.look();
    }
  }

  update(pair, law, others) {
    const { stream, u, m, kappa } = this;
    const { mu, nu, rate, batch } = law;
    const { label, sigma, slope, square } = pair;
    const rest = Math.sqrt(Math.max(0, 1 - m * m - kappa * kappa));
    let onTeacher = 0;
    let onOther = 0;
    let onOwn = 0;
    let power = 0;
    for (let i = 0; i < batch; i++) {
      const z = stream.normal();
      const w = stream.normal();
      const x = nu ? stream.normal() : 0;
      const seen = mu * z + nu * x + u * (m * z + kappa * x + rest * w);
      const y = label(z);
      // Minus the slope of a sample's loss in the student's pre-activation (39).
      const s = (square ? y - sigma(seen) : y) * slope(seen);
      onTeacher += s * z;
      onOther += s * x;
      onOwn += s * w;
      power += s * s;
    }
    onTeacher /= batch;
    onOther /= batch;
    onOwn /= batch;
    const along = m * onTeacher + kappa * onOther + rest * onOwn; // minus ∂L/∂u
    const off = others(stream, law, power);
    // The direction ω + γ u g with g the gradient's part off ω, normalised (38).
    const pull = rate * u;
    const nextM = m + pull * (onTeacher - along * m);
    const nextKappa = kappa + pull * (onOther - along * kappa);
    const own = rest + pull * (onOwn - along * rest);
    const size = Math.sqrt(nextM * nextM + nextKappa * nextKappa + own * own + pull * pull * off);
    this.u = u + rate * along;
    this.m = nextM / size;
    this.kappa = nextKappa / size;
  }
}
