"""Check certificates of lora-escape: ``python checker.py FILE...``; the exit code is 0 if all hold.

It derives the drift coefficients itself, of polynomials: a teacher φ, a student σ and labels T,
    a(μ) = E[(T(φ(z)) - σ(μz)) z σ'(μz)],   b(μ) = E[(T(φ(z)) - σ(μz)) σ''(μz)] - E[σ'(μz)²],
and checks that the listed zeros of a in (0, 1) are there and are all. Two theorems are used.
Descartes: q has at most as many roots in (0, 1) as (1+t)^n q(1/(1+t)) has sign variations, and
exactly one if that has one. Mean value: on [x, x+w] in [0, 1], f is within w Σ i|f_i| of f(x).
"""

import json
import sys
from fractions import Fraction
from itertools import accumulate, pairwise, zip_longest
from math import comb, factorial, lcm, prod
from operator import mul

LARGEST, LONGEST = 100_000, 5_000  # of exponents and digits; of the coefficients of a polynomial


def insist(condition, reason):
    if not condition:
        raise ValueError(reason)


class Polynomial(list):  # coefficients from the constant on, the last not zero
    def __init__(self, coefficients):
        super().__init__(coefficients)
        while self and not self[-1]:
            self.pop()

    def __sub__(self, other):
        return Polynomial(c - d for c, d in zip_longest(self, other, fillvalue=0))

    def __mul__(self, other):
        rows = ([0] * i + [c * d for d in other] for i, c in enumerate(self))
        return Polynomial(map(sum, zip_longest(*rows, fillvalue=0)))

    def derivative(self, m=1):  # the m-th over m!
        return Polynomial([comb(i, m) * c for i, c in enumerate(self)][m:])

    def mean(self, f):  # E self(z) f(μz), in μ, from E z^(2k) = (2k-1)!!
        m = [prod(range(1, k, 2)) * (1 - k % 2) for k in range(len(self) + len(f))]
        return Polynomial(c * sum(map(mul, self, m[j:])) for j, c in enumerate(f))

    def at(self, c, k):  # the value at c/2^k
        total, scale = 0, lcm(*(d.denominator for d in self))
        for i, d in enumerate(reversed(self)):
            total = total * c + (int(d * scale) << i * k)
        return Fraction(total << k, scale << k * len(self))

    def bounds(self, c, k, width):  # on [c/2^k, c/2^k + width]
        middle, slack = self.at(c, k), width * sum(i * abs(d) for i, d in enumerate(self))
        return middle - slack, middle + slack

    def shifted(self):  # in x + 1: the remainders of divisions by x - 1
        rest, found = self[::-1], []
        while rest:
            rest = list(accumulate(rest))
            found.append(rest.pop())
        return Polynomial(found)

    def isolating(self, cells):  # the cells [c, c+1)/2^k with a root, one; the others have none
        todo, found = [(self, 0, 0)], []
        for cell in cells:
            insist(cell[1] <= LARGEST, "a cell is too narrow")
            q, c, k = todo.pop()
            while [c, k] != cell:
                insist(k < cell[1], "the cells do not follow each other")
                q = Polynomial(d << (len(q) - 1 - i) for i, d in enumerate(q))  # q(x/2)
                todo.append((q.shifted(), 2 * c + 1, k + 1))
                c, k = 2 * c, k + 1
            signs = [d > 0 for d in Polynomial(q[::-1]).shifted() if d]
            roots = sum(s != t for s, t in pairwise(signs)) + (c > 0 and q[0] == 0)
            insist(roots <= 1, f"cell {cell} may hold several zeros")
            found += [cell] * roots
        insist(not todo, "the cells do not reach 1")
        return found


def numbers(texts):
    found = [Fraction(*map(int, text.split("/"))) for text in texts]
    insist(texts == list(map(str, found)), "a fraction is not in lowest terms")
    return Polynomial(int(c) if c.denominator == 1 else c for c in found)


def drift(degree, teacher, student, labels, loss, normalization):  # T(φ), E σ(μz)², a and b
    last, he, label, n = Polynomial([]), Polynomial([1]), Polynomial([]), degree or 0
    insist(n in (0, len(teacher) - 1), "teacher and student are not He_n")
    insist(max(len(labels) * len(teacher), len(student)) <= LONGEST, "the polynomials are too long")
    for k in range(n):  # He_(k+1) = z He_k - k He_(k-1)
        last, he = he, Polynomial([0, *he]) - last * [k]
    insist(degree is None or teacher == student == he, "teacher and student are not He_n")
    for c in reversed(labels):
        label = label * teacher - [-c]
    slope, power = student.derivative(), Polynomial([1]).mean(student * student)
    own = power.derivative() * [{"square": Fraction(1, 2), "correlation": 0}[loss]]
    scale = [1 / Fraction({"raw": 1, "n*n!": n * factorial(n)}[normalization])]
    a, b = Polynomial([0, *label]).mean(slope) - own, label.mean(slope.derivative()) - own[1:]
    return label, power, a * scale, b * scale


def check_zero(known, within, cell, multiplicity, mu, b, cofactor, diverges, constant):
    (of_a, of_b, factors), (c, k) = known, cell
    insist(c > 0 and within[1] <= k <= LARGEST, "a zero has no cell of its own")
    insist(c >> k - within[1] == within[0], "a zero is not in its cell")
    seen = [(f, m) for f, m in factors if f.at(c, k) == 0 or f.at(c, k) * f.at(c + 1, k) < 0]
    insist([m for _, m in seen] == [multiplicity] > [0], "a zero is not there, or not so often")
    width = Fraction(of_a.at(c, k) != 0, 2**k)
    low, high = of_b.bounds(c, k, width)
    if cofactor is not None:  # b vanishes with this factor of a
        insist(seen[0][0] * numbers(cofactor) == of_b, "b is not shown to vanish")
        low = high = 0
    insist(diverges == (low <= 0) == (high <= 0), "the sign of b is open, or another")
    insist((b is None, constant is None) == (low == high == 0, high >= 0), "b or C is missing")
    values = [(mu, *Polynomial([0, 1]).bounds(c, k, width)), (b or [0, 0], low, high)]
    if high < 0:
        slopes = of_a.derivative(multiplicity).bounds(c, k, width)
        insist(slopes[0] * slopes[1] > 0, "the slope of a is open")
        small, large = sorted(slope**2 for slope in slopes)
        values.append((constant, -high / large, -low / small))
    for (digits, places), low, high in values:  # digits/10^places is the nearest to the value
        insist(0 <= places <= LARGEST, "too many digits")
        unit = 2 * Fraction(10) ** places
        insist(2 * digits - 1 <= unit * low <= unit * high <= 2 * digits + 1, "digits are wrong")


def check_pair(label, power, scale, factors, b, cells, zeros, **pair):
    given = {name: numbers(pair[name]) for name in ("teacher", "student", "labels")}
    factors, derived = [(Polynomial(f), m) for f, m in factors], drift(**pair | given)
    insist(all(len(f) > 1 and m > 0 for f, m in factors), "a factor is none")
    insist(sum(m * (len(f) - 1) for f, m in factors) < len(derived[2]), "the factors are too many")
    a, b = prod((f for f, m in factors for _ in range(m)), start=numbers([scale])), numbers(b)
    insist(derived == (numbers(label), numbers(power), a, b), "the drift is another")
    found = prod((f for f, _ in factors), start=Polynomial([1])).isolating(cells)
    for place, zero in zip(found, zeros, strict=True):
        check_zero((a, b, factors), place, **zero)


def check_bounds(claim, step, reasons, signs, trusted_bounds):  # fractions cannot verify bounds
    rows = [numbers(row) for row in trusted_bounds]
    insist([0, *(row[1] for row in rows)] == [*(row[0] for row in rows), 1], f"{step}: a gap")
    found = [(low > 0) - (high < 0) for _, _, low, high in rows]
    insist(signs == found and 0 not in found, f"{claim}, {step}: bounds without that sign")


if __name__ == "__main__":
    sys.set_int_max_str_digits(LARGEST)
    if len(sys.argv) < 2:
        print("usage: python checker.py FILE...", file=sys.stderr)
        sys.exit(2)
    refused = False
    for path in sys.argv[1:]:
        try:
            with open(path, encoding="utf-8") as stream:
                document = json.load(stream, parse_float=str)
            insist(document["format"] == "lora-escape certificates 1", "this is another format")
            for record in document["certificates"]:
                (check_pair if "zeros" in record else check_bounds)(**record)
            print(f"{path}: holds, {len(document['certificates'])} certificates")
        except (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError,
                ValueError) as error:  # fmt: skip
            print(f"{path}: refused: {error}")
            refused = True
    sys.exit(refused)
