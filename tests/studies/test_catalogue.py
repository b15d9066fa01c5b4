"""What each study is made of, and that each of them runs."""

import csv
import json
from dataclasses import replace

import pytest

from ptychopinn.cli.commands import STUDY
from ptychopinn.config import GeneratorConfig
from ptychopinn.errors import ConfigError
from ptychopinn.generators import GeneratorSize, build_generator
from ptychopinn.studies import Outcome, StudyOptions, build_study, study_names
from ptychopinn.studies.catalogue import STUDIES
from ptychopinn.studies.data_efficiency import fewest_patterns
from ptychopinn.studies.outcome import Cell
from tests.studies.conftest import TINY, tiny


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


def test_the_size_reaches_the_networks_with_spectral_layers():
    for full in (False, True):
        study = build_study("dose", StudyOptions(full=full, architectures=("cnn", "fno", "uno")))
        found = {method.name: method.config.generator.fno for method in study.methods}
        size = STUDIES["dose"].full if full else STUDIES["dose"].laptop
        assert found["fno"] == found["uno-supervised"] == size.fno
    assert STUDIES["dose"].full.fno.width > STUDIES["dose"].laptop.fno.width
    assert tiny("dose", architectures=("fno",)).methods[0].config.generator.fno.modes == 12
    small = replace(TINY, n=16)
    study = build_study("dose", StudyOptions(size=small, architectures=("fno",)))
    assert study.methods[0].config.generator.fno.modes == 8


@pytest.mark.parametrize("name", ["fno", "fno_vanilla", "ffno", "hybrid", "uno"])
def test_the_large_networks_can_be_built(name):
    settings = GeneratorConfig(name=name, fno=STUDIES["lines"].full.fno)
    large, default = (
        sum(p.numel() for p in build_generator(one, GeneratorSize(64, 4)).parameters())
        for one in (settings, GeneratorConfig(name=name))
    )
    assert large > 2 * default


def test_training_patterns_reach_training(run):
    outcome, _ = run(tiny("data-efficiency", "cnn", "16-patterns", "64-patterns"))
    counts = [cell.settings["training"]["patterns"] for cell in outcome.cells.values()]
    assert counts == [16, 64]
    images = [cell.images()["image"] for cell in outcome.cells.values()]
    assert (images[0] != images[1]).any()


def test_fewer_patterns_are_reconstructed_and_judged_where_they_shone(run):
    outcome, _ = run(tiny("data-efficiency", "pie"))
    few, more = (outcome.cells[f"{count}-reconstructed", "pie"] for count in TINY.parts)
    assert (few.settings["test_patterns"], more.settings["test_patterns"]) == TINY.parts
    areas = [
        cell.images()["weight"].sum() for cell in (few, more, outcome.cells["16-patterns", "pie"])
    ]
    assert 0 < areas[0] < areas[1] < areas[2]
    with (run.folder / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["reconstructed_patterns"] for row in rows] == ["", "", "9", "36"]
    assert [row["training_patterns"] for row in rows] == ["16", "64", "", ""]
    summary = run.results()["summary"]
    assert [name.split(" with")[0] for name in summary] == [
        "fewest training patterns",
        "fewest reconstructed patterns",
    ]


def test_all_parts_of_a_scan_are_reconstructed_after_one_training(run):
    outcome, _ = run(tiny("data-efficiency", "cnn"))
    assert len(outcome.cells) == 4
    assert len(list((run.folder / "models").iterdir())) == 2


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
    training, reconstructed = fewest_patterns(outcome).values()
    assert training == {"good": 64, "bad": None, "pie": 0}
    assert reconstructed == {"good": None, "bad": None, "pie": None}
    for count, ssim in ((9, 0.84), (36, 0.9)):
        outcome.values[f"{count}-reconstructed"] = {"reconstructed_patterns": count}
        outcome.cells[f"{count}-reconstructed", "pie"] = cell(ssim, steps=0)
    whole = replace(outcome, cases=tuple(outcome.values))
    _, reconstructed = fewest_patterns(whole).values()
    assert reconstructed == {"good": None, "bad": None, "pie": 36}
