"""What tests ask of the processes of this machine."""

import ctypes
import os
import re
from pathlib import Path


def session(leader: int) -> list[int]:
    """The processes of a session that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:  # it has ended meanwhile
            continue
        if int(of) == leader and state != "Z":
            found.append(int(stat.parent.name))
    return found


def as_anybody() -> None:
    """Take from a superuser the right to read and write what it is not permitted to."""
    if os.geteuid() == 0:
        for capability in (1, 2):  # of Linux: to pass over permissions
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)


def besides_progress(told: str) -> str:
    """What a process told but how far it had got, which it does where a machine is slow."""
    return re.sub(r"^[^:\n]+: \d+% done after [\d.]+ minutes\n", "", told, flags=re.MULTILINE)
