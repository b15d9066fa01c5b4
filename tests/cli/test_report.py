"""Every run leaves a page, and the command makes it again from the folder alone."""

import re

import h5py
import pytest

from ptychopinn.cli.main import main
from ptychopinn.cli.train import write_training
from tests.cli.conftest import run
from tests.test_bundle import make_bundle


@pytest.fixture(scope="module")
def folder(small_scan, tmp_path_factory):
    place = tmp_path_factory.mktemp("result")
    answer = run("reconstruct", small_scan, "-o", place, "--stages", 2)
    assert answer.code == 0, answer.err
    return place


def test_a_reconstruction_leaves_a_page_that_can_be_made_again(folder, small_scan):
    page = folder / "report.html"
    first = page.read_text(encoding="utf-8")
    assert 'id="fit"' in first
    assert f"ptychopinn reconstruct {small_scan}" in re.sub(r"__main__\.py", "ptychopinn", first)
    assert re.search(r'<code class="hash" title="SHA-256">[0-9a-f]{64}<', first)
    page.unlink()
    answer = run("report", folder)
    assert answer.code == 0, answer.err
    assert str(page) in answer.out
    assert page.read_text(encoding="utf-8") == first


def test_a_comparison_enters_the_page(folder, small_scan):
    answer = run("evaluate", folder / "reconstruction.h5", "--reference", small_scan)
    assert answer.code == 0, answer.err
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Against the reference" in page
    assert "Figures against the reference" in page


def test_without_checks_the_patterns_are_still_compared(small_scan, tmp_path):
    options = ["--stages", "1", "--inference.checks", "false"]
    assert main(["reconstruct", str(small_scan), "-o", str(tmp_path), *options]) == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "which flatters it" in page
    with h5py.File(tmp_path / "reconstruction.h5") as file:
        assert not file["pattern_fit"].attrs["held_out"]


def test_the_page_can_be_left_out(small_scan, tmp_path):
    options = ["--stages", "1", "--inference.checks", "false", "--report", "none"]
    assert main(["reconstruct", str(small_scan), "-o", str(tmp_path), *options]) == 0
    assert not (tmp_path / "report.html").exists()
    with h5py.File(tmp_path / "reconstruction.h5") as file:
        assert "pattern_fit" not in file


def test_a_training_leaves_a_page(tmp_path):
    write_training(tmp_path, make_bundle())
    page = tmp_path / "report.html"
    assert 'id="probe"' in page.read_text(encoding="utf-8")
    page.unlink()
    assert main(["report", str(tmp_path)]) == 0
    assert page.exists()


def test_a_folder_without_a_run_is_refused(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "reconstruction.h5" in said
    assert said.count("\n") == 1
