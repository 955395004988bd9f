// What is learnt: teacher, student, labels, loss and misalignment, as functions of doubles.

import { CERTIFIED, CLOSED, MISALIGNMENTS, NAMES_MEANT } from "./formulas.js";
import { activation, transform } from "./grammar.js";
import { NotFound } from "./expression.js";
import { composed } from "./piecewise.js";

// The text by which the page knows an activation, if it is one of its own.
export function ownText(text) {
  const plain = text.trim();
  if (plain === "x" || /^He[1-9]\d?$/.test(plain)) return plain === "He1" ? "x" : plain;
  const name = NAMES_MEANT[plain.toLowerCase().replaceAll("_", "")];
  return name === "identity" ? "x" : name;
}

function read(what, reader, text) {
  try {
    return reader(text);
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    throw new NotFound(`${what} ‘${text.slice(0, 40)}’ is not accepted: ${error.message}`);
  }
}

// Throws NotFound, in one line, for texts that are refused.
export function pairOf({ teacher, student, labels, loss, misalignment }) {
  const phi = read("teacher", activation, teacher);
  const sigma = student.trim() ? read("student", activation, student) : phi;
  const label = read("labels", (text) => composed(transform(text), phi), labels);
  const [first, second] = [sigma.derivative(), sigma.derivative().derivative()];
  const same = student.trim() === "" || student.trim() === teacher.trim();
  const known = ownText(teacher);
  const shown = labels.trim() === "y" ? "matched" : labels.replaceAll(" ", "") === "y**2" ? "squared" : labels.trim();
  const key = known && (same || ownText(student) === known) ? `${known}|${shown}|${loss}` : null;
  return {
    label: label.compiled(),
    labelBreaks: label.breaks,
    sigma: sigma.compiled(),
    slope: first.compiled(),
    curvature: second.compiled(),
    breaks: sigma.breaks,
    kinks: second.breaks.map((p, i) => [p, second.deltas[i]]).filter(([, weight]) => weight),
    square: loss === "square",
    nu: MISALIGNMENTS[misalignment],
    aligned: misalignment === "none",
    closed: CLOSED[key] ?? {},
    certified: misalignment === "none" ? CERTIFIED[key] ?? null : null,
  };
}

