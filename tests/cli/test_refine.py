"""``ptychopinn refine``: from a folder of results to another one."""

import csv
import json
import os
import sys

import numpy as np
import pytest

from ptychopinn.cli.main import main
from ptychopinn.io import read_product, write_scan_npz
from tests.conftest import make_scan
from tests.refinement.test_refine import bent


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with scan.npz, out of focus, and its reconstruction in image/."""
    place = tmp_path_factory.mktemp("refine")
    write_scan_npz(place / "scan.npz", bent(make_scan(24, side=6, photons=1e6, step=3.0)))
    arguments = ["reconstruct", place / "scan.npz", "-o", place / "image", "--generator", "pie"]
    assert main([*map(str, arguments), "--checks", "false"]) == 0
    return place


def test_pie_writes_a_folder_of_the_same_layout(folder, capsys):
    assert main(["refine", str(folder / "image"), "--epochs", "8"]) == 0
    said = capsys.readouterr().out
    made = folder / "image-pie"
    assert f"results: {made}" in said
    assert {path.name for path in (folder / "image").iterdir()} <= {p.name for p in made.iterdir()}
    metrics = json.loads((made / "metrics.json").read_text())
    quality, told = metrics["without_truth"], metrics["provenance"]
    assert quality["deviance"] < 0.5 * quality["deviance_before"]
    assert told["started_from"]["result"] == str(folder / "image")
    assert told["iterative"]["engine"] == "pie"
    with (made / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == [str(number) for number in range(1, 9)]
    assert (made / "refinement.png").exists()
    assert "verdict: not checked (pie went on with all patterns" in said
    assert told["trust"]["verdict"] == "not checked"


def test_a_result_without_checks_keeps_why_there_is_no_verdict(folder):
    metrics = json.loads((folder / "image" / "metrics.json").read_text())
    assert metrics["provenance"]["trust"]["verdict"] == "not checked"
    assert "the checks are off" in (folder / "image" / "report.html").read_text()


def test_a_refined_result_can_be_refined_again(folder):
    for source, target in (("image", "once"), ("once", "twice")):
        arguments = ["refine", folder / source, "-o", folder / target, "--epochs", 2]
        assert main(list(map(str, arguments))) == 0
    told = read_product(folder / "twice" / "reconstruction.h5").provenance
    first = told["started_from"]
    assert first["result"] == str(folder / "once")
    assert first["started_from"]["result"] == str(folder / "image")
    assert told["seconds_in_all"] > told["seconds"]


def test_what_is_frozen_stays_as_it_is(folder):
    arguments = ["refine", folder / "image", "-o", folder / "frozen", "--epochs", 2]
    assert main([*map(str, arguments), "--refine-probe", "false"]) == 0
    before, after = (read_product(folder / n / "reconstruction.h5") for n in ("image", "frozen"))
    np.testing.assert_array_equal(after.probe, before.probe)
    np.testing.assert_array_equal(after.positions_px, before.positions_px)
    assert np.abs(after.object - before.object).max() > 0


def test_the_scan_is_found_beside_the_result_after_both_moved(folder, tmp_path):
    (folder / "image").rename(tmp_path / "image")
    moved = tmp_path / "elsewhere.npz"
    (folder / "scan.npz").rename(moved)
    try:
        arguments = ["refine", str(tmp_path / "image"), "--epochs", "1"]
        assert main(arguments) == 2
        assert not (tmp_path / "image-pie").exists()
        assert main([*arguments, "--scan", str(moved)]) == 0
    finally:
        os.replace(tmp_path / "image", folder / "image")
        os.replace(moved, folder / "scan.npz")


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("image", "--engine", "lsqml"), "pip install 'ptychopinn[ptychi]'"),
        (("image", "--engine", "lsqlm"), "did you mean 'lsqml'?"),
        (("image", "--step", "1"), "leave out --step"),
        (("image", "--probe-modes", "40"), "found 40 incoherent modes, wanted 1 to 24"),
        (("nothing",), "found nothing there"),
        ((".",), "found no reconstruction.h5 in this folder"),
    ],
)
def test_refusals_say_one_sentence(folder, monkeypatch, capsys, flags, sentence):
    for name in ("ptychi", "ptychi.api", "ptychi.api.task"):
        monkeypatch.setitem(sys.modules, name, None)
    before = set(folder.iterdir())
    assert main(["refine", str(folder / flags[0]), *flags[1:]]) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert set(folder.iterdir()) == before


def test_the_result_itself_is_not_overwritten(folder, capsys):
    assert main(["refine", str(folder / "image"), "-o", str(folder / "image")]) == 2
    assert "is the result itself" in capsys.readouterr().err
