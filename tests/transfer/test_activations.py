"""The catalogue against PyTorch: the functions of these names are the same functions."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from derive.catalogue import CATALOGUE, known_name
from derive.grammar import parse_activation
from numerics.doubles.arrays import piecewise

GRID = np.concatenate([np.linspace(-9, 9, 721), [-1e-6, 1e-6, -30.0, 30.0]])
# Every text that says a function of PyTorch, as PyTorch computes it in double precision.
THEIRS = {
    "identity": torch.nn.Identity(),
    "relu": torch.nn.ReLU(),
    "leaky_relu": torch.nn.LeakyReLU(),
    "leaky_relu(x, 0.2)": torch.nn.LeakyReLU(0.2),
    "prelu": lambda x: functional.prelu(x, torch.tensor([0.25], dtype=torch.float64)),
    "abs": torch.abs,
    "squared_relu": lambda x: torch.relu(x) ** 2,
    "relu6": torch.nn.ReLU6(),
    "elu": torch.nn.ELU(),
    "elu(x, 0.5)": torch.nn.ELU(0.5),
    "selu": torch.nn.SELU(),
    "celu": torch.nn.CELU(),
    "celu(x, 2)": torch.nn.CELU(2.0),
    "hardtanh": torch.nn.Hardtanh(),
    "hardtanh(x, -2, 0.5)": torch.nn.Hardtanh(-2.0, 0.5),
    "hardsigmoid": torch.nn.Hardsigmoid(),
    "hardswish": torch.nn.Hardswish(),
    "softshrink": torch.nn.Softshrink(),
    "softshrink(x, 1)": torch.nn.Softshrink(1.0),
    "huber": lambda x: functional.huber_loss(x, torch.zeros_like(x), reduction="none"),
    "huber(x, 2)": lambda x: functional.huber_loss(x, x * 0, reduction="none", delta=2.0),
    "triangular": lambda x: torch.relu(1 - torch.abs(x)),
    "erf": torch.erf,
    "phi": torch.special.ndtr,
    "gelu": torch.nn.GELU(),
    "gelu_tanh": torch.nn.GELU(approximate="tanh"),
    "sin": torch.sin,
    "cos": torch.cos,
    "exp": torch.exp,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "gauss": lambda x: torch.exp(-x * x / 2),
    "sigmoid": torch.nn.Sigmoid(),
    "logsigmoid": torch.nn.LogSigmoid(),
    "tanh": torch.nn.Tanh(),
    "tanhshrink": torch.nn.Tanhshrink(),
    "atan": torch.atan,
    "softsign": torch.nn.Softsign(),
    "silu": torch.nn.SiLU(),
    "swish": torch.nn.SiLU(),
    "swish(x, 2)": lambda x: x * torch.sigmoid(2 * x),
    "mish": torch.nn.Mish(),
    "softplus": torch.nn.Softplus(threshold=100),
    "softplus(x, 3)": torch.nn.Softplus(3.0, threshold=200),
    "symlog": lambda x: torch.sign(x) * torch.log1p(torch.abs(x)),
    "squareplus": lambda x: (x + torch.sqrt(x * x + 4)) / 2,
}


@pytest.mark.parametrize("text", THEIRS)
def test_the_function_of_a_name_is_pytorch_s(text):
    ours = piecewise(parse_activation(text).value)(GRID)
    theirs = THEIRS[text](torch.tensor(GRID)).detach().numpy()
    np.testing.assert_allclose(ours, theirs, rtol=2e-13, atol=2e-13)


def test_every_entry_is_compared():
    assert set(CATALOGUE) <= set(THEIRS)


@pytest.mark.parametrize(
    "name",
    ["ReLU", "LeakyReLU", "PReLU", "ReLU6", "ELU", "SELU", "CELU", "Hardtanh", "Hardsigmoid",
     "Hardswish", "Softshrink", "GELU", "Sigmoid", "LogSigmoid", "Tanh", "Tanhshrink", "Softsign",
     "SiLU", "Mish", "Softplus", "Identity"],
)  # fmt: skip
def test_pytorch_s_own_spelling_is_known(name):
    assert hasattr(torch.nn, name)
    text = known_name(name)
    ours = piecewise(parse_activation(name).value)(GRID)
    np.testing.assert_array_equal(ours, piecewise(parse_activation(text).value)(GRID))
