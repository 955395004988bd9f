// The state of a view: what the controls say, kept in the page's address so that it can be shared.

export const DEFAULTS = {
  teacher: "He3", student: "", labels: "matched", loss: "square", misalignment: "none",
  mu: 0.6, logd: 4, logb: 0, policy: "stable", share: -0.5, scaled: -1, runs: 8, seed: 1, axis: "time",
};
const RANGES = {
  mu: [0.005, 1], logd: [1, 9], logb: [0, 3], share: [-2, 0], scaled: [-3, 1], runs: [1, 24], seed: [0, 1e9],
};
const CHOICES = {
  loss: ["square", "correlation"], misalignment: ["none", "linear", "spherical"],
  policy: ["stable", "scaled"], axis: ["time", "samples"],
};
const LONGEST = 500;

// What an address says; anything it does not say, or says wrongly, is the usual.
export function fromAddress(hash) {
  const state = { ...DEFAULTS };
  for (const [name, text] of new URLSearchParams(hash.replace(/^#/, ""))) {
    if (name in RANGES) {
      const value = Number(text);
      const [low, high] = RANGES[name];
      if (text !== "" && value >= low && value <= high) state[name] = value;
    } else if (name in CHOICES) {
      if (CHOICES[name].includes(text)) state[name] = text;
    } else if (name in DEFAULTS) state[name] = text.slice(0, LONGEST);
  }
  return state;
}

// The address of a state holds what is not as usual.
export function toAddress(state) {
  const told = Object.entries(state).filter(([name, value]) => name in DEFAULTS && value !== DEFAULTS[name]);
  return told.length ? `#${new URLSearchParams(told)}` : "#";
}

export const textsOf = ({ teacher, student, labels, loss, misalignment }) => ({ teacher, student, labels, loss, misalignment });
export const dimensionOf = ({ logd }) => Math.round(10 ** logd);
export const batchOf = ({ logb }) => Math.round(10 ** logb);
