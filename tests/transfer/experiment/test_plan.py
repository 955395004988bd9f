"""The plan and the results: which cells there are, what a cell is told, what is read back."""

import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from derive.errors import InputError, Undecided
from numerics.sweep.executors import executor_for
from numerics.sweep.store import cell_key, cell_path, write_cell
from transfer.experiment import run
from transfer.experiment.plan import (
    CURVES,
    OVERLAPS,
    Place,
    chains_of,
    finished,
    side_by_side,
    weight_of,
)
from transfer.experiment.results import results_of
from transfer.experiment.run import compute_cell, run_experiment
from transfer.experiment.task import read_task
from transfer.learning.adapt import adapter_path
from transfer.learning.checkpoint import read_tensors
from transfer.learning.pretrain import checkpoint_path
from transfer.learning.training import OutOfMemory


@pytest.fixture
def task(small_task):
    return read_task(str(small_task))


def test_every_checkpoint_protocol_and_seed_is_planned_once(task, tmp_path):
    chains = chains_of(task, Place(tmp_path))
    places = {
        (arm, cell["seed"], cell["checkpoint"], *cell["fine_tuning_seeds"])
        for chain in chains
        for arm, cell in chain.adaptations
    }
    assert len(places) == 2 * 2 * 3 * 2
    each = 2 * 3 * 2
    assert finished(chains, Place(tmp_path)) == {
        "pre-training": (0, 2), "LoRA": (0, each), "linear probe": (0, each),
    }  # fmt: skip
    versions = {(cell["kind"], cell["version"]) for chain in chains for _, cell in chain.parts}
    assert versions == {("pretraining", 2), ("adaptation", 4)}  # those of results there are
    for chain in chains:
        assert {cell["run"] for _, cell in chain.adaptations} == {cell_key(chain.pretraining)}
    assert len({cell_key(chain.pretraining) for chain in chains}) == 2


def test_a_cell_weighs_the_images_it_sees(task, tmp_path):
    chain = chains_of(task, Place(tmp_path))[0]
    pretraining, (_, cell) = chain.pretraining, chain.adaptations[0]
    epochs, images = pretraining["pretraining"]["epochs"], pretraining["source"]["images"]
    assert weight_of(pretraining) == epochs * images
    more = {**cell, "downstream": {**cell["downstream"], "shots": 2 * cell["downstream"]["shots"]}}
    added = cell["adaptation"]["epochs"] * cell["downstream"]["shots"] * 10
    assert weight_of(more) - weight_of(cell) == added > 0
    assert weight_of(cell) > added  # its head and its test take time too


def test_what_is_finished_is_counted_once_of_all_there_is(task, tmp_path):
    """Two pre-trainings, and for each arm 2 x 3 checkpoints x 2 seeds."""
    place = Place(tmp_path)
    chains = chains_of(task, place)
    assert finished(chains, place) == {
        "pre-training": (0, 2), "LoRA": (0, 12), "linear probe": (0, 12)
    }  # fmt: skip
    place.cells.mkdir()
    cell = chains[1].pretraining
    found = {name: np.zeros(4) for name in CURVES}
    found |= {"test_loss": np.zeros(3), "test_accuracy": np.zeros(3)}
    write_cell(place.cells, cell, {**found, **took(1.0)})
    assert finished(chains, place)["pre-training"] == (1, 2)
    assert finished(chains[1:], place)["pre-training"] == (1, 1)


def test_on_a_gpu_the_seeds_of_a_protocol_share_a_cell(task, tmp_path):
    chain, _ = chains_of(task, Place(tmp_path, device="cuda"))
    assert all(cell["fine_tuning_seeds"] == [0, 1] for _, cell in chain.adaptations)


def test_what_a_cell_does_not_use_is_not_part_of_it(task, tmp_path):
    probe = replace_rank(task, 9)
    before, after = (chains_of(t, Place(tmp_path))[0].adaptations for t in (task, probe))
    for (arm, one), (_, other) in zip(before, after, strict=True):
        assert (cell_key(one) == cell_key(other)) == (arm == "linear probe")


@pytest.mark.parametrize(("optimiser", "same"), [("sgd", True), ("adamw", False)])
def test_plain_sgd_has_no_decay_and_no_warmup(task, tmp_path, optimiser, same):
    keys = []
    for more in ({}, {"weight_decay": 0.25}, {"warmup": 0.25}):
        arms = changed(task, optimiser=optimiser, **more)
        keys.append([cell_key(cell) for _, cell in chains_of(arms, Place(tmp_path))[0].adaptations])
    assert (keys[0] == keys[1], keys[0] == keys[2]) == (same, same)


def replace_rank(task, rank):
    return changed(task, rank=rank)


def changed(task, **values):
    import msgspec

    arms = {name: msgspec.structs.replace(arm, **values) for name, arm in task.arms.items()}
    return msgspec.structs.replace(task, arms=arms)


def took(seconds):
    return {"seconds": np.array(seconds), "provenance": np.array("a test")}


def test_results_are_what_the_cells_hold(task, tmp_path):
    place = Place(tmp_path)
    place.cells.mkdir()
    stream, planted = np.random.default_rng(0), {}
    for chain in chains_of(task, place):
        first = {name: stream.random(4) for name in CURVES}
        first |= {"test_loss": stream.random(3), "test_accuracy": stream.random(3)}
        write_cell(tmp_path / "cells", chain.pretraining, {**first, **took(60.0)})
        for arm, cell in chain.adaptations:
            found = {name: stream.random((1, 2)) for name in ("test_loss", "test_accuracy")}
            found["train_loss"] = np.array([[2.0, 1.0]])
            found |= {name: stream.random(1) for name in OVERLAPS}
            found |= {"learning": np.array(7), **took(1.0)}
            write_cell(tmp_path / "cells", cell, found)
            at = {"arm": arm, "pretraining_seed": cell["seed"], "checkpoint": cell["checkpoint"],
                  "fine_tuning_seed": cell["fine_tuning_seeds"][0]}  # fmt: skip
            planted[tuple(at.items())] = found
    data = results_of(task, place)
    for at, found in planted.items():
        own = data.sel(dict(at))
        assert (own.accuracy == found["test_accuracy"][0]).all()
        assert (own.loss == found["test_loss"][0]).all()
        assert own.left == found["left"][0]
        assert own.search_phase == 0.5
    assert data.finished.all()
    assert data.attrs["seconds"] == 2 * 60 + 24


@pytest.fixture
def quick(task):
    """The task without its second protocol and seeds."""
    import msgspec

    pretraining = msgspec.structs.replace(task.pretraining, epochs=2, checkpoints=(0, 2))
    arms = {"LoRA": task.arms["LoRA"]}
    return msgspec.structs.replace(task, pretraining=pretraining, arms=arms)


def test_an_arm_that_diverges_is_stored_and_not_tried_again(quick, tmp_path, monkeypatch):
    import msgspec

    main = quick.arms["LoRA"]
    wild = msgspec.structs.replace(main, learning_rate=1e8)
    task = msgspec.structs.replace(quick, arms={"LoRA": main, "wild": wild})
    place = Place(tmp_path)
    chains = chains_of(task, place)
    run_experiment(chains, place)
    assert all(found == count for found, count in finished(chains, place).values())
    data = results_of(task, place)
    assert data.diverged.sel(arm="wild").all()
    assert not data.diverged.sel(arm="LoRA").any()
    monkeypatch.delattr("transfer.experiment.run.adapt_cells")
    run_experiment(chains, place)


def planned_for_a_gpu(task, place):
    """The first chain of a task, planned for a GPU and computed here."""
    (chain, *_) = chains_of(task, replace(place, device="cuda"))
    return chain


def test_seeds_that_share_a_cell_have_results_of_their_own(task, tmp_path):
    """As they do on a GPU, for every protocol, all checkpoints in one pass."""
    place = Place(tmp_path)
    chain = planned_for_a_gpu(task, place)
    assert [len(group) for group in side_by_side(c for _, c in chain.adaptations)] == [3, 3]
    run_experiment([chain], place)
    data = results_of(task, replace(place, device="cuda")).sel(pretraining_seed=0)
    assert data.finished.all()
    assert data.accuracy.notnull().all()
    lora, probe = data["size"].notnull().all(("fine_tuning_seed", "checkpoint")).values
    assert (lora, probe) == (True, False)
    assert len({*data.loss.values.ravel()}) == data.loss.size


def test_as_many_checkpoints_learn_at_once_as_memory_holds(quick, tmp_path, monkeypatch, capsys):
    """With room for one at a time they are the cells that they would be alone."""
    place, other = Place(tmp_path / "one"), Place(tmp_path / "other")
    run_experiment([planned_for_a_gpu(quick, place)], place)
    adapt, begun = run.adapt_cells, []

    def narrow(cells, *rest):
        begun.append(len(cells))
        if len(cells) > 1:
            raise OutOfMemory("no room")
        return adapt(cells, *rest)

    monkeypatch.setattr(run, "adapt_cells", narrow)
    run_experiment([planned_for_a_gpu(quick, other)], other)
    assert begun == [2, 1, 1]
    assert capsys.readouterr().err == "out of memory with 2 checkpoints side by side: 1 at once\n"
    found, alone = (results_of(quick, replace(at, device="cuda")) for at in (place, other))
    np.testing.assert_allclose(found.loss, alone.loss, rtol=1e-3)
    monkeypatch.setattr(run, "adapt_cells", lambda cells, *rest: narrow([*cells, 0], *rest))
    last = Place(tmp_path / "last")
    with pytest.raises(OutOfMemory, match="no room"):
        run_experiment([planned_for_a_gpu(quick, last)], last)


def test_workers_of_many_threads_find_what_one_finds(quick, tmp_path):
    """As on a cluster whose workers have threads: PyTorch's generator is shared by them."""
    one, many = Place(tmp_path / "one"), Place(tmp_path / "many")
    run_experiment(chains_of(quick, one), one)
    with ThreadPoolExecutor(4) as threads:
        run_experiment(chains_of(quick, many), many, threads)
    first, second = results_of(quick, one), results_of(quick, many)
    assert first.drop_attrs().equals(second.drop_attrs())
    assert first.finished.all()


def test_a_removed_checkpoint_comes_back_the_same(quick, tmp_path):
    place = Place(tmp_path)
    chains = chains_of(quick, place)
    run_experiment(chains, place)
    chain = chains[0]
    path = checkpoint_path(tmp_path / "checkpoints", cell_key(chain.pretraining), 2)
    content = path.read_bytes()
    path.write_bytes(content[:-9])
    cell_path(place.cells, chain.adaptations[-1][1]).unlink()
    with pytest.raises(InputError, match="is damaged: remove it and run the same command again"):
        run_experiment(chains, place)
    path.unlink()
    run_experiment(chains, place)
    assert path.read_bytes() == content
    assert read_tensors(path)


def test_adapters_that_are_asked_for_later_come_with_the_same_results(quick, tmp_path):
    place, keeping = Place(tmp_path), Place(tmp_path, adapters=True)
    chains = chains_of(quick, place)
    run_experiment(chains, place)
    before = results_of(quick, place)
    assert not (tmp_path / "adapters").exists()
    run_experiment(chains, keeping)
    paths = [adapter_path(tmp_path / "adapters", cell, seed)
             for chain in chains for _, cell in chain.adaptations
             for seed in cell["fine_tuning_seeds"]]  # fmt: skip
    assert {path.name for path in paths} == {p.name for p in (tmp_path / "adapters").iterdir()}
    assert results_of(quick, place).drop_attrs().identical(before.drop_attrs())
    times = [path.stat().st_mtime_ns for path in paths]
    run_experiment(chains, keeping)
    assert times == [path.stat().st_mtime_ns for path in paths]


def test_the_first_error_calls_off_the_rest(quick, tmp_path):
    place = Place(tmp_path)
    chains = chains_of(quick, place)
    broken = {**chains[0].pretraining, "model": {"patch": 0}}
    chains = [replace(chains[0], pretraining=broken), *chains[1:]]
    with ThreadPoolExecutor(1) as threads, pytest.raises(Exception, match="patch"):
        run_experiment(chains, place, threads)
    assert sum(found for found, _ in finished(chains, place).values()) <= 1


def test_a_worker_that_dies_is_one_line_and_no_wait(quick, tmp_path):
    place = Place(tmp_path)

    def kill_a_worker():
        while not (workers := multiprocessing.active_children()):
            time.sleep(0.05)
        time.sleep(0.5)  # cells are running, others wait
        workers[0].kill()

    threading.Thread(target=kill_a_worker).start()
    with pytest.raises(Undecided, match="a worker process died"), executor_for(None, 2) as pool:
        run_experiment(chains_of(quick, place), place, pool)


def test_other_images_than_planned_are_refused(quick, tmp_path):
    cell = chains_of(quick, Place(tmp_path))[0].pretraining
    foreign = {**cell, "source": {**cell["source"], "digest": "0"}}
    with pytest.raises(InputError, match="holds other images here"):
        compute_cell(foreign, Place(tmp_path))


def test_what_is_off_leaves_a_cell_as_it_was_and_what_is_asked_for_is_another(small_task, tmp_path):
    def cells():
        (first, *_) = chains_of(read_task(str(small_task)), Place(tmp_path))
        return [cell for _, cell in first.parts]

    plain, text = cells(), small_task.read_text()
    for option in ("flips = false", "crops = 0", "clip = 0.0"):
        small_task.write_text(text.replace("batch", f"{option}\nbatch"))
        assert cells() == plain
    for option in ("flips = true", "crops = 2", "clip = 1.0"):
        small_task.write_text(text.replace("batch", f"{option}\nbatch").replace("probe", "full"))
        assert not {cell_key(cell) for cell in cells()} & {cell_key(cell) for cell in plain}
