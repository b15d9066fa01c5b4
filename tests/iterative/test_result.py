"""Going on from an image with our own solver, and what is refused."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from ptychopinn.config import IterativeConfig
from ptychopinn.errors import ConfigError, DataError
from ptychopinn.inference import fit_of
from ptychopinn.iterative import ENGINES, Solution, go_on
from ptychopinn.iterative import engines as engines_module
from tests.conftest import phase_error

PIE = IterativeConfig(epochs=12, device="cpu", threads=1)


@pytest.fixture(scope="module")
def went_on(bent_scan, image_of_bent):
    seen = []
    went = go_on(bent_scan, image_of_bent, PIE, lambda epoch, _: seen.append(epoch.number))
    assert seen == list(range(1, 13))
    return went.made, went.epochs


def test_pie_makes_image_and_probe_agree_with_the_patterns(
    went_on, bent_scan, image_of_bent, true_scan
):
    found, _ = went_on
    before = fit_of(bent_scan, image_of_bent, "cpu").deviance.mean()
    after = fit_of(bent_scan, found, "cpu").deviance.mean()
    assert after < 0.3 * before
    assert phase_error(found.object, true_scan) < 0.6 * phase_error(image_of_bent.object, true_scan)


def test_the_result_is_in_the_gauge_and_says_where_it_comes_from(went_on, image_of_bent):
    found, epochs = went_on
    assert found.object.shape == image_of_bent.object.shape
    assert np.linalg.norm(found.probe) == pytest.approx(
        np.linalg.norm(image_of_bent.probe), rel=1e-4
    )
    assert found.coverage.max() == 1
    told = found.provenance
    assert told["generator"] == "pie"
    assert told["iterative"]["epochs"] == 12
    assert told["started_from"]["generator"] == "pie"
    assert told["seconds_in_all"] >= told["seconds"]
    np.testing.assert_array_equal(found.start_probe, image_of_bent.probe)
    assert found.start_positions_px is None
    assert [epoch.number for epoch in epochs] == list(range(1, 13))
    assert all(a.seconds <= b.seconds for a, b in pairwise(epochs))
    assert epochs[-1].loss < epochs[0].loss


def test_a_frozen_probe_comes_back_bit_by_bit(bent_scan, image_of_bent):
    frozen = replace(PIE, refine_probe=False, epochs=2)
    found = go_on(bent_scan, image_of_bent, frozen).made
    np.testing.assert_array_equal(found.probe, image_of_bent.probe)
    assert found.start_probe is None


def test_modes_can_be_added(bent_scan, image_of_bent):
    found = go_on(bent_scan, image_of_bent, replace(PIE, probe_modes=3, epochs=2)).made
    assert found.probe.shape == (3, 24, 24)
    powers = (np.abs(found.probe) ** 2).sum(axis=(1, 2))
    assert (np.diff(powers) <= 0).all()


def test_positions_move_when_asked(bent_scan, image_of_bent):
    wanted = replace(PIE, refine_positions="points", epochs=6)
    found = go_on(bent_scan, image_of_bent, wanted).made
    assert np.abs(found.positions_px - image_of_bent.positions_px).max() > 0
    np.testing.assert_array_equal(found.start_positions_px, image_of_bent.positions_px)


def test_an_image_of_other_patterns_is_refused(bent_scan, image_of_bent):
    with pytest.raises(DataError, match="wanted the 63 of 24 x 24"):
        go_on(bent_scan.select(np.arange(5)), image_of_bent, PIE)


def test_more_modes_than_make_sense_are_refused(bent_scan, image_of_bent):
    n = bent_scan.n
    with pytest.raises(ConfigError, match=f"found {n + 1} incoherent modes, wanted 1 to {n} for"):
        go_on(bent_scan, image_of_bent, replace(PIE, probe_modes=n + 1))


def test_a_diverged_engine_is_refused(bent_scan, image_of_bent, monkeypatch):
    def diverge(start, *_):
        return Solution(start.object * np.nan, start.scan.probe, start.scan.positions_px, (), {})

    monkeypatch.setitem(engines_module.ENGINES, "pie", replace(ENGINES["pie"], solve=diverge))
    with pytest.raises(DataError, match="'pie' diverged"):
        go_on(bent_scan, image_of_bent, PIE)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"engine": "pie", "step": 1.0}, "leave out --step"),
        ({"probe_modes": 2, "refine_probe": False}, "refine_probe false|refine-probe false"),
        ({"engine": "lsqlm"}, "did you mean 'lsqml'"),
        ({"epochs": 0}, "epochs: expected >= 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, sentence):
    with pytest.raises(ConfigError, match=sentence):
        IterativeConfig(**settings)
