"""A meter: what several processes add is passed on once, whole, and while they work."""

import subprocess
import sys
import threading

from numerics.sweep.meter import metering, place_in

ADD = """
import sys
from pathlib import Path
from numerics.sweep.meter import place_in
place = place_in(Path(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    place[0] += 1
"""


def test_what_processes_add_is_passed_on_whole():
    told = []
    with metering(told.append) as path:
        others = [
            subprocess.Popen([sys.executable, "-c", ADD, str(path), str(count)])
            for count in (1000, 30)
        ]
        assert [other.wait(60) for other in others] == [0, 0]
        place_in(path)[0] += 7
    assert sum(told) == 1037
    assert not path.exists()


def test_it_is_passed_on_before_the_end():
    seen = threading.Event()
    with metering(lambda more: seen.set()) as path:
        place_in(path)[0] += 1
        assert seen.wait(20)


def test_without_a_meter_each_count_is_its_own():
    first, second = place_in(None), place_in(None)
    first[0] += 1
    assert second[0] == 0
