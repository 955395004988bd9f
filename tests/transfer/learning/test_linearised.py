"""The linearised quantities, held to those of the solvable model, which are certified."""

import numpy as np
import pytest
import torch
from thorough import only
from torch import nn

import numerics
from derive.pair import Pair
from transfer.learning.linearised import fall_of_quadratic, linearised, rate

DIMENSION, COUNT = 12, 100_000
FUNCTIONS = {"relu": torch.relu, "erf": torch.erf, "He2": lambda z: z * z - 1}


@pytest.fixture(autouse=True)
def _large_parts(monkeypatch):
    """Graphs of two matrices are small: what is kept for a transformer would be 500 parts here."""
    monkeypatch.setattr("transfer.learning.linearised.AT_ONCE", COUNT)


def problem(mu, teacher, student, seed=0, count=COUNT, dimension=DIMENSION):
    """Inputs, labels, the pre-trained matrix, and the loss of some of them."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn((count, dimension), generator=generator, dtype=torch.float64)
    truth = torch.zeros((1, dimension), dtype=torch.float64)
    truth[0, 0] = 1
    labels = FUNCTIONS[teacher](inputs @ truth.T)
    matrix = nn.Parameter(mu * truth)

    def loss(index):
        errors = labels[index] - FUNCTIONS[student](inputs[index] @ matrix.T)
        return 0.5 * errors.square().mean()

    # Rows of A across the teacher, as in the search phase in many dimensions.
    rows = torch.randn((3, dimension), generator=generator, dtype=torch.float64)
    rows[:, 0] = 0
    return loss, matrix, rows / rows.norm(dim=1, keepdim=True)


def found_of(mu, teacher, student, draws=8, **options):
    """Means over draws of images and of A, and of what each found."""
    each = []
    for seed in range(draws):
        loss, matrix, rows = problem(mu, teacher, student, seed, **options)
        chunks = torch.arange(options.get("count", COUNT)).chunk(10)
        each.append(linearised(loss, matrix, chunks, rows))
    return each


@pytest.mark.parametrize("name", ["relu", "erf"])
@pytest.mark.parametrize("mu", only([0.1, 0.7], [0.1, 0.3, 0.5, 0.7, 0.9]))
def test_the_solvable_model_gives_its_own_coefficients(name, mu):
    each = found_of(mu, name, name)
    square, b = (float(np.mean([getattr(one, part) for one in each])) for part in ("square", "b"))
    curve = numerics.escape_curve(name, [mu])
    assert np.sqrt(square) == pytest.approx(abs(curve.a[0]), rel=0.01)
    assert b == pytest.approx(curve.b[0], rel=0.01)
    assert rate(square, b) == pytest.approx(curve.rate[0], rel=0.01)
    for one in each:  # a kink makes b depend on the step, the more the weaker the student
        assert abs(one.change) < (0.01 / mu if name == "relu" else 0.02) + 0.002


def test_a_kink_is_seen_where_automatic_second_derivatives_miss_it():
    """ReLU learns He2, which is not 0 at the kink: E[(φ - σ) σ''] is φ(0) p(0)/μ, not 0."""
    mu = 0.5
    _, matrix, rows = problem(mu, "He2", "relu")
    curve = numerics.escape_curve(Pair("He2", "relu"), [mu])
    each = found_of(mu, "He2", "relu")
    b = float(np.mean([one.b for one in each]))
    assert curve.b[0] < -1.2  # -1/2 without the kink
    assert b == pytest.approx(curve.b[0], rel=0.03)
    along = rows[0]
    amount = torch.zeros((), dtype=torch.float64, requires_grad=True)
    fixed = matrix.detach()

    def moved():
        generator = torch.Generator().manual_seed(0)
        inputs = torch.randn((COUNT, DIMENSION), generator=generator, dtype=torch.float64)
        labels = inputs[:, 0] ** 2 - 1
        out = torch.relu(inputs @ (fixed[0] + amount * along))
        return 0.5 * (labels - out).square().mean()

    (first,) = torch.autograd.grad(moved(), [amount], create_graph=True)
    (second,) = torch.autograd.grad(first, [amount])
    assert -float(second) == pytest.approx(-0.5, abs=0.05)


def test_the_square_of_a_is_unbiased_where_the_plain_mean_is_far_too_long():
    """With twice as many inputs as dimensions, over many draws."""
    mu, squares, lengths = 0.7, [], []
    for seed in range(150):
        loss, matrix, rows = problem(mu, "erf", "erf", seed, count=200, dimension=100)
        chunks = torch.arange(200).chunk(4)
        squares.append(linearised(loss, matrix, chunks, rows[:1]).square)
        (whole,) = torch.autograd.grad(loss(torch.arange(200)), [matrix])
        lengths.append(float(whole.norm()))
    (a,) = numerics.escape_curve("erf", [mu]).a
    error = np.std(squares) / np.sqrt(len(squares))
    assert abs(np.mean(squares) - a**2) < 4 * error
    assert np.mean(lengths) > 1.5 * abs(a)
    assert error < 0.2 * a**2


def test_the_noise_is_the_variance_of_an_images_gradient():
    loss, matrix, rows = problem(0.5, "relu", "relu", count=20_000)
    found = linearised(loss, matrix, torch.arange(20_000).chunk(200), rows[:1])
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn((20_000, DIMENSION), generator=generator, dtype=torch.float64)
    z = inputs[:, 0]
    each = ((0.5 - 1) * torch.relu(z) * (z > 0))[:, None] * inputs
    assert found.variance == pytest.approx(float(each.var(0).sum()), rel=0.1)


def test_the_parts_of_a_mean_change_nothing(monkeypatch):
    loss, matrix, rows = problem(0.5, "erf", "erf", count=2000)
    whole = linearised(loss, matrix, torch.arange(2000).chunk(4), rows)
    monkeypatch.setattr("transfer.learning.linearised.AT_ONCE", 130)
    parts = linearised(loss, matrix, torch.arange(2000).chunk(4), rows)
    assert parts.square == pytest.approx(whole.square)
    assert parts.b == pytest.approx(whole.b)


def test_a_quadratic_loss_never_errs_and_another_does():
    matrix = nn.Parameter(torch.zeros((2, 3), dtype=torch.float64))
    goal = torch.tensor([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]], dtype=torch.float64)
    rows = [torch.eye(3, dtype=torch.float64)]
    both = (torch.arange(1), torch.arange(1))

    def quadratic(index):
        return (matrix - goal).square().sum() + 1

    fall, errs = fall_of_quadratic(quadratic, [matrix], both, rows)
    assert not errs
    assert fall == pytest.approx(5.0)

    def steeper(index):
        return torch.exp(-3 * matrix[0, 0]) + 1

    fall, errs = fall_of_quadratic(steeper, [matrix], both, rows)
    assert errs
    # exp(-t): the cubic term t³/6 is a tenth of t - t²/2 at about t = 0.6.
    assert 0.3 < fall < 0.6

    def rising(index):
        return 1 + matrix.sum() * (1 if index[0] else -1)

    there, away = torch.tensor([0]), torch.tensor([1])
    assert np.isnan(fall_of_quadratic(rising, [matrix], (there, away), rows)[0])
    assert matrix.abs().sum() == 0  # everything is put back
