"""One command over several scans."""

import json
import os
import shutil

import h5py
import numpy as np
import pytest

from ptychopinn.cli import folder as folders
from ptychopinn.cli import reconstruct as command_module
from ptychopinn.cli.main import main
from ptychopinn.cli.many_scans import folders_for, go_through
from ptychopinn.errors import ConfigError, Interrupted, OutputError
from tests.cli.conftest import run

QUICK = ("--stages", 2, "--checks", "false", "--report", "none")


def test_one_scan_takes_the_folder_itself():
    assert [str(place) for place in folders_for(["a/b.npz"], "out")] == ["out"]


def test_many_scans_are_told_apart():
    found = folders_for(["a/x/scan.npz", "b/x/scan.npz", "c/other.h5"], "out")
    assert [str(place) for place in found] == ["out/a-x-scan", "out/b-x-scan", "out/other"]


def test_the_same_scan_twice_is_refused():
    with pytest.raises(ConfigError, match="given twice"):
        folders_for(["a.npz", "./a.npz"], "out")


def test_a_bad_scan_does_not_end_the_others(small_scan, tmp_path):
    shutil.copy(small_scan, tmp_path / "first.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK no more")
    shutil.copy(small_scan, tmp_path / "second.npz")
    names = ("first", "broken", "second")
    answer = run(
        "reconstruct", *(tmp_path / f"{name}.npz" for name in names), "-o", tmp_path / "o", *QUICK
    )
    assert answer.code == 2, answer.err
    assert "Traceback" not in answer.err
    assert "[2/3]" in answer.out
    assert "2 of 3 scans reconstructed" in answer.out
    assert sorted(place.name for place in (tmp_path / "o").iterdir()) == ["first", "second"]
    objects = []
    for name in ("first", "second"):
        with h5py.File(tmp_path / "o" / name / "reconstruction.h5") as file:
            objects.append(file["object"][()])
    np.testing.assert_array_equal(*objects)
    assert json.loads((tmp_path / "o/first/metrics.json").read_text())["provenance"]["generator"]


def test_resume_does_what_is_left(small_scan, tmp_path, capsys):
    names = ("a", "b", "c", "d")
    scans = [str(shutil.copy(small_scan, tmp_path / f"{name}.npz")) for name in names]
    command = ["reconstruct", *scans, "-o", str(tmp_path / "o"), *map(str, QUICK)]
    assert main(command) == 0
    made = {name: tmp_path / "o" / name / "reconstruction.h5" for name in names}
    before = {name: place.stat().st_mtime_ns for name, place in made.items()}
    made["a"].write_bytes(made["a"].read_bytes()[:-1000])
    (made["b"].parent / "coverage.png").unlink()
    os.utime(scans[2], ns=(1, 1))
    capsys.readouterr()
    assert main([*command, "--resume"]) == 0
    said = capsys.readouterr().out
    assert said.count("holds the whole result of this scan") == 1
    assert "4 of 4 scans reconstructed" in said
    changed = [name for name in names if made[name].stat().st_mtime_ns != before[name]]
    assert changed == ["a", "b", "c"]
    assert main([*command, "--resume", "--stages", "3"]) == 0
    assert "holds the whole" not in capsys.readouterr().out


def test_resume_of_one_scan(small_scan, tmp_path, capsys):
    command = ["reconstruct", str(small_scan), "-o", str(tmp_path / "o"), *map(str, QUICK)]
    assert main([*command, "--resume"]) == 0
    assert "holds the whole" not in capsys.readouterr().out
    assert main([*command, "--resume"]) == 0
    assert "holds the whole" in capsys.readouterr().out


def test_ctrl_c_keeps_what_is_done_and_says_so(tmp_path, capsys):
    def work(scan, _):
        if scan == "c":
            raise KeyboardInterrupt
        if scan == "b":
            raise MemoryError
        return "use it"

    with pytest.raises(Interrupted, match=r"at scan 3 of 4; the results of 1 are kept: .*--resume"):
        go_through("abcd", [tmp_path] * 4, work)
    said = capsys.readouterr().out
    assert "not done: MemoryError" in said
    assert "1 of 4 scans reconstructed" in said
    with pytest.raises(KeyboardInterrupt):
        go_through("c", [tmp_path], work)


def test_a_place_that_cannot_be_written_to_is_found_before_the_work(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setattr(command_module, "read_scan", lambda *_: pytest.fail("the scan was read"))
    assert main(["reconstruct", "scan.npz", "-o", str(tmp_path / "file" / "o")]) == 2
    assert "found a file there" in " ".join(capsys.readouterr().err.split())


def test_a_failure_to_draw_keeps_the_image(small_scan, tmp_path, monkeypatch, capsys):
    def fail(*_):
        raise OutputError("phase.png: cannot be written.")

    monkeypatch.setattr(folders, "write_pictures", fail)
    code = main(["reconstruct", str(small_scan), "-o", str(tmp_path / "o"), *map(str, QUICK)])
    assert code == 2
    assert "The image is kept in" in " ".join(capsys.readouterr().err.split())
    kept = sorted(place.name for place in (tmp_path / "o").iterdir())
    assert kept == ["config.yaml", "history.csv", "metrics.json", "reconstruction.h5"]
