import json
from pathlib import Path

import numpy as np
import pytest

from ptychopinn.errors import ConfigError, DataError, ShapeError
from ptychopinn.evaluation import Region, compare, fourier_ring_correlation, measure, paper_metrics

from .objects import (
    complex_noise,
    cycles_to_rad_per_px,
    inner,
    make_object,
    periodic_shift,
    ramp_field,
)

SIEMENS_STAR = Path("/work/shared/data/aps_siemens_star_reference.npz")


def disturbed(reference, shift=(0.3, -0.7), cycles=(1.3, -0.8)):
    ramp = ramp_field(reference.shape, cycles_to_rad_per_px(reference.shape, cycles))
    return 1.3 * np.exp(2j) * ramp * periodic_shift(reference, (-shift[0], -shift[1]))


def test_a_disturbed_copy_is_recognised():
    reference = make_object("both", (120, 141), smoothing_px=3)
    found = compare(disturbed(reference), reference, region="y:20:100,x:15:130", pixel_size_m=5e-9)
    assert found.region == "y:20:100,x:15:130"
    assert found.box == Region((20, 100), (15, 130))
    assert found.image.shape == found.reference.shape == found.weight.shape == (80, 115)
    assert found.alignment.shift_px == pytest.approx((0.3, -0.7), abs=0.02)
    assert found.metrics.amplitude.ssim > 0.999
    assert found.metrics.phase.ssim > 0.999
    assert found.metrics.phase.rmse < 0.005
    assert found.metrics.complex_nrmse < 0.005
    assert found.paper.phase.psnr_db > 90
    low = found.frc.frequency < 0.1
    assert found.frc.correlation[low].min() > 0.999


def test_the_parts_are_those_of_the_cut():
    reference = make_object("both", (90, 80))
    image = reference + complex_noise(reference.shape, 0.1)
    weight = np.random.default_rng(0).uniform(0.5, 1, size=reference.shape)
    found = compare(image, reference, weight, "x:10:70", register=False)
    parts = found.image, found.reference, found.weight
    assert np.array_equal(found.weight, weight[:, 10:70])
    assert found.metrics == measure(*parts)
    assert found.paper == paper_metrics(*parts)
    assert np.array_equal(found.frc.correlation, fourier_ring_correlation(*parts).correlation)


def test_region_and_weight_both_count():
    reference = make_object("phase", (100, 100))
    image = np.where(inner((100, 100), 20) > 0, reference, 9 * complex_noise((100, 100), 1.0))
    found = compare(image, reference, inner((100, 100), 22), "y:0:60", register=False)
    assert found.box == Region((22, 60), (22, 78))
    assert found.metrics.complex_nrmse == pytest.approx(0, abs=1e-6)
    spoiled = compare(image, reference, None, "y:0:60", register=False)
    assert spoiled.metrics.complex_nrmse > 0.5


def test_options_reach_the_alignment():
    reference = make_object("both", (80, 80))
    image = disturbed(reference, shift=(3.0, 4.0), cycles=(0, 0))
    assert compare(image, reference, max_shift_px=2).alignment.note
    kept = compare(image, reference, factor="phase")
    assert kept.metrics.amplitude.mae > 0.2
    assert compare(image, reference).metrics.amplitude.mae < 0.02
    assert compare(image, reference, register=False).alignment.shift_px == (0.0, 0.0)


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_the_record_is_plain_json(noise):
    reference = make_object("phase", (60, 64)).astype(np.complex64)
    image = (reference + complex_noise(reference.shape, noise)).astype(np.complex64)
    plain = compare(image, reference, pixel_size_m=1e-8).to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert set(plain) == {"region", "box", "pixel_size_m", "removed", "metrics", "paper", "frc"}
    assert set(plain["frc"]["crossings"]) == {"half", "one_seventh", "half_bit"}
    assert plain["removed"]["factor_modulus"] == pytest.approx(1, abs=0.1)
    half = plain["frc"]["crossings"]["half"]
    assert half["half_period_m"] == pytest.approx(0.5e-8 / half["cycles_per_px"])


def test_more_noise_is_worse_in_every_figure():
    reference = make_object("both", (96, 96), smoothing_px=1.5)
    less, more = (
        compare(reference + complex_noise(reference.shape, sigma), reference)
        for sigma in (0.05, 0.3)
    )
    for part in ("amplitude", "phase"):
        good, bad = (getattr(found.metrics, part) for found in (less, more))
        assert good.mae < bad.mae
        assert good.psnr_db > bad.psnr_db
        assert good.ssim > bad.ssim
        assert good.ms_ssim > bad.ms_ssim
        published = [getattr(found.paper, part) for found in (less, more)]
        assert published[0].psnr_db > published[1].psnr_db
        assert published[0].ssim > published[1].ssim
    assert less.metrics.phase_correlation > more.metrics.phase_correlation
    assert less.crossings["half"].cycles_per_px > more.crossings["half"].cycles_per_px


def test_bad_input_is_refused():
    reference = make_object("both", (40, 40))
    with pytest.raises(ShapeError):
        compare(reference[1:], reference)
    with pytest.raises(ShapeError, match="11 x 11"):
        compare(reference, reference, region="y:5:15")
    with pytest.raises(ConfigError, match="beyond the canvas"):
        compare(reference, reference, region="y:5:50")
    with pytest.raises(ConfigError, match="pixel_size_m"):
        compare(reference, reference, pixel_size_m=0)
    with pytest.raises(DataError, match="in region 'y:0:20'"):
        compare(reference, reference, np.eye(40)[::-1] * (np.arange(40) > 25)[:, None], "y:0:20")


@pytest.mark.skipif(not SIEMENS_STAR.exists(), reason=f"{SIEMENS_STAR} is not on this machine")
def test_a_measured_object_is_recognised():
    """The measured canvas is noise of modulus up to 4 outside the scanned zone."""
    reference = np.load(SIEMENS_STAR)["object"]
    found = compare(disturbed(reference), reference, region="y:250:400,x:90:390")
    assert found.alignment.shift_px == pytest.approx((0.3, -0.7), abs=0.011)
    wanted = cycles_to_rad_per_px(reference.shape, (1.3, -0.8))
    assert found.alignment.ramp_rad_per_px == pytest.approx(wanted, abs=1e-5)
    assert abs(found.alignment.factor) == pytest.approx(1.3, abs=1e-3)
    assert found.metrics.amplitude.rmse < 0.005
    assert found.metrics.phase.rmse < 0.005
    assert found.metrics.phase.ssim > 0.998
    assert found.metrics.amplitude.ssim > 0.99
    assert found.crossings["half"].reached_end
