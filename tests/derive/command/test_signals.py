"""Ending signals: one line each, an echo is the same signal, a fork leaves them to its parent."""

import signal

import pytest

from derive.command import signals
from derive.command.signals import ENDING, Stopped, stopped_by_signals, uninterrupted


@pytest.fixture
def clock(monkeypatch):
    """What the time is, to be moved."""
    now = [100.0]
    monkeypatch.setattr(signals.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize("number", ENDING)
def test_each_is_raised_with_its_code_and_what_answered_before_comes_back(number):
    before = signal.getsignal(number)
    with pytest.raises(Stopped) as stopped, stopped_by_signals():
        signal.raise_signal(number)
    assert (stopped.value.number, stopped.value.code) == (number, 128 + number)
    assert str(stopped.value).endswith("" if number == signal.SIGINT else number.name)
    assert signal.getsignal(number) == before


@pytest.mark.parametrize(("later", "raised"), [(0.0, False), (0.999, False), (1.0, True)])
def test_a_second_one_within_a_second_is_the_same(later, raised, clock):
    with stopped_by_signals():
        with pytest.raises(Stopped):
            signal.raise_signal(signal.SIGTERM)
        clock[0] += later
        try:
            signal.raise_signal(signal.SIGTERM)
        except Stopped:
            assert raised
        else:
            assert not raised


def test_a_process_that_was_forked_leaves_them_to_the_other(clock, monkeypatch):
    with stopped_by_signals():
        monkeypatch.setattr(signals.os, "getpid", lambda: -1)
        for _ in range(2):
            signal.raise_signal(signal.SIGTERM)
            clock[0] += 10


def test_what_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopped_by_signals():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def fails_when_interrupted(stop):
    """As a file that is closed while something is written into it."""
    try:
        try:
            raise stop
        finally:
            raise ValueError("a handle is open")
    except ValueError:
        raise OSError("nor can it be closed") from None


def test_an_interrupt_comes_before_what_it_makes_others_raise():
    stop = Stopped(15)
    with pytest.raises(Stopped) as found, stopped_by_signals():
        fails_when_interrupted(stop)
    assert found.value is stop
    with pytest.raises(ValueError, match="mine"), stopped_by_signals():
        raise ValueError("mine")


def test_what_cannot_be_left_is_ended_first(clock):
    done = []

    def work():
        with uninterrupted(), uninterrupted():
            signal.raise_signal(signal.SIGTERM)
            done.append("all of it")
        done.append("no more")

    with pytest.raises(Stopped) as stopped, stopped_by_signals():
        work()
    assert (stopped.value.number, done) == (signal.SIGTERM, ["all of it"])
    clock[0] += 10
    with pytest.raises(Stopped), stopped_by_signals():
        signal.raise_signal(signal.SIGTERM)
