// Numbers as people read them.

const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

export const raised = (n) => `${n < 0 ? "⁻" : ""}${String(Math.abs(n)).replace(/\d/g, (digit) => RAISED[digit])}`;

// A number with some significant digits, as a power of ten where it is large or small.
export function shown(x, digits = 4) {
  if (x === Infinity) return "∞";
  if (!Number.isFinite(x)) return "–";
  if (x === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(x)) + 1e-12);
  if (exponent >= 6 || exponent < -3) {
    const mantissa = Number((x / 10 ** exponent).toPrecision(digits));
    return `${mantissa === 1 ? "" : `${mantissa}·`}10${raised(exponent)}`.replace("-", "−");
  }
  return String(Number(x.toPrecision(digits))).replace("-", "−");
}

// A duration in seconds.
export function duration(seconds) {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${shown(seconds / 86400, 2)} days`;
}
