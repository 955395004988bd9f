"""Progress: lines now and then, a bar on a terminal, and how far an interrupt got."""

import contextlib
import io

import pytest

from derive.command.progress import advancing, progress


def test_progress_is_silent_at_first_without_a_terminal(capsys):
    assert list(progress([1, 2], "things")) == [1, 2]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("seconds", "apart"), [(1, 30), (20, 40), (30, 30), (100, 100)])
def test_progress_is_at_most_a_line_each_half_minute_and_each_step(
    seconds, apart, capsys, monkeypatch
):
    now, times, shares = 0.0, [], []
    monkeypatch.setattr("derive.command.progress.time.monotonic", lambda: now)
    with advancing(60, "things") as advance:
        for _ in range(60):
            now += seconds
            advance()
            for line in capsys.readouterr().err.splitlines():
                times.append(now)
                shares.append(line)
    assert times == [apart * k for k in range(1, 60 * seconds // apart + 1)]
    assert shares == [
        f"things: {100 * t / (60 * seconds):.0f}% done after {t / 60:.1f} minutes" for t in times
    ]


def _interrupted(total, done):
    with advancing(total, "things") as advance:
        advance(done)
        raise KeyboardInterrupt


@pytest.mark.parametrize(("done", "share"), [(1, "25%"), (4, "100%"), (6, "100%")])
def test_an_interrupt_is_told_how_far_it_got(done, share):
    with pytest.raises(KeyboardInterrupt) as stop:
        _interrupted(4, done)
    assert stop.value.__notes__ == [f"after {share} of the things"]
    with pytest.raises(KeyboardInterrupt) as stop:
        _interrupted(0, done)
    assert not getattr(stop.value, "__notes__", [])


def test_on_a_terminal_a_bar_hears_of_all_that_is_done(monkeypatch):
    bars = []

    class Bar(contextlib.nullcontext):
        def __init__(self, **how):
            super().__init__(self)
            self.how, self.done = how, 0
            bars.append(self)

        def update(self, more):
            self.done += more

    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr("tqdm.tqdm", Bar)
    assert list(progress([1, 2, 3], "things")) == [1, 2, 3]
    with advancing(2.5, "weights") as advance:
        advance(2.5)
    told = [(bar.how["desc"], bar.how["total"], bar.how["unit_scale"], bar.done) for bar in bars]
    assert told == [("things", 3, False, 3), ("weights", 2.5, True, 2.5)]


def test_a_reader_of_progress_that_has_gone_is_no_error(monkeypatch):
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr("derive.command.progress._SILENCE", 0)
    monkeypatch.setattr("sys.stderr", Gone())
    assert list(progress([1, 2], "things")) == [1, 2]
