"""What is to be measured where a GPU is at hand, in order; and, without one, what it would do.

``python tests/benchmarks/gpu.py --seconds 800`` runs one command after another until the time is
spent, and keeps what each says, with device, versions, commit and time, in ``docs/measured/gpu``.
``python tests/benchmarks/gpu.py --count`` counts the steps, launches and arithmetic of the paper's
three tasks, of images of the right shapes and numbers that hold nothing. Needs the extra transfer.
"""

import argparse
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from tabulate import tabulate

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "docs" / "measured" / "gpu"
TRANSFER = (sys.executable, "-m", "transfer")
# Training and test images of the paper's datasets, and their shapes and classes.
SIZES = {
    "emnist-letters": (124_800, 20_800, (1, 28, 28), 26),
    "fashion-mnist": (60_000, 10_000, (1, 28, 28), 10),
    "cifar-10": (50_000, 10_000, (3, 32, 32), 10),
    "svhn": (73_257, 26_032, (3, 32, 32), 10),
}
TABLE_1 = ("emnist-letters-to-fashion-mnist", "cifar-10-to-svhn", "emnist-letters-to-shifted")


def run(*task: str) -> tuple[str, ...]:
    """A command that runs a task on the GPU, into results of its own."""
    return (*TRANSFER, "run", *task, "--device", "cuda", "--results", f"results/gpu/{task[0]}")


def steps() -> list[tuple[str, list[tuple[str, ...]], float]]:
    """What is measured, by which commands, and the seconds it may take: answers before speed."""
    me = (sys.executable, __file__)
    names = ("fashion-mnist-to-mnist", "letters-to-fashion-mnist", "fashion-mnist-to-shifted")
    paper, letters, shifted = ((name, "--scale", "paper") for name in names)
    bench = (sys.executable, "tests/benchmarks/run.py", "images")
    report = (*TRANSFER, "report")
    return [
        ("tests", [(sys.executable, "-m", "pytest", "-q", "tests/transfer/learning")], 300),
        ("resumed", [(*me, "--resumed")], 200),
        ("paper-scale", [run(*paper), (*me, "--profile")], 600),
        ("against-the-plain-loop", [bench], 300),
        ("letters", [run(*letters), (*report, *letters, "--results", f"results/gpu/{letters[0]}")],
         3600),
        ("shifted", [run(*shifted), (*report, *shifted, "--results", f"results/gpu/{shifted[0]}")],
         3600),
        ("choose", [(*TRANSFER, "choose", *letters, "--verify", "--device", "cuda", "--results",
                     f"results/gpu/{letters[0]}")], 600),
    ]  # fmt: skip


def measure(seconds: float) -> None:
    """Run all steps while there is time, and note where it ended."""
    if not torch.cuda.is_available():
        raise SystemExit("there is no GPU that PyTorch can use: give --count")
    begun = time.monotonic()
    commit = subprocess.run(("git", "rev-parse", "HEAD"), capture_output=True, text=True, cwd=ROOT)
    versions = ", ".join(f"{n} {version(n)}" for n in ("torch", "transformers", "peft"))
    KEPT.mkdir(parents=True, exist_ok=True)
    for number, (name, commands, most) in enumerate(steps(), 1):
        left = seconds - (time.monotonic() - begun)
        if left < 20:
            print(f"the time is spent before {name}")
            return
        lines = [f"{torch.cuda.get_device_name()}; {versions}; commit {commit.stdout.strip()[:12]}"]
        for command in commands:
            lines += said(command, min(left, most))
        (KEPT / f"{number}-{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def said(command: tuple[str, ...], most: float) -> list[str]:
    """A command, what it printed, how it ended and what time it took."""
    begun = time.monotonic()
    told = " ".join(part.replace(str(ROOT), ".") for part in ("python", *command[1:]))
    environment = {**os.environ, "LORA_ESCAPE_TEST_DEVICE": "cuda"}
    try:
        done = subprocess.run(command, cwd=ROOT, timeout=most, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=environment)  # fmt: skip
        out, end = done.stdout, f"exit code {done.returncode}"
    except subprocess.TimeoutExpired as error:
        out, end = (error.stdout or b"").decode(errors="replace"), "stopped, the time was spent"
    print(f"{told}: {end} after {time.monotonic() - begun:.0f} s", flush=True)
    return [f"$ {told}", out.rstrip(), f"# {end} after {time.monotonic() - begun:.1f} s", ""]


def resumed() -> None:
    """The demo killed once and gone on with, against one that nothing stopped."""
    folders = [ROOT / "results" / "gpu" / name for name in ("demo-whole", "demo-parts")]
    lines = [(*TRANSFER, "run", "demo", "--device", "cuda", "--results", str(f)) for f in folders]
    subprocess.run(lines[0], cwd=ROOT, check=True)
    started = subprocess.Popen(lines[1], cwd=ROOT, start_new_session=True)
    while started.poll() is None and not [*folders[1].glob("cells/*.npz")]:
        time.sleep(0.05)
    os.killpg(started.pid, signal.SIGKILL)
    started.wait()
    subprocess.run(lines[1], cwd=ROOT, check=True)
    worst, cells = 0.0, sorted((folders[0] / "cells").glob("*.npz"))
    for path in cells:
        with np.load(path) as one, np.load(folders[1] / "cells" / path.name) as other:
            for name in ("train_loss", "test_loss"):
                worst = max(worst, float(np.nanmax(abs(one[name] - other[name]))))
    print(f"{len(cells)} cells; largest difference of a loss: {worst:.3g}")


def profiled() -> None:
    """Where the time of LoRA at the paper's scale goes: five models side by side, ten steps."""
    from torch.profiler import ProfilerActivity, profile
    from vision import side_by_side

    training = side_by_side()
    training.epoch()  # compiles
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as found:
        training.epoch().tolist()
    print(found.key_averages().table(sort_by="cuda_time_total", row_limit=20))


def counted() -> None:
    """Steps, launches and arithmetic of each of the paper's tasks: its own protocol, and all."""
    from transfer.__main__ import main
    from transfer.experiment import plan
    from transfer.images.data import Dataset, Split

    def empty(name: str, *_: object) -> Dataset:
        train, test, shape, classes = SIZES[name]
        splits = (
            Split(np.broadcast_to(np.zeros(shape, np.uint8), (n, *shape)), np.arange(n) % classes)
            for n in (train, test)
        )
        return Dataset(name, classes, *splits, "nowhere", name)

    plan.load_dataset = empty
    rows, total = [], np.zeros(3)
    for task in TABLE_1:
        stream = io.StringIO()
        with contextlib.redirect_stdout(stream):
            main(["check", task, "--device", "cuda", "--format", "json"])
        parts = json.loads(stream.getvalue())["parts"]
        for which, kept in (("pre-training", parts[:1]), ("LoRA", parts[1:2]), ("all", parts)):
            sums = np.array([sum(p[k] for p in kept) for k in ("steps", "launches", "teraflop")])
            rows.append((task, which, *(f"{value:,.0f}" for value in sums)))
            total += sums * (which != "all")
    rows.append(("all three tasks", "pre-training, LoRA", *(f"{value:,.0f}" for value in total)))
    head = ("task", "part", "steps", "launches", "teraflop")
    print(tabulate(rows, headers=head, tablefmt="github", disable_numparse=True,
                   colalign=("left", "left", *["right"] * 3)))  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=800.0, help="in all (default: 800)")
    for name, what in (("count", counted), ("resumed", resumed), ("profile", profiled)):
        parser.add_argument(f"--{name}", action="store_const", dest="what", const=what)
    options = parser.parse_args()
    options.what() if options.what else measure(options.seconds)
