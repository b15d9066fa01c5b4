"""``ptychopinn study`` as a command."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from ptychopinn.cli import main as entry
from ptychopinn.cli import study as command
from ptychopinn.errors import TrainingError
from ptychopinn.studies import Cell, StudyOptions, build_study
from ptychopinn.studies.runner import empty_outcome
from tests.studies.conftest import TINY


@pytest.fixture
def _tiny(monkeypatch):
    """The command with studies of the tests' size."""

    def build(name, options):
        return build_study(name, StudyOptions(**{**vars(options), "size": TINY}))

    monkeypatch.setattr(command, "build_study", build)


@pytest.mark.usefixtures("_tiny")
def test_a_study_prints_its_table(tmp_path, capsys):
    code = entry.main(["study", "lines", "-o", str(tmp_path), "--only", "pie,C1-ideal"])
    said = capsys.readouterr()
    assert code == 0, said.err
    assert "published" in said.out
    assert "train" in said.out
    assert "0.620" in said.out
    assert f"{tmp_path}/results.csv" in said.out
    assert "1/1 C1-ideal, pie: done" in said.err
    assert entry.main(["study", "lines", "-o", str(tmp_path), "--only", "pie,C1-ideal"]) == 0
    assert "1/1 C1-ideal, pie: kept" in capsys.readouterr().err


def test_methods_with_long_names_can_be_told_apart(capsys):
    names = tuple(f"a-generator-with-a-long-name-{end}" for end in ("supervised", "fine-tuned"))
    study = build_study("grid-lines", StudyOptions(size=TINY))
    methods = tuple(replace(study.methods[0], name=name) for name in names)
    outcome = empty_outcome(replace(study, methods=methods))
    figures = {"paper": {"amplitude": {"ssim": 0.5, "psnr_db": 70.0}}}
    seconds = {"training": 1000.0, "reconstruction": 10.0}
    for name in names:
        outcome.cells["lines", name] = Cell("", {}, name, figures, seconds, 1, {}, {}, Path())
    command.print_table(outcome)
    said = capsys.readouterr().out
    for name in names:
        assert f"  {name} " in said


@pytest.mark.usefixtures("_tiny")
def test_grid_lines_trains_the_networks_that_are_named(tmp_path, capsys):
    command = ["study", "grid-lines", "-o", str(tmp_path), "--architectures", "fno,hybrid"]
    assert entry.main([*command, "--only", "fno,hybrid", "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "results.csv, results.json and grid-lines.png" in said
    with (tmp_path / "results.csv").open() as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["fno", "hybrid"]
    for name, row in rows.items():
        assert name in said
        assert row["steps"] == str(TINY.patch_steps)
        assert 0 < float(row["paper.amplitude.ssim"]) <= 1
    assert (tmp_path / "grid-lines.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["linse"], ["did you mean 'lines'", "transfer"]),
        (["lines", "--only", "nothing"], ["neither a method nor a case", "pie-4x"]),
        (["lines", "--architectures", "cnm"], ["cnm", "did you mean"]),
        ([], ["name"]),
    ],
)
def test_mistakes_get_one_sentence(arguments, words, tmp_path, capsys):
    assert entry.main(["study", *arguments, "-o", str(tmp_path / "out")]) == entry.REFUSED
    said = capsys.readouterr().err
    for word in words:
        assert word in said
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("_tiny")
def test_a_failed_cell_is_told_by_the_exit_code(tmp_path, capsys, monkeypatch):
    def failing(*_):
        raise TrainingError("the loss is no longer finite")

    monkeypatch.setattr("ptychopinn.studies.runner.run_cell", failing)
    code = entry.main(["study", "grid-lines", "-o", str(tmp_path), "--only", "pie"])
    assert code == entry.REFUSED
    assert "no result for lines, pie: failed: the loss" in capsys.readouterr().out
