"""The budget command: its records, what people see, its figure, bad usage."""

import csv
import json
import math

import pytest

COMMAND = "numerics.budget"
SMALL = ("--activation", "x", "--mu", "0.3:0.9:4", "--samples", "3e4", "--batch", "4")


def test_json_holds_curves_and_answers(command):
    (record,) = json.loads(command(COMMAND, *SMALL, "--format", "json").stdout)
    promised = "teacher student labels dimension batch samples steps mu learning_rate"
    assert {*promised.split(), "expected_loss", "still_searching", "avoid"} <= set(record)
    assert record["mu"] == [0.3, 0.5, 0.7, 0.9]
    best = min(zip(record["expected_loss"], record["mu"], strict=True))
    assert (record["best"]["expected_loss"], record["best"]["mu"]) == best
    assert record["certainty"] == "heuristic"
    assert record["learning_rate_policy"] == "0.1 times each strength's own largest stable rate"
    tuned = record["tuned"]
    assert tuned["best_left"]["expected_loss"] < record["best_left"]["expected_loss"]
    assert max(tuned["still_searching"]) < max(record["still_searching"])


def test_people_see_the_policy_steps_and_samples_and_the_advice(command):
    shown = command(COMMAND, *SMALL, "--learning-rate", "0.5/d").stdout
    for said in ("30,000 samples in 7,500 steps", "one for all strengths, 0.5/d",
                 "the number of steps does", "with the best rate of each"):  # fmt: skip
        assert said in shown


def test_runs_stand_beside_the_law(command, tmp_path):
    options = (*SMALL, "--simulate", "--replicas", "60", "--workers", "1", "--samples", "1e4",
               "--results", str(tmp_path))  # fmt: skip
    (record,) = json.loads(command(COMMAND, *options, "--format", "json").stdout)
    runs = record["simulated"]
    assert (runs["replicas"], runs["within_error"], len(runs["loss"])) == (60, 4, 4)
    for told, found in zip(record["still_searching"], runs["still_searching"], strict=True):
        assert found == pytest.approx(told, abs=4 * 0.5 / 60**0.5)
    rows = list(
        csv.DictReader(command(COMMAND, *options, "--format", "csv").stdout.splitlines()[1:])
    )
    assert [float(row["simulated_loss"]) for row in rows] == runs["loss"]
    figure = tmp_path / "runs.svg"
    shown = command(COMMAND, *options, "--plot", str(figure)).stdout
    assert "4 of 4 mean losses are within the error of the law and three of their own" in shown
    assert figure.exists()


def test_at_the_best_rates_nothing_is_compared(command):
    options = (*SMALL, "--learning-rate", "best", "--format")
    (record,) = json.loads(command(COMMAND, *options, "json").stdout)
    assert record["tuned"] is None
    rows = list(csv.DictReader(command(COMMAND, *options, "csv").stdout.splitlines()[1:]))
    assert [float(row["expected_loss"]) for row in rows] == record["expected_loss"]


def test_the_figure_has_its_data_beside_it(command, printed, tmp_path):
    file = tmp_path / "budget.svg"
    assert command(COMMAND, *SMALL, "--plot", str(file)).returncode == 0
    assert "<svg" in file.read_text()
    rows = list(csv.DictReader((tmp_path / "budget.csv").read_text().splitlines()[1:]))
    assert {row["what"] for row in rows} == {"loss", "tuned loss", "phase diagram"}
    above = {row["mu"]: float(row["expected_loss"]) for row in rows if row["what"] == "loss"}
    assert len(above) == 4
    (figure,) = printed.figures
    upper, lower = figure.axes[:2]
    least = 1e-5 * max(float(row["frozen_loss"]) for row in rows)  # what is drawn
    drawn = {line.get_label(): [*map(float, line.get_ydata())] for line in upper.lines}
    for label, what, column in (
        ("after the samples", "loss", "expected_loss"),
        ("pre-trained alone", "loss", "frozen_loss"),
        ("at the best rates", "tuned loss", "expected_loss"),
    ):  # fmt: skip
        assert drawn[label] == pytest.approx(
            [max(float(row[column]), least) for row in rows if row["what"] == what]
        )
    band, within = (each.get_paths()[0].vertices for each in upper.collections[1::-1])
    for end, column in ((min, "loss_10"), (max, "loss_90")):
        for mu, row in ((row["mu"], row) for row in rows if row["what"] == "loss"):
            edge = end(y for x, y in band if x == float(mu))
            assert edge == pytest.approx(max(float(row[column]), least))
            error = float(row["expected_loss_error"]) * (1 if end is max else -1)
            edge = end(y for x, y in within if x == float(mu))
            assert edge == pytest.approx(max(above[mu] + error, least))
    samples = sorted({int(row["samples"]) for row in rows if row["what"] == "phase diagram"})
    assert lower.get_ylim() == (samples[0], samples[-1]) == (300, 3_000_000)
    half, asked = lower.lines
    assert set(asked.get_ydata()) == {30_000}
    still = {(row["mu"], int(row["samples"])): float(row["still_searching"]) for row in rows}
    for mu, there in zip(above, half.get_ydata(), strict=True):
        known = [(abs(math.log(n / there)), p) for (x, n), p in still.items() if x == mu]
        assert min(known)[1] == pytest.approx(0.5, abs=0.2)
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == [label for label in drawn if not label.startswith("_")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--mu", "0.5"), "two strengths such as 0.05:0.95:19"),
        (("--samples", "0.1"), "give at least one sample"),
        (("--samples", "-1"), "--samples"),
        (("--learning-rate", "worst"), "give a positive number"),
        (("--simulate", "--replicas", "1"), "give at least 2"),
        (("--simulate", "--samples", "3"), "3 samples are fewer than a batch of 4"),
    ],
)
def test_bad_usage_is_answered_in_one_line(command, options, said):
    done = command(COMMAND, *SMALL, *options)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr
