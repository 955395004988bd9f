// The page: its controls, its address, what is computed beside it, and the numbers it tells.

import { drift, rateOf } from "./drift.js";
import { exitLaw, stableRate } from "./exit.js";
import { NotFound } from "./expression.js";
import { duration, shown } from "./numbers.js";
import { pairOf } from "./pair.js";
import { DEFAULTS, batchOf, dimensionOf, fromAddress, textsOf, toAddress } from "./state.js";
import { View, describe } from "./view.js";

const CONTROLS = ["teacher", "student", "labels", "loss", "misalignment", "mu", "logd", "logb", "policy", "share", "scaled", "runs", "axis"];
const TEXTS = ["teacher", "student", "labels", "loss", "misalignment"];
const PAUSE = 160; // milliseconds without a change, after which the theory and the runs are made anew
const SHARES = [0.1, 0.5, 0.9];

const element = (name) => document.getElementById(name);

export class App {
  constructor() {
    this.state = fromAddress(location.hash);
    this.id = 0;
    this.view = new View();
    this.theorist = this.worker();
    this.simulator = this.worker();
    for (const name of CONTROLS) {
      const control = element(name);
      control.addEventListener("input", () => this.changed(name, control.type === "range" ? Number(control.value) : control.value));
    }
    element("again").addEventListener("click", () => this.changed("seed", this.state.seed + 1));
    element("share-view").addEventListener("click", () => this.share());
    window.addEventListener("hashchange", () => {
      if (location.hash !== toAddress(this.state)) { this.state = fromAddress(location.hash); this.start(); }
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.view.build());
    this.start();
  }

  worker() {
    const code = `${element("mathematics").textContent}\nExplorer.worker.serve(self);`;
    const made = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    made.onmessage = ({ data }) => this.heard(data);
    made.onerror = (event) => { element("refusal").textContent = `This page failed: ${event.message}`; };
    return made;
  }

  start() {
    for (const name of CONTROLS) element(name).value = this.state[name];
    this.read();
  }

  changed(name, value) {
    this.state[name] = value;
    if (TEXTS.includes(name)) this.read();
    else this.tell();
  }

  // Read the texts; what is refused leaves the page as it was.
  read() {
    try {
      this.pair = pairOf(textsOf(this.state));
      this.texts = textsOf(this.state);
      this.refuse("");
    } catch (error) {
      if (!(error instanceof NotFound)) throw error;
      this.refuse(error.message);
      if (this.pair) return;
      this.texts = textsOf(DEFAULTS);
      this.pair = pairOf(this.texts);
    }
    this.theorist.postMessage({ kind: "curves", id: ++this.id, texts: this.texts });
    this.curvesId = this.id;
    this.tell();
  }

  refuse(reason) {
    element("refusal").textContent = reason;
    for (const name of ["teacher", "student", "labels"]) element(name).setAttribute("aria-invalid", String(reason.startsWith(name)));
  }

  // What follows at once from the controls: the point at this strength. The rest after a pause.
  tell() {
    const { state, pair } = this;
    const point = drift(pair, state.mu);
    const rate = rateOf(point);
    this.point = { ...point, mu: state.mu, rate, tau: 1 / rate };
    this.view.showPoint(this.point);
    this.law = null;
    this.runsId = null; // nothing else is drawn while a slider moves
    this.simulator.postMessage({ kind: "stop" });
    const [dimension, batch] = [dimensionOf(state), batchOf(state)];
    const stable = stableRate(pair, state.mu, dimension, batch);
    const gamma = state.policy === "stable" ? 10 ** state.share * stable : (10 ** state.scaled * batch) / dimension;
    this.learning = { mu: state.mu, nu: pair.nu(state.mu), dimension, batch, rate: gamma, stable };
    this.outputs();
    this.numbers();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.ask(), PAUSE);
  }

  ask() {
    history.replaceState(null, "", toAddress(this.state));
    const { mu, dimension } = this.learning;
    this.theorist.postMessage({ kind: "theory", id: ++this.id, texts: this.texts, mu, dimension });
    this.theoryId = this.id;
  }

  heard(message) {
    if (message.kind === "curves" && message.id === this.curvesId) this.showCurves(message.curves);
    if (message.kind === "theory" && message.id === this.theoryId) this.showTheory(message.theory);
    if (message.kind === "runs" && message.id === this.runsId) this.showRuns(message);
  }

  showCurves(curves) {
    this.view.showCurves(curves);
    const { zeros, sure } = curves.singular;
    const list = zeros.map((s) => `${s.digits.slice(0, 12)}${s.diverges ? "" : " (τ = 1/b)"}`).join(", ");
    const told = !this.pair.aligned ? "misaligned: τ is finite where a = 0 unless b = 0"
      : zeros.length ? `a = 0 at μ⋆ = ${list}` : sure === "certified" ? "no singularity in (0, 1)" : "no change of sign of a is found";
    note("tau", told, this.pair.aligned ? sure : "heuristic");
    note("drift", "curves of a and b", curves.sure);
    describe("tau", `Escape time over the strength, from ${shown(Math.min(...curves.tau))} up; ${told}, ${sure}`);
    describe("drift", `Drift coefficients over the strength; a from ${shown(curves.a[0])} to ${shown(curves.a.at(-1))}, b from ${shown(curves.b[0])} to ${shown(curves.b.at(-1))}, ${curves.sure}`);
  }

  showTheory(theory) {
    const { state, view, point, learning } = this;
    this.theory = theory;
    view.scale = state.axis === "samples" ? learning.batch / learning.rate : 1;
    view.showTheory(theory);
    const exits = Number.isFinite(theory.constant.value);
    this.law = exits ? exitLaw({ rate: point.rate, b: point.b, logK: theory.constant.value, noise: theory.noise }, learning) : null;
    view.showLaw({ horizon: theory.horizon, searching: this.law?.searching });
    view.clearRuns(state.runs);
    note("phase", "nullclines", theory.sure);
    describe("phase", `Phase portrait of overlap m and scale u at strength ${state.mu}, with nullclines and runs`);
    note("law", exits ? `log K = ${shown(theory.constant.value, 6)} ± ${shown(theory.constant.error, 1)}` : "no exit: the search does not end here", "heuristic");
    this.numbers();
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.runsId = ++this.id;
    this.simulator.postMessage({
      kind: "runs", id: this.runsId, texts: this.texts, law: learning, runs: state.runs, seed: state.seed,
      horizon: theory.horizon, paced: !calm,
    });
  }

  showRuns(message) {
    this.view.showRuns(message);
    const left = message.exits.filter((t) => t !== null).length;
    const steps = (this.theory.horizon / this.learning.rate) * this.state.runs;
    const rest = ((1 - message.done) * steps) / message.speed;
    const speed = `${shown(message.speed, 2)} steps a second in d = ${shown(this.learning.dimension)}`;
    note("overlap", `${this.state.runs} runs, ${speed}${message.finished ? "" : `, ${duration(rest)} left`}`, "simulation");
    note("loss", `${shown(steps / this.state.runs)} steps of ${this.learning.batch} sample${this.learning.batch > 1 ? "s" : ""} a run`, "simulation");
    if (message.finished || message.records.length) {
      describe("overlap", `Overlap of ${this.state.runs} runs, ${left} have left the search phase`);
      describe("loss", "Loss of the same runs and of the gradient flow");
      describe("law", `Share of runs still searching: ${shown(1 - left / this.state.runs)} now; the law beside it`);
    }
  }

  outputs() {
    const { state, learning } = this;
    const told = {
      mu: state.mu.toFixed(3), logd: shown(learning.dimension, 3), logb: String(learning.batch), runs: String(state.runs),
      share: shown(10 ** state.share, 2), scaled: shown(10 ** state.scaled, 2),
    };
    for (const [name, text] of Object.entries(told)) {
      document.querySelector(`output[for="${name}"]`).textContent = text;
      element(name).setAttribute("aria-valuetext", text);
    }
    for (const [name, policy] of [["share", "stable"], ["scaled", "scaled"]]) {
      for (const part of document.querySelectorAll(`#${name}, [for="${name}"]`)) part.hidden = state.policy !== policy;
    }
  }

  numbers() {
    const { point, learning, law } = this;
    const samples = (p) => Math.ceil(law.quantile(p) / learning.rate) * learning.batch;
    const rows = [
      ["a", "drift a", point.a, point.sure], ["b", "drift b", point.b, point.sure],
      ["rate", "growth λ₊ (γ)", point.rate, point.sure], ["tau", "escape time τ (1/γ)", point.tau, point.sure],
      ["leading", "½ τ log d (1/γ)", (point.tau * Math.log(learning.dimension)) / 2, point.sure],
      ["gamma", "learning rate γ", learning.rate, "heuristic"], ["stable", "largest stable γ", learning.stable, "heuristic"],
      ...SHARES.map((p) => [`samples-${p}`, `samples, ${100 * p} % escaped`, law ? samples(p) : NaN, "heuristic"]),
    ];
    const body = document.querySelector("#numbers tbody");
    if (!body.children.length) body.innerHTML = rows.map(([name, title]) => `<tr id="n-${name}"><th scope="row">${title}</th><td></td><td><span class="sure"></span></td></tr>`).join("");
    rows.forEach(([name, , value, sure]) => {
      const [, cell, badge] = element(`n-${name}`).children;
      cell.textContent = shown(value, 5);
      badge.firstChild.textContent = sure;
      badge.firstChild.className = `sure ${sure}`;
    });
  }

  async share() {
    history.replaceState(null, "", toAddress(this.state));
    await navigator.clipboard?.writeText(location.href).catch(() => {});
    element("share-view").textContent = "Link is in the address";
  }
}

function note(name, text, sure) {
  const place = document.querySelector(`#${name} .note`);
  place.innerHTML = `<span class="sure ${sure}">${sure}</span> <b></b>`;
  place.querySelector("b").textContent = text;
}
