"""A study can be stopped at any moment and continued, and says what it did."""

import csv
import dataclasses
import json
import signal

import numpy as np
import pytest

from ptychopinn.config import SimulationConfig
from ptychopinn.errors import ConfigError, TrainingError
from ptychopinn.studies import methods
from ptychopinn.studies import runner as runner_module
from ptychopinn.training import run as training_run
from tests.studies.conftest import tiny


def cell_files(folder):
    return sorted((folder / "cells").glob("*.json"))


def test_tables_and_figure(run):
    outcome, states = run(tiny("grid-lines", "cnn", "cnn-supervised", "pie"))
    assert states == ["done"] * 3
    for name in ("results.csv", "results.json", "grid-lines.png"):
        assert (run.folder / name).stat().st_size > 500
    assert (run.folder / "grid-lines.png").read_bytes().startswith(b"\x89PNG")
    with (run.folder / "results.csv").open() as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["cnn", "cnn-supervised", "pie"]
    assert rows["cnn"]["steps"] == rows["cnn-supervised"]["steps"] == "4"
    assert float(rows["pie"]["paper.phase.ssim"]) > float(rows["cnn"]["paper.phase.ssim"])
    found = run.results()["cases"]["lines"]["methods"]["pie"]["figures"]
    assert found == outcome.cells["lines", "pie"].figures
    assert found["paper"]["phase"]["ssim"] != found["standard"]["phase"]["ssim"]
    training = outcome.cells["lines", "cnn-supervised"].settings["training"]["training"]
    assert training["objective"] == "supervised"


def test_what_is_there_is_not_run_again(run, monkeypatch):
    study = tiny("grid-lines", "pie", "pie-4x")
    first, _ = run(study)

    def refuse(*_):
        raise AssertionError("a finished cell was run again")

    monkeypatch.setattr(runner_module, "run_cell", refuse)
    again, states = run(study)
    assert states == ["kept"] * 2
    assert {k: c.figures for k, c in again.cells.items()} == {
        k: c.figures for k, c in first.cells.items()
    }


def test_a_changed_setting_is_run_again(run):
    study = tiny("grid-lines", "pie")
    run(study)
    (pie,) = study.methods
    config = dataclasses.replace(
        pie.config, inference=dataclasses.replace(pie.config.inference, stages=5)
    )
    changed = dataclasses.replace(study, methods=(dataclasses.replace(pie, config=config),))
    assert run(changed)[1] == ["done"]
    assert run(study)[1] == ["kept"]
    (case,) = study.cases
    other = dataclasses.replace(case, test=dataclasses.replace(case.test, photons=1e5))
    assert run(dataclasses.replace(study, cases=(other,)))[1] == ["done"]
    assert len(cell_files(run.folder)) == 3


@pytest.mark.parametrize("damage", ["truncated", "a list", "another hash", "no images"])
def test_a_damaged_cell_is_run_again(run, damage):
    study = tiny("grid-lines", "pie")
    first, _ = run(study)
    (place,) = cell_files(run.folder)
    text = place.read_text()
    if damage == "no images":
        place.with_suffix(".npz").unlink()
    else:
        place.write_text(
            {
                "truncated": text[: len(text) // 2],
                "a list": "[]",
                "another hash": text.replace(json.loads(text)["settings_hash"], "0" * 16),
            }[damage]
        )
    again, states = run(study)
    assert states == ["done"]
    assert again.cells["lines", "pie"].figures == first.cells["lines", "pie"].figures
    assert place.read_text().count(json.loads(text)["settings_hash"]) == 1


def test_a_stopped_training_goes_on_and_gives_the_same(run, monkeypatch, tmp_path, datasets):
    study = tiny("grid-lines", "pie", "cnn")
    whole = runner_module.run_study(study, tmp_path / "whole", datasets=datasets)
    stop = training_run.LastCheckpoint.on_train_epoch_end

    def interrupt(self, trainer, *rest):
        stop(self, trainer, *rest)
        if trainer.global_step == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(training_run.LastCheckpoint, "on_train_epoch_end", interrupt)
    with pytest.raises(TrainingError, match=r"interrupted in cell 1 of 2.*same command"):
        run(study)
    monkeypatch.undo()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    started = []
    keep = training_run.fit
    monkeypatch.setattr(
        training_run, "fit", lambda *a, **k: (started.append(k["resume"]), keep(*a, **k))
    )
    outcome, states = run(study)
    assert started == [True]
    assert states == ["done", "done"]
    assert outcome.cells["lines", "cnn"].figures == whole.cells["lines", "cnn"].figures
    assert not list(run.folder.rglob("*.ckpt"))


def test_ctrl_c_between_cells_keeps_the_finished_ones(run, monkeypatch):
    study = tiny("grid-lines", "pie", "pie-4x")
    keep = runner_module.run_cell

    def stopped(case, method, place):
        if method.name == "pie-4x":
            raise KeyboardInterrupt
        return keep(case, method, place)

    monkeypatch.setattr(runner_module, "run_cell", stopped)
    with pytest.raises(TrainingError, match="cell 2 of 2"):
        run(study)
    monkeypatch.undo()
    assert run(study)[1] == ["kept", "done"]


def test_redraw_runs_nothing(run):
    study = tiny("grid-lines", "pie", "pie-4x")
    run(tiny("grid-lines", "pie"))
    (run.folder / "grid-lines.png").unlink()
    outcome, states = run(study, redraw=True)
    assert states == ["kept", "missing"]
    assert outcome.missing == {("lines", "pie-4x"): "not run yet"}
    assert (run.folder / "grid-lines.png").exists()


def test_a_study_without_any_result_still_says_so(run):
    for name in ("grid-lines", "data-efficiency", "transfer"):
        outcome, _ = run(tiny(name, "pie"), redraw=True)
        assert not outcome.cells
        assert (run.folder / f"{name}.png").exists()


def test_missing_weights_are_said_and_tried_again(run, monkeypatch):
    def absent(_):
        raise ConfigError("no weights come with the package")

    monkeypatch.setattr(methods, "load_pretrained", absent)
    study = tiny("grid-lines", "unrolled-zero-shot", "pie")
    outcome, states = run(study)
    assert sorted(states) == ["done", "missing"]
    sentence = outcome.missing["lines", "unrolled-zero-shot"]
    assert sentence == "unavailable: no weights come with the package"
    assert len(cell_files(run.folder)) == 1


def test_a_cell_that_fails_does_not_stop_the_others(run, monkeypatch):
    keep = runner_module.run_cell

    def failing(case, method, place):
        if method.name == "pie":
            raise TrainingError("the loss is no longer finite")
        return keep(case, method, place)

    monkeypatch.setattr(runner_module, "run_cell", failing)
    outcome, _ = run(tiny("grid-lines", "pie", "pie-4x"))
    assert outcome.missing == {("lines", "pie"): "failed: the loss is no longer finite"}
    assert set(outcome.cells) == {("lines", "pie-4x")}
    assert run.results()["cases"]["lines"]["methods"]["pie"]["missing"].startswith("failed")


def test_scans_are_made_once(run, datasets, monkeypatch):
    run(tiny("grid-lines", "pie", seed=3))
    made = set(datasets.iterdir())

    def refuse(_: SimulationConfig):
        raise AssertionError("a cached scan was made again")

    monkeypatch.setattr("ptychopinn.studies.dataset_cache.simulate", refuse)
    run(tiny("grid-lines", "pie-4x", seed=3))
    assert set(datasets.iterdir()) == made


def test_the_same_seed_gives_the_same_figures(tmp_path):
    """With scans made anew; for a training see the stopped one."""
    study = tiny("grid-lines", "pie")
    first, again = (runner_module.run_study(study, tmp_path / name) for name in "ab")
    for key, cell in first.cells.items():
        assert again.cells[key].figures == cell.figures
        np.testing.assert_array_equal(again.cells[key].images()["image"], cell.images()["image"])
