// Random numbers: a stream a replica, its normals and its chi-squares.

// Doornik's ziggurat of 128 layers of equal area.
const LAYERS = 128;
const [EDGE, AREA] = [3.442619855899, 9.91256303526217e-3];
const WIDTHS = new Float64Array(LAYERS + 1);
WIDTHS[0] = AREA / Math.exp((-EDGE * EDGE) / 2);
WIDTHS[1] = EDGE;
for (let i = 2; i < LAYERS; i++) WIDTHS[i] = Math.sqrt(-2 * Math.log(AREA / WIDTHS[i - 1] + Math.exp(-(WIDTHS[i - 1] ** 2) / 2)));
const SHARES = WIDTHS.slice(0, LAYERS).map((x, i) => WIDTHS[i + 1] / x);

// Chris Doty-Humphrey's sfc32, set by a seed and a number. Its words stand in an array of integers:
// as fields, they would be boxed whenever they change.
export class Stream {
  constructor(seed, index) {
    this.words = Int32Array.of(seed, index, 0x9e3779b9, 1);
    for (let k = 0; k < 20; k++) this.bits();
  }

  bits() {
    const { words } = this;
    const b = words[1];
    const c = words[2];
    const found = (words[0] + b + words[3]) | 0;
    words[3] += 1;
    words[0] = b ^ (b >>> 9);
    words[1] = c + (c << 3);
    words[2] = ((c << 21) | (c >>> 11)) + found;
    return found;
  }

  // In (0, 1).
  uniform() { return ((this.bits() >>> 0) + 0.5) / 4294967296; }

  normal() {
    for (;;) {
      const layer = this.bits() & (LAYERS - 1);
      const u = this.bits() / 2147483648;
      if (Math.abs(u) < SHARES[layer]) return u * WIDTHS[layer];
      if (layer === 0) return this.tail(u < 0);
      const x = u * WIDTHS[layer];
      const high = Math.exp((x * x - WIDTHS[layer] * WIDTHS[layer]) / 2);
      const low = Math.exp((x * x - WIDTHS[layer + 1] * WIDTHS[layer + 1]) / 2);
      if (low + this.uniform() * (high - low) < 1) return x;
    }
  }

  tail(below) {
    for (;;) {
      const x = Math.log(this.uniform()) / EDGE;
      const y = Math.log(this.uniform());
      if (-2 * y >= x * x) return below ? x - EDGE : EDGE - x;
    }
  }

  // A gamma variable of a shape, by Marsaglia and Tsang.
  gamma(shape) {
    if (shape < 1) return this.gamma(shape + 1) * this.uniform() ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const w = 1 + c * x;
      if (w <= 0) continue;
      const v = w * w * w;
      const u = this.uniform();
      if (u < 1 - 0.0331 * x * x * x * x || Math.log(u) < (x * x) / 2 + d * (1 - v + Math.log(v))) return d * v;
    }
  }

  chisquare(freedom) { return freedom > 0 ? 2 * this.gamma(freedom / 2) : 0; }
}
