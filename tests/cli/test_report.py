"""Every run leaves a page, and the command makes it again from the folder alone."""

import re

import h5py
import pytest

from tests.cli.conftest import run


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
    answer = run(
        *("reconstruct", small_scan, "-o", tmp_path, "--stages", 2),
        *("--inference.checks", "false"),
    )
    assert answer.code == 0, answer.err
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "which flatters it" in page
    with h5py.File(tmp_path / "reconstruction.h5") as file:
        assert not file["pattern_fit"].attrs["held_out"]


def test_the_page_can_be_left_out(small_scan, tmp_path):
    answer = run(
        *("reconstruct", small_scan, "-o", tmp_path, "--stages", 1),
        *("--inference.checks", "false", "--report", "none"),
    )
    assert answer.code == 0, answer.err
    assert not (tmp_path / "report.html").exists()
    with h5py.File(tmp_path / "reconstruction.h5") as file:
        assert "pattern_fit" not in file


def test_a_training_leaves_a_page(small_scan, tmp_path):
    answer = run(
        *("train", small_scan, "-o", tmp_path, "--max-steps", 4, "--epoch-steps", 2),
        *("--stages", 2, "--group-size", 4),
    )
    assert answer.code == 0, answer.err
    page = tmp_path / "report.html"
    assert 'id="training"' in page.read_text(encoding="utf-8")
    page.unlink()
    assert run("report", tmp_path).code == 0
    assert page.exists()


def test_a_folder_without_a_run_is_refused(tmp_path):
    answer = run("report", tmp_path)
    assert answer.code == 2
    assert "reconstruction.h5" in answer.err
    assert answer.err.count("\n") == 1
