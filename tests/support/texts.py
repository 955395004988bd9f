"""Texts of functions: those that the grammar refuses, and random ones, right or almost."""

import random

from derive.parser import LONGEST_TEXT

ATOMS = (*"xxxy", "He2", "He3", "He61", "erf(x)", "relu", "tanh(2*x)", "exp(x)", "exp(20*x)",
         "exp(x**2/5)", "sin(3*x)", "sigmoid", "leaky_relu(x, 0.1)", "sign(x)", "1", "0", "0.5",
         "999999999999999999999999999999")  # fmt: skip
REFUSED = (
    "", " ", "step", "sign(x)", "heaviside(x)", "reul", "exp(x**2)", "exp(x^2/4)", "exp(x**3)",
    "x.real", "x.__class__", "__import__('os')", "().__class__", "lambda: 0", "[x]", "x; x",
    "os.system('true')", "x if x else x", "f'{x}'", "x**999", "x**(x)", "x**-1", "x**x", "2**0.3",
    "x**0.5", "sqrt(x)", "sqrt(-2)", "sqrt", "x/(sqrt(2) - 2**0.5)", "sqrt(relu)", "log(x)",
    "exp(relu**2)", "relu(sin)", "1e9999", "1/(1 - x**2)", "1/relu", "tanh/x", "|x|",
    "abs(x)**1.5", "max(x)", "clip(x, 1)", "where(x, 1, 2)", "where(x > 1, x)",
    "where(x = 1, x, 1)", "max",
    "relu(x**3 - x - 1)", "hardtanh(x, 1, -1)", "hardtanh(x, 1, 1)", "softplus(x, 0)",
    "He(-1)", "He(x)", "He(1/2)",
    "min(sin, cos)", "exp(exp(x))", "exp(x**4)", "x**1.25", "1/(x + 2 + sin(x))", "hardshrink",
    "He99", "He", "x**30*x**31", "((x+1)**60)**60", "(sin+cos+exp+erf)**60", "(" * 30 + "x",
    "(" * 200, "x" * (LONGEST_TEXT + 1), "1" * 400, "x/0", "1/x", "x/x",
    "erf(abs(x), 1)",
    "erf(x,1)", "leaky_relu(x,x)", "x x", "x +", "* x", "--x", "x*--x", "x---x", "x*-",
    "x*+x", "x**--2", "0x10", "λ",
    "x\u200b", "x\n;y", "y",
)  # fmt: skip


def function(stream: random.Random) -> str:
    """A text that is a function, or almost."""
    text = stream.choice(ATOMS)
    for _ in range(stream.randrange(3)):
        text = stream.choice(("{}{}{}", "({}){}({})")).format(
            text, stream.choice("+-*/^"), stream.choice(ATOMS)
        )
    return mangled(text, stream) if stream.random() < 0.3 else text


def mangled(text: str, stream: random.Random) -> str:
    """A text with some characters lost, doubled or replaced."""
    for _ in range(stream.randrange(1, 4)):
        place = stream.randrange(len(text) + 1)
        extra = stream.choice(("", text[place : place + 9] * 2, *"()[]{}*^,.\"'=\n\0π", "9" * 40))
        text = text[:place] + extra + text[place + stream.randrange(3) :]
    return text
