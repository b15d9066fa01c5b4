import numpy as np
import pytest

from ptychopinn.config import PretrainingConfig
from ptychopinn.simulation.random_scans import SEEN_OBJECTS, draw_settings, random_scan

FEW = PretrainingConfig(pixels=2**14, largest_n=64)


def drawn(count, settings=FEW):
    rng = np.random.default_rng(0)
    return [draw_settings(settings, rng) for _ in range(count)]


def test_the_same_number_gives_the_same_scan_and_another_another():
    first, again, other = (random_scan(FEW, number) for number in (3, 3, 4))
    np.testing.assert_array_equal(first.scan.patterns, again.scan.patterns)
    assert first.settings == again.settings
    assert first.settings != other.settings


def test_the_draws_cover_what_they_should():
    settings = drawn(400, PretrainingConfig())
    assert {s.n for s in settings} == {64, 128, 256}
    assert {s.object for s in settings} == set(SEEN_OBJECTS)
    assert {s.probe for s in settings} == {"zone_plate", "disk", "gaussian"}
    assert {s.modes for s in settings} == {1, 2, 3}
    photons = np.log10([s.photons for s in settings])
    assert photons.min() < 3.3
    assert photons.max() > 8.7
    overlap = np.array([1 - s.step_px / (s.probe_size * s.n) for s in settings])
    assert overlap.min() < 0.45
    assert overlap.max() > 0.8
    assert any(s.gap_px for s in settings)
    assert any(s.dead_fraction for s in settings)


def test_photographs_and_square_apertures_are_kept_for_the_judgement():
    kinds = {s.object for s in drawn(300)} | {s.probe for s in drawn(300)}
    assert not {"photo", "square"} & kinds
    assert max(s.aberration_rad for s in drawn(300)) < 2


def test_wrong_probes_keep_their_power_and_wrong_positions_stay_on_the_canvas():
    settings = PretrainingConfig(
        pixels=2**14, largest_n=64, wrong_probe_share=1.0, wrong_positions_share=1.0
    )
    right = PretrainingConfig(
        pixels=2**14, largest_n=64, wrong_probe_share=0.0, wrong_positions_share=0.0
    )
    for number in range(4):
        bad, good = random_scan(settings, number), random_scan(right, number)
        np.testing.assert_array_equal(bad.scan.patterns, good.scan.patterns)
        assert bad.probe_is_wrong
        assert bad.positions_are_wrong
        assert np.sum(np.abs(bad.scan.probe) ** 2) == pytest.approx(
            np.sum(np.abs(good.scan.probe) ** 2), rel=1e-4
        )
        assert np.abs(bad.scan.probe - good.scan.probe).max() > 1e-3 * np.abs(good.scan.probe).max()
        off = np.abs(bad.scan.positions_px - good.scan.positions_px)
        assert 0 < off.max() < 5
