"""``ptychopinn compare``: results side by side."""

import csv
import json

import pytest

from ptychopinn.cli.main import main
from ptychopinn.io import write_scan_npz
from tests.conftest import make_scan


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A scan with its truth, and two reconstructions: few sweeps, and many."""
    place = tmp_path_factory.mktemp("compare")
    write_scan_npz(place / "scan.npz", make_scan(24, side=6, photons=1e6, step=3.0))
    for name, stages in (("few", 2), ("many", 25)):
        arguments = ["reconstruct", place / "scan.npz", "-o", place / name, "--generator", "pie"]
        flags = ["--generator.pie.stages", stages, "--checks", "false"]
        assert main(list(map(str, [*arguments, *flags]))) == 0
    return place


def run(folder, *arguments):
    return main(["compare", *map(str, arguments), "-o", str(folder / "table")])


def test_more_sweeps_win_in_every_figure(folder, capsys):
    places = folder / "few", folder / "many"
    assert run(folder, *places, "--reference", folder / "scan.npz") == 0
    assert "phase RMSE" in capsys.readouterr().out
    found = json.loads((folder / "table" / "comparison.json").read_text())
    few, many = found["results"]
    assert (few["name"], many["name"]) == ("few", "many")
    assert many["deviance"] < few["deviance"]
    assert many["phase_rmse_rad"] < few["phase_rmse_rad"]
    assert {(p["image"], p["aligned_to"]) for p in found["pairs"]} == {
        ("few", "reference"),
        ("many", "reference"),
        ("many", "few"),
    }
    assert len(found["ring_correlations"]) == 3
    with (folder / "table" / "comparison.csv").open() as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["few", "many"]
    assert (folder / "table" / "comparison.png").stat().st_size > 10_000


def test_products_alone_and_a_scan_that_is_gone(folder, capsys):
    hidden = folder / "hidden.npz"
    (folder / "scan.npz").rename(hidden)
    try:
        places = [folder / name / "reconstruction.h5" for name in ("few", "many")]
        assert run(folder, *places) == 0
        assert "name it with --scan" in capsys.readouterr().out
        found = json.loads((folder / "table" / "comparison.json").read_text())
        assert [row["deviance"] for row in found["results"]] == [None, None]
        assert run(folder, *places, "--scan", hidden) == 0
        found = json.loads((folder / "table" / "comparison.json").read_text())
        assert all(row["deviance"] > 0 for row in found["results"])
    finally:
        hidden.rename(folder / "scan.npz")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("few",), "wanted at least two"),
        (("few", "few"), "occurs twice"),
        (("few", "missing"), "found nothing there"),
        (("few", "many", "--region", "y:0:9999"), "beyond the canvas"),
    ],
)
def test_refusals_say_one_sentence(folder, capsys, arguments, sentence):
    places = [folder / a if a in ("few", "many", "missing") else a for a in arguments]
    assert main(["compare", *map(str, places), "-o", str(folder / "refused")]) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert not (folder / "refused").exists()
