// From a text to a function, by the grammar of derive.parser, which never evaluates anything.
//
//   sum     = ["-"] product { ("+" | "-") ["-"] product }
//   product = power { ("*" | "/") ["-"] power }
//   power   = atom [ ("**" | "^") ["-"] ( number | "(" sum ")" ) ]
//   atom    = number | "pi" | "e" | "x" | hermite | name [ "(" sum { "," sum } ")" ] | "(" sum ")"
//           | "where" "(" sum ("<" | "<=" | ">" | ">=") sum "," sum "," sum ")"
//   hermite = "He" integer [ "(" sum ")" ] | "He" "(" integer ")"

import { CATALOGUE, LIMITS, NAMES_MEANT } from "./formulas.js";
import { NotFound, X, add, call, constant, hasX, isPolynomial, multiply, number, polynomial, power, rationalOf, valueOf } from "./expression.js";
import { analytic, chosen, composed, insistOnFlow, insistOnPositive, insistOnSign, largest, Piecewise, smallest } from "./piecewise.js";
import { ONE, Rational, ZERO, productOf, sumOf } from "./rational.js";

const TOKEN = /[ \t\n\r\f\v]*(?:(?<number>(?:\d{1,30}(?:\.\d{1,40})?|\.\d{1,40})(?:[eE][-+]?\d{1,9})?)|(?<name>[A-Za-z][A-Za-z_0-9]{0,37}|π)|(?<operator>\*\*|[<>]=?|[-+*/^(),]))/y;
const CONSTANTS = { pi: "pi", "π": "pi", e: "e" };

// What SymPy builds, as the printer of formulas.py wrote it down, with parameters put in.
export function fromTree(tree, parameters = []) {
  const [kind, ...rest] = tree;
  const parts = () => rest.map((part) => fromTree(part, parameters));
  switch (kind) {
    case "x": return X;
    case "number": return polynomial([new Rational(BigInt(rest[0]), BigInt(rest[1]))]);
    case "parameter": return parameters[rest[0]];
    case "constant": return constant(rest[0]);
    case "add": return parts().reduce(add);
    case "multiply": return parts().reduce(multiply);
    case "power": return power(fromTree(rest[0], parameters), rest[1]);
    default: return call(kind, fromTree(rest[0], parameters));
  }
}

export function hermite(n) {
  let [before, now] = [[ONE], [ZERO, ONE]];
  if (n === 0) return before;
  for (let k = 1; k < n; k++) {
    const next = sumOf([ZERO, ...now], before.map((c) => c.times(Rational.of(-k))));
    [before, now] = [now, next];
  }
  return now;
}

const binomial = (n, k) => Array.from({ length: k }, (_, i) => (n - i) / (i + 1)).reduce((a, b) => a * b, 1);

// A part with its degree and its number of terms once multiplied out.
const part = (value, degree = 0, terms = 1) => ({ value, degree, terms });
const constantOf = ({ value }) => (value.breaks.length === 0 && !hasX(value.pieces[0]) ? value.pieces[0] : null);

function measured(value, least) {
  const degrees = value.pieces.filter((f) => isPolynomial(f)).map((f) => f.poly.length - 1);
  const terms = Math.max(2, ...value.pieces.map((f) => f.terms.length + f.poly.filter((c) => !c.isZero).length));
  return part(value, Math.max(least, ...degrees), terms);
}

function bitsOf(node) {
  if (node.kind === "sum") return Math.max(1, ...node.poly.map((c) => c.bits), ...node.terms.map(([c, t]) => Math.max(c.bits, bitsOf(t))));
  if (node.kind === "product") return Math.max(...node.factors.map(([base]) => bitsOf(base)));
  return node.kind === "call" ? bitsOf(node.argument) : 1;
}

const bits = ({ value }) => Math.max(...value.pieces.map(bitsOf));

class Parser {
  constructor(text, variable) {
    if (text.length > LIMITS.text) throw new NotFound(`a text of ${text.length} characters is not accepted: at most ${LIMITS.text}`);
    this.variable = variable;
    this.depth = 0;
    this.tokens = [];
    const whole = text.trimEnd();
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < whole.length) {
      const start = TOKEN.lastIndex;
      const match = TOKEN.exec(whole);
      if (!match) this.refuse(`${JSON.stringify(whole.slice(start).trim().slice(0, 20))} is not part of the grammar`);
      const [kind, value] = Object.entries(match.groups).find(([, found]) => found !== undefined);
      this.tokens.push([kind, value]);
    }
    this.tokens.reverse();
  }

  refuse(reason) { throw new NotFound(reason); }

  get next() { return this.tokens[this.tokens.length - 1] ?? ["", "the end"]; }

  take(...operators) {
    const [kind, text] = this.next;
    return kind === "operator" && operators.includes(text) ? this.tokens.pop()[1] : null;
  }

  expect(operator) {
    if (!this.take(operator)) this.missing(`'${operator}' is missing before '${this.next[1]}'`);
  }

  missing(reason) {
    const [kind, text] = this.next;
    this.refuse(["number", "name"].includes(kind) || text === "(" ? `an operator, such as *, is missing before '${text}'` : reason);
  }

  whole() {
    const found = this.sum();
    if (this.tokens.length) this.missing(`'${this.next[1]}' is one too many`);
    return found.value;
  }

  sum() {
    if (++this.depth > LIMITS.nesting) this.refuse(`it nests deeper than ${LIMITS.nesting}`);
    let total = part(analytic(number(0)), 0, 0);
    for (let sign = this.take("-", "+") ?? "+"; sign; sign = this.sign()) {
      const { value, degree, terms } = this.product();
      const signed = sign === "-" ? value.negative() : value;
      total = part(total.value.plus(signed).joined(), Math.max(total.degree, degree), total.terms + terms);
    }
    this.depth--;
    return this.bounded(total);
  }

  // A sign between products, turned by a minus that follows it.
  sign() {
    const sign = this.take("+", "-");
    return sign && this.take("-") ? (sign === "-" ? "+" : "-") : sign;
  }

  bounded(found) {
    if (found.degree > LIMITS.power) this.refuse(`its degree is above ${LIMITS.power}`);
    if (found.terms > LIMITS.terms) this.refuse(`multiplied out it has more than ${LIMITS.terms} terms`);
    this.sized(bits(found));
    return found;
  }

  sized(count) {
    if (count > LIMITS.bits) this.refuse(`it holds numbers of more than ${Math.floor((LIMITS.bits * 3) / 10)} digits`);
  }

  product() {
    let total = this.power();
    for (let operator = this.take("*", "/"); operator; operator = this.take("*", "/")) {
      const turned = this.take("-");
      let right = this.power();
      if (turned) right = part(right.value.negative(), right.degree, right.terms);
      if (operator === "/") right = this.inverse(right);
      this.sized(bits(total) + bits(right));
      total = this.bounded(part(total.value.times(right.value).joined(), total.degree + right.degree, total.terms * right.terms));
    }
    return total;
  }

  inverse(found) {
    const divisor = constantOf(found);
    if (divisor && Math.abs(valueOf(divisor)) < 1e-14) this.refuse("division is by what is not 0");
    if (!divisor) insistOnSign(found.value);
    return part(found.value.mapped((f) => power(f, -1)));
  }

  power() {
    const base = this.atom();
    if (!this.take("**", "^")) return base;
    const sign = this.take("-") ? -1 : 1;
    const [kind, text] = this.tokens.pop() ?? ["", ""];
    let value = kind === "number" ? this.rational(text) : null;
    if (text === "(") {
      const inside = constantOf(this.sum());
      value = inside && rationalOf(inside);
      this.expect(")");
    }
    if (!value) this.refuse(`an exponent is a number from -${LIMITS.power} to ${LIMITS.power}`);
    return this.raised(base, sign * value.value);
  }

  raised(base, exponent) {
    if (Math.abs(exponent) > LIMITS.power || !Number.isInteger(2 * exponent)) this.refuse(`exponents are multiples of 1/2 up to ${LIMITS.power}`);
    if (exponent < 0) return this.inverse(this.raised(base, -exponent));
    if (!Number.isInteger(exponent)) return this.rootOf(base, exponent);
    const terms = binomial(base.terms + exponent - 1, exponent);
    this.sized(exponent * (bits(base) + Math.ceil(Math.log2(base.terms + 1))));
    const found = this.bounded(part(base.value, base.degree * exponent, terms));
    return { ...found, value: base.value.mapped((f) => power(f, exponent)).joined() };
  }

  rational(text) {
    this.sized(4 * Math.abs(Number(text.toLowerCase().split("e")[1] ?? 0)));
    return Rational.parse(text);
  }

  rootOf(base, exponent) {
    this.sized(2 * exponent * bits(base));
    const fixed = constantOf(base);
    if (!fixed) return part(insistOnPositive(base.value, "a root").mapped((f) => power(f, exponent)), base.degree);
    if (valueOf(fixed) < 0) this.refuse("roots are square roots of what is not negative");
    return part(analytic(power(fixed, exponent)));
  }

  atom() {
    if (this.take("(")) {
      const inside = this.sum();
      this.expect(")");
      return inside;
    }
    const [kind, text] = this.tokens.pop() ?? ["", "the end"];
    if (kind === "number") return this.bounded(part(analytic(polynomial([this.rational(text)]))));
    if (kind !== "name") this.refuse(`'${text}' stands where a number or a function should`);
    if (text === this.variable) return part(analytic(X), 1);
    if (CONSTANTS[text]) return part(analytic(constant(CONSTANTS[text])));
    const digits = /^He(\d*)$/.exec(text);
    return digits ? this.hermite(digits[1]) : this.bounded(this.named(text));
  }

  hermite(digits) {
    if (!digits) {
      const value = constantOf(this.args("He")[0]);
      const degree = value && rationalOf(value);
      if (!degree || !degree.isInteger || degree.p < 0n) this.refuse("He is of a degree, as in He(3)");
      digits = `${degree.p}`;
    }
    const degree = Number(digits);
    const count = Math.floor(degree / 2) + 1;
    this.bounded(part(analytic(number(0)), degree, count));
    const found = analytic(polynomial(hermite(degree)));
    if (!this.opens) return part(found, degree, count);
    const [inner] = this.args(`He${degree}`);
    const terms = binomial(inner.terms + degree, degree);
    this.bounded(part(analytic(number(0)), inner.degree * degree, terms));
    return part(composed(found, inner.value), inner.degree * degree, terms);
  }

  get opens() { return this.next[0] === "operator" && this.next[1] === "("; }

  args(name, most = 1) {
    this.expect("(");
    const found = [this.sum()];
    while (this.take(",")) found.push(this.sum());
    this.expect(")");
    if (found.length > most) this.refuse(`${name} has at most ${most} argument${most > 1 ? "s" : ""}`);
    return found;
  }

  named(name) {
    if (LIMITS.jumping.includes(name.toLowerCase())) this.refuse(`${name} jumps, so σ' is not square integrable`);
    if (name === "where") return this.where();
    if (OF_FUNCTIONS[name]) return this.ofFunctions(name);
    const entry = CATALOGUE[NAMES_MEANT[name.toLowerCase().replaceAll("_", "")]];
    if (!entry) this.refuse(`'${name}' is not known: known are ${Object.keys(CATALOGUE).slice(0, 5).join(", ")} and more`);
    if (!this.opens) return measured(catalogued(entry), 1);
    const [argument, ...given] = this.args(name, 1 + entry.parameters.length);
    const numbers = given.map(constantOf);
    if (numbers.includes(null)) this.refuse(`the ${entry.parameters.join(" and ")} of ${name} is a number`);
    const function_ = catalogued(entry, numbers);
    const plain = argument.value.pieces.length === 1 && argument.value.pieces[0] === X;
    return measured(plain ? function_ : composed(function_, argument.value), argument.degree);
  }

  ofFunctions(name) {
    const [function_, count] = OF_FUNCTIONS[name];
    if (!this.opens) this.refuse(`${name} is of something, as in ${name}(...)`);
    const given = this.args(name, count);
    if (given.length < count) this.refuse(`${name} has ${count} arguments`);
    if (name === "sqrt") return this.rootOf(given[0], 0.5);
    return measured(function_(...given.map((p) => p.value)), Math.max(...given.map((p) => p.degree)));
  }

  where() {
    this.expect("(");
    const left = this.sum();
    const operator = this.take("<", "<=", ">", ">=");
    if (!operator) this.refuse("where begins with a condition, as in where(x < 1, x, 1)");
    const parts = [left, this.sum()];
    for (let k = 0; k < 2; k++) {
      this.expect(",");
      parts.push(this.sum());
    }
    this.expect(")");
    const gap = parts[0].value.plus(parts[1].value.negative());
    const judge = operator === "<" || operator === ">=" ? gap.negative() : gap;
    const [yes, no] = [parts[2].value, parts[3].value];
    const value = operator.endsWith("=") ? chosen(judge, no, yes) : chosen(judge, yes, no);
    return measured(value, Math.max(...parts.map((p) => p.degree)));
  }
}

const logarithm = (f) => insistOnPositive(f, "a logarithm").mapped((piece) => call("log", piece));
const OF_FUNCTIONS = {
  sqrt: [null, 1],
  log: [logarithm, 1],
  log1p: [(f) => logarithm(f.plus(analytic(number(1)))), 1],
  max: [largest, 2],
  min: [smallest, 2],
  clip: [(f, low, high) => smallest(largest(f, low), high), 3],
};

// The catalogue's function with its parameters, the usual ones where none are given.
function catalogued(entry, given = []) {
  const parameters = entry.parameters.map((_, i) => given[i] ?? fromTree(entry.usual[i]));
  parameters.forEach((value, i) => {
    if (entry.positive.includes(i) && !(valueOf(value) > 0)) throw new NotFound(`${entry.parameters[i]} is a positive number`);
  });
  const breaks = entry.breaks.map((tree) => valueOf(fromTree(tree, parameters)));
  if (breaks.some((p, i) => i && !(breaks[i - 1] < p))) throw new NotFound("give the lower end first");
  return new Piecewise(entry.pieces.map((tree) => fromTree(tree, parameters)), breaks).joined();
}

// The function of a text in a variable; throws NotFound, with the reason.
export function parsed(text, variable = "x") {
  return new Parser(text, variable).whole();
}

// An activation: a function that has a gradient flow and a finite risk.
export const activation = (text) => insistOnFlow(parsed(text, "x"));

// A label transform, a function of y that is not constant.
export function transform(text) {
  const found = parsed({ matched: "y", squared: "y**2" }[text] ?? text, "y");
  if (!found.pieces.some(hasX)) throw new NotFound("labels are a function of y that is not constant");
  return insistOnFlow(found);
}

