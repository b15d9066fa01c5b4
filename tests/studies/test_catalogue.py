"""What each study is made of, and that each of them runs."""

import json

import pytest

from ptychopinn.cli.commands import STUDY
from ptychopinn.errors import ConfigError
from ptychopinn.studies import Outcome, build_study, study_names
from ptychopinn.studies.catalogue import STUDIES
from ptychopinn.studies.data_efficiency import fewest_patterns
from ptychopinn.studies.outcome import Cell
from tests.studies.conftest import tiny


def test_the_help_names_every_study():
    for name in study_names():
        assert name in STUDY.description
        assert name in STUDY.arguments[0].help


def test_an_unknown_study_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"did you mean 'lines'.*grid-lines.*transfer"):
        build_study("linse")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architectures": ("cnm",)}, "did you mean 'cnn'"),
        ({"architectures": ("pie",)}, "learns nothing"),
    ],
)
def test_unknown_architectures_are_refused(changes, words):
    with pytest.raises(ConfigError, match=words):
        tiny("dose", **changes)


def test_only_keeps_methods_and_cases():
    study = tiny("lines", "pie", "cnn", "C4-ideal")
    assert [method.name for method in study.methods] == ["cnn", "pie"]
    assert [case.name for case in study.cases] == ["C4-ideal"]
    with pytest.raises(ConfigError, match=r"'C5' is neither.*pie-4x.*C4-structured"):
        tiny("lines", "C5")


def test_side_by_side():
    names = [method.name for method in tiny("grid-lines").methods]
    assert names == [
        *("cnn", "cnn-supervised", "unrolled", "unrolled-fine-tuned"),
        *("pie", "pie-4x", "unrolled-zero-shot"),
    ]
    pie, patient = (m.config.inference.stages for m in tiny("grid-lines", "pie", "pie-4x").methods)
    assert patient == 4 * pie
    assert {"cnn-mae", "unrolled-mae"} <= {method.name for method in tiny("dose").methods}


@pytest.mark.parametrize("name", STUDIES)
def test_full_size_is_a_study_too(name):
    for size in (STUDIES[name].laptop, STUDIES[name].full):
        study = STUDIES[name].build(size, ("cnn", "unrolled"), 0)
        assert len({case.name for case in study.cases}) == len(study.cases) > 0
        for case in study.cases:
            assert (case.training_patterns or 0) <= case.train.patterns // 2


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_runs(run, name):
    outcome, _ = run(tiny(name, "pie"))
    assert not outcome.missing
    assert len(outcome.cells) == len(outcome.cases)
    assert (run.folder / f"{name}.png").stat().st_size > 5000


def test_cases_that_differ_in_what_pie_does_not_use_share_its_cell(run):
    run(tiny("lines", "pie"))
    assert len(list((run.folder / "cells").glob("*.json"))) == 2
    results = run.results()["cases"]
    assert results["C4-structured"]["published"]["paper.amplitude.ssim"] == 0.968


def test_a_training_serves_all_tests_of_a_transfer(run):
    cases = ("lines+zone-plate-to-lines+zone-plate", "lines+zone-plate-to-noise+disk")
    study = tiny("transfer", "cnn", *cases)
    outcome, states = run(study)
    assert states == ["done", "done"]
    assert len(list((run.folder / "models").iterdir())) == 1
    figures = [cell.figures for cell in outcome.cells.values()]
    assert json.dumps(figures[0]) != json.dumps(figures[1])


def test_training_patterns_reach_training(run):
    outcome, _ = run(tiny("data-efficiency", "cnn"))
    counts = [cell.settings["training"]["patterns"] for cell in outcome.cells.values()]
    assert counts == [16, 64]
    images = [cell.images()["image"] for cell in outcome.cells.values()]
    assert (images[0] != images[1]).any()


def test_fewest_patterns(tmp_path):
    def cell(ssim, steps=5):
        figures = {"paper": {"phase": {"ssim": ssim}}}
        return Cell("", {}, "m", figures, {}, steps, {}, {}, tmp_path)

    values = {str(count): {"training_patterns": count} for count in (16, 64, 256)}
    outcome = Outcome("data-efficiency", tuple(values), ("good", "bad", "pie"), values)
    for count, ssim in (("16", 0.85), ("64", 0.86), ("256", 0.9)):
        outcome.cells[count, "good"] = cell(ssim)
        outcome.cells[count, "bad"] = cell(ssim - 0.1)
        outcome.cells[count, "pie"] = cell(0.99, steps=0)
    (found,) = fewest_patterns(outcome).values()
    assert found == {"good": 64, "bad": None, "pie": 0}
