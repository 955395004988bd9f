"""Settings and fixtures shared by all tests."""

import contextlib
import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial

import flint
import pytest
from browsers import chromium
from hypothesis import HealthCheck, settings
from invoke import invoke

# Neither what an example may take nor what drawing one may is asked of a clock: machines are busy.
for profile, examples in (("usual", 15), ("thorough", 60)):
    settings.register_profile(
        profile, deadline=None, max_examples=examples, derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )  # fmt: skip
settings.load_profile("usual")

# Signals are heard as from a terminal, whatever the tests are started with: ``nohup`` and ``&``
# have some ignored.
for heard, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(heard) is signal.SIG_IGN:
        signal.signal(heard, usual)


# What is loaded stays: to look through it again and again would be a sixth of the time.
gc.set_threshold(500_000, 20, 100)


def pytest_collection_finish() -> None:
    """Of what is loaded by now nothing is looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(autouse=True)
def _same_precision_for_every_test() -> Iterator[None]:
    flint.ctx.default()
    yield
    assert flint.ctx.prec == 53, "the test left the working precision changed"


@pytest.fixture
def printed(monkeypatch):
    """Figures that are saved in the test, as they are printed."""
    from printed import watched  # matplotlib

    return watched(monkeypatch)


@pytest.fixture
def command(tmp_path) -> Callable[..., subprocess.CompletedProcess]:
    """Run ``python -m MODULE OPTIONS...`` in a folder of its own, within this process."""
    return partial(invoke, folder=tmp_path)


@pytest.fixture
def process(tmp_path) -> Callable[..., subprocess.CompletedProcess]:
    """Run ``python -m MODULE OPTIONS...`` in a folder of its own, in a process of its own."""

    def call(module: str, *options: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", module, *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return call


def _hear_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


@pytest.fixture
def started(tmp_path) -> Iterator[Callable[..., subprocess.Popen]]:
    """Start ``python -m MODULE OPTIONS...`` as from a terminal, in a group of its own.

    It hears SIGINT, whatever the tests themselves were started with.
    """
    running: list[subprocess.Popen] = []

    def start(module: str, *options: str) -> subprocess.Popen:
        running.append(subprocess.Popen(
            [sys.executable, "-m", module, *options],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True, preexec_fn=_hear_interrupts,
        ))  # fmt: skip
        return running[-1]

    yield start
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """A headless browser, one for all tests of a file."""
    yield from chromium()


@pytest.fixture
def plain_loops(monkeypatch) -> None:
    """Updates of SGD in plain Python, for tests of few steps: machine code takes longer to make."""
    from numerics.dynamics import full_sgd, network_update, update

    for module in (update, network_update):
        steps = module.STEPS
        monkeypatch.setattr(module, "STEPS", type(steps)(*(step.py_func for step in steps)))
    for module in (update, network_update, full_sgd):
        for name, function in [*vars(module).items()]:
            if hasattr(function, "py_func"):
                monkeypatch.setattr(module, name, function.py_func)


@pytest.fixture
def compiles(tmp_path) -> Callable[[str], None]:
    """Check that a real LaTeX engine compiles a document, and that nothing sticks out."""
    if not shutil.which("pdflatex"):
        if os.environ.get("CI"):
            pytest.fail("CI installs a LaTeX engine, but pdflatex is not there")
        pytest.skip("needs pdflatex (Debian: texlive-latex-recommended)")

    def check(source: str) -> None:
        (tmp_path / "main.tex").write_text(source, encoding="utf-8")
        run = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout[-2000:]
        assert "Overfull" not in run.stdout, run.stdout[-2000:]

    return check
