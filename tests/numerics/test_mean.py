"""The command says exact or certified, and takes shifted Gaussians."""

import json

import pytest

from numerics import expectation


def test_it_says_how_certain_each_mean_is(command):
    options = ("--activation", "erf(2*x+1)**2", "--activation", "gelu", "--center", "-1/3",
               "--variance", "2", "--digits", "12")  # fmt: skip
    first, second = json.loads(command("numerics.mean", *options, "--format", "json").stdout)
    assert (first["certainty"], first["exact"]) == ("certified", None)
    known = expectation("gelu", center="-1/3", variance=2, digits=12)
    assert (second["certainty"], second["exact"]) == ("exact", str(known.expression))
    assert (second["mean"], second["center"]) == (known.value.mid, "-1/3")
    shown = command("numerics.mean", *options).stdout
    assert "mean -1/3 and variance 2" in shown


def test_the_name_of_the_command_hides_no_function(command):
    """Its module is ``numerics.mean``, so the function is ``numerics.expectation``."""
    import numerics.mean

    assert command("numerics.mean", "--activation", "x**2").returncode == 0
    assert callable(numerics.mean.main)
    assert numerics.expectation("x**2").expression == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--activation"),
        (("--activation", "exp(x**2)"), "infinite"),
        (("--activation", "exp(0.3*x**2)", "--variance", "2"), "infinite"),
        (("--activation", "x", "--center", "relu"), "center"),
        (("--activation", "x", "--variance", "-1"), "positive"),
        (("--activation", "1/x"), "stay away from 0"),
    ],
)
def test_bad_usage_is_one_line(command, options, said):
    done = command("numerics.mean", *options)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr
