"""One command over several scans."""

import json
import shutil

import h5py
import numpy as np
import pytest

from ptychopinn.cli import folder as folders
from ptychopinn.cli.main import main
from ptychopinn.cli.many_scans import folders_for
from ptychopinn.errors import ConfigError, OutputError
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


def test_a_failure_to_draw_keeps_the_image(small_scan, tmp_path, monkeypatch, capsys):
    def fail(*_):
        raise OutputError("phase.png: cannot be written.")

    monkeypatch.setattr(folders, "write_pictures", fail)
    code = main(["reconstruct", str(small_scan), "-o", str(tmp_path / "o"), *map(str, QUICK)])
    assert code == 2
    assert "The image is kept in" in " ".join(capsys.readouterr().err.split())
    kept = sorted(place.name for place in (tmp_path / "o").iterdir())
    assert kept == ["config.yaml", "history.csv", "metrics.json", "reconstruction.h5"]
