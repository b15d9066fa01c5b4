"""What killed runs leave beside their results is gone after the next run."""

import os
import subprocess
import sys
import time

from ptychopinn.io import leftovers
from ptychopinn.io.atomic import replacing, staged_folder
from ptychopinn.io.leftovers import remove_leftovers, temporary_name

DIES = """
import os, signal, sys
from ptychopinn.io.atomic import replacing, staged_folder
with staged_folder(sys.argv[1]) as stage, replacing(sys.argv[2]) as beside:
    (stage / "half.txt").write_text("half")
    beside.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names_in(folder):
    return sorted(item.name for item in folder.iterdir())


def test_the_next_run_removes_what_a_killed_one_left(tmp_path):
    run, file = tmp_path / "run", tmp_path / "a.txt"
    for _ in range(2):  # beside the folder, then in it
        subprocess.run([sys.executable, "-c", DIES, run, file], check=False)
        assert any(name.startswith(".") for name in (*names_in(tmp_path), *names_in(tmp_path)))
        with staged_folder(run) as stage, replacing(file) as beside:
            (stage / "whole.txt").write_text("whole")
            beside.write_text("whole")
        assert names_in(tmp_path) == ["a.txt", "run"]
        assert names_in(run) == ["whole.txt"]


def test_what_others_are_writing_stays(tmp_path):
    mine = temporary_name("run")
    other_machine = mine.replace(mine.split(".")[2][:6], "abcdef")
    for name in (mine, other_machine, ".run.backup", ".other.abcdef-1-00000000"):
        (tmp_path / name).mkdir()
    remove_leftovers(tmp_path, "run")
    assert len(names_in(tmp_path)) == 4
    weeks = time.time() - 30 * 86_400
    os.utime(tmp_path / other_machine, (weeks, weeks))
    remove_leftovers(tmp_path, "run")
    assert other_machine not in names_in(tmp_path)
    assert len(names_in(tmp_path)) == 3


def test_long_names_still_fit(tmp_path):
    place = tmp_path / ("x" * 240 + ".txt")
    with replacing(place) as beside:
        beside.write_text("whole")
    assert names_in(tmp_path) == [place.name]


def test_a_process_of_another_user_is_alive(monkeypatch):
    def forbidden(*_):
        raise PermissionError

    monkeypatch.setattr(leftovers.os, "kill", forbidden)
    assert leftovers._is_alive(1)
