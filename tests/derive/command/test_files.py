"""Files: whole or absent, refused before the work, read without waiting."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from derive.command.files import open_regular, output_path, write_all


def test_files_appear_together_or_not_at_all(tmp_path):
    target, other = tmp_path / "result.txt", tmp_path / "absent" / "other.txt"
    write_all({target: b"old"})
    with pytest.raises(FileNotFoundError):
        write_all({target: b"new", other: b"lost"})
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["result.txt"]
    write_all({target: b"new", tmp_path / "other.txt": b"too"})
    assert (target.read_text(), (tmp_path / "other.txt").read_text()) == ("new", "too")
    assert sorted(os.listdir(tmp_path)) == ["other.txt", "result.txt"]


def test_permissions_are_the_usual_ones_or_those_of_the_old_file(tmp_path):
    (tmp_path / "other").touch()
    write_all({tmp_path / "result": b"text"})
    assert (tmp_path / "result").stat().st_mode == (tmp_path / "other").stat().st_mode
    (tmp_path / "result").chmod(0o600)
    write_all({tmp_path / "result": b"text"})
    assert (tmp_path / "result").stat().st_mode & 0o777 == 0o600


def test_a_link_is_followed_and_a_device_is_written_directly(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_all({output_path(str(tmp_path / "link")): b"new"})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    write_all({output_path(os.devnull): b"gone"})
    assert not os.path.isfile(os.devnull)


@pytest.mark.parametrize("text", ["", ".", "new/", "absent/file", "file/below", "n" * 300])
def test_paths_that_cannot_be_written_are_refused_before_the_work(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(argparse.ArgumentTypeError, match=r"folder|file name|too long"):
        output_path(text)
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs a folder nobody can write to")
def test_folders_nobody_can_write_to_are_refused_before_the_work():
    with pytest.raises(argparse.ArgumentTypeError, match="not writable"):
        output_path("/proc/result")


@pytest.mark.skipif(os.name != "posix", reason="processes are asked for by signal 0")
def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    """And nothing of a process that lives, or of another machine."""
    code = (
        "import os, sys; from pathlib import Path; from derive.command import files\n"
        "os.replace = lambda *_: os.kill(os.getpid(), 9)\n"
        "files.write_all({Path('cut.txt'): b'1'})"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    (left,) = tmp_path.glob(".*.part")
    host = left.name.split("-")[0]
    others = [tmp_path / f"{host}-{os.getpid()}-0.part", tmp_path / ".0-1-0.part"]
    for path in others:
        path.write_text("")
    write_all({tmp_path / "cut.txt": b"2"})
    assert sorted(tmp_path.iterdir()) == sorted([*others, tmp_path / "cut.txt"])


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_may_never_end_is_not_read(tmp_path, kind):
    path = {"pipe": tmp_path / "pipe", "device": Path(os.devnull), "folder": tmp_path}[kind]
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(OSError, match=r"no regular file|directory"), open_regular(path):
        pass
    (tmp_path / "file").write_bytes(b"content")
    with open_regular(tmp_path / "file") as stream:
        assert stream.read() == b"content"
