import numpy as np
import pytest

from ptychopinn.errors import ConfigError, DataError, ShapeError
from ptychopinn.evaluation.align import align

from .objects import (
    complex_noise,
    cycles_to_rad_per_px,
    inner,
    make_object,
    periodic_shift,
    ramp_field,
    texture,
)

FACTOR = 1.7 * np.exp(2.6j)


def disturbed(reference, shift, cycles, noise=0.0):
    """What `align` has to undo; returns the image and its ramp in rad/px."""
    ramp = cycles_to_rad_per_px(reference.shape, cycles)
    moved = periodic_shift(reference, (-shift[0], -shift[1]))
    image = FACTOR * ramp_field(reference.shape, ramp) * moved
    return image + complex_noise(reference.shape, noise), ramp


def relative_error(image, reference, weight):
    counted = weight > 0
    return np.linalg.norm((image - reference)[counted]) / np.linalg.norm(reference[counted])


@pytest.mark.parametrize("shape", [(80, 80), (75, 94)])
@pytest.mark.parametrize("kind", ["weak_phase", "phase", "diffuser", "amplitude", "both"])
@pytest.mark.parametrize(
    ("shift", "cycles"),
    [((0.3, -0.7), (0, 0)), ((-2.37, 1.81), (2, -1.3)), ((0.0, 6.45), (-0.4, 1.9))],
)
def test_shift_ramp_and_factor_are_recovered(shape, kind, shift, cycles):
    reference = make_object(kind, shape, smoothing_px=3)
    image, ramp = disturbed(reference, shift, cycles)
    found = align(image, reference, inner(shape, 10))
    assert found.note == ""
    assert found.shift_px == pytest.approx(shift, abs=0.02)
    assert found.ramp_rad_per_px == pytest.approx(ramp, abs=2e-4)
    assert abs(found.factor) == pytest.approx(abs(FACTOR), rel=2e-3)
    assert relative_error(found.image, reference, inner(shape, 20)) < 0.01


@pytest.mark.parametrize(("kind", "noise"), [("phase", 0.3), ("amplitude", 0.1), ("both", 0.3)])
def test_noise_costs_little_accuracy(kind, noise):
    reference = make_object(kind, (131, 140))
    shift = (1.62, -0.41)
    image, ramp = disturbed(reference, shift, (1.5, -2), noise)
    found = align(image, reference, inner(reference.shape, 8))
    assert found.shift_px == pytest.approx(shift, abs=0.05)
    assert found.ramp_rad_per_px == pytest.approx(ramp, abs=1e-3)


def test_what_is_reported_is_what_was_done():
    shape = (60, 75)
    reference = make_object("both", shape)
    ramp = cycles_to_rad_per_px(shape, (1.2, -0.6))
    image = FACTOR * ramp_field(shape, ramp) * np.roll(reference, (-3, 2), axis=(0, 1))
    found = align(image, reference, inner(shape, 6))
    assert found.shift_px == pytest.approx((3, -2), abs=1e-9)
    undone = image * np.conj(ramp_field(shape, found.ramp_rad_per_px)) / found.factor
    expected = np.roll(undone, (3, -2), axis=(0, 1))
    assert np.allclose(found.image[6:-6, 6:-6], expected[6:-6, 6:-6], atol=1e-9)
    assert found.to_dict()["shift_px"] == list(found.shift_px)
    assert found.to_dict()["factor_phase_rad"] == pytest.approx(np.angle(found.factor))


def test_equal_images_are_left_alone():
    reference = make_object("both", (64, 70))
    found = align(reference, reference)
    assert found.shift_px == (0.0, 0.0)
    assert np.abs(found.image - reference).max() < 1e-12
    assert np.array_equal(found.weight, np.ones((64, 70)))


@pytest.mark.parametrize("outside", [np.nan, 0.0, "noise"])
def test_what_lies_outside_the_weight_does_not_disturb(outside):
    shape = (128, 150)
    reference = make_object("both", shape)
    shift = (1.3, -2.6)
    image, ramp = disturbed(reference, shift, (0.8, 1.1))
    noise = 4 * complex_noise(shape, 1.0)
    outer = inner(shape, 16) == 0
    image = np.where(outer, noise if outside == "noise" else outside, image)
    reference = np.where(outer, noise[::-1] if outside == "noise" else outside, reference)
    weight = inner(shape, 22)
    found = align(image, reference, weight)
    assert found.shift_px == pytest.approx(shift, abs=0.02)
    assert found.ramp_rad_per_px == pytest.approx(ramp, abs=5e-4)
    assert np.isfinite(found.image).all()
    assert relative_error(found.image, reference, inner(shape, 34)) < 0.02


def test_a_shift_that_is_too_long_is_refused_and_noted():
    reference = make_object("phase", (96, 110))
    image, _ = disturbed(reference, (7.0, -6.0), (0, 0))
    weight = inner(reference.shape, 10)
    refused = align(image, reference, weight, max_shift_px=5)
    assert refused.shift_px == (0.0, 0.0)
    assert "max_shift_px = 5" in refused.note
    assert refused.to_dict()["note"] == refused.note
    accepted = align(image, reference, weight, max_shift_px=10)
    assert accepted.shift_px == pytest.approx((7.0, -6.0), abs=0.02)


def test_a_long_shift_of_a_strong_object_needs_the_start_without_phase():
    """Unshifted, the two hardly correlate, so that no ramp can be found at first."""
    reference = make_object("diffuser", (110, 120), smoothing_px=3)
    image, ramp = disturbed(reference, (-6.3, 5.2), (0.7, -0.4))
    found = align(image, reference, inner(reference.shape, 12))
    assert found.shift_px == pytest.approx((-6.3, 5.2), abs=0.02)
    assert found.ramp_rad_per_px == pytest.approx(ramp, abs=2e-4)


def test_a_shift_that_makes_the_images_agree_less_is_refused():
    """Weak detail has moved by (4, 3) px, strong slow structure has not."""
    shape = (96, 96)
    slow, detail = 1.5 * texture(shape, 12), 0.05 * texture(shape, 1.0, seed=8)
    reference = np.exp(1j * (slow + detail))
    image = np.exp(1j * (slow + np.roll(detail, (-4, -3), axis=(0, 1))))
    found = align(image, reference, inner(shape, 8))
    assert found.shift_px == (0.0, 0.0)
    assert "agree less" in found.note


def test_unrelated_images_are_not_shifted_far():
    found = align(make_object("phase", (64, 64)), make_object("phase", (64, 64), seed=7))
    assert np.hypot(*found.shift_px) <= 10


def test_without_registration_only_ramp_and_factor_go():
    reference = make_object("both", (70, 64))
    ramp = cycles_to_rad_per_px(reference.shape, (-1.6, 0.7))
    image = FACTOR * ramp_field(reference.shape, ramp) * reference
    found = align(image, reference, register=False)
    assert found.shift_px == (0.0, 0.0)
    assert found.ramp_rad_per_px == pytest.approx(ramp, abs=1e-8)
    assert found.factor == pytest.approx(FACTOR, abs=1e-8)
    assert np.abs(found.image - reference).max() < 1e-7


def test_the_phase_factor_keeps_the_amplitude():
    reference = make_object("both", (64, 64))
    found = align(FACTOR * reference, reference, register=False, factor="phase")
    assert abs(found.factor) == pytest.approx(1)
    assert np.allclose(found.image, abs(FACTOR) * reference)


def test_phase_errors_do_not_change_the_scale_of_the_amplitude():
    reference = make_object("both", (64, 64))
    image = 1.7 * reference * np.exp(1j * texture((64, 64), 1.0, seed=5))
    found = align(image, reference, register=False)
    assert abs(found.factor) == pytest.approx(1.7)


def test_pixels_from_outside_the_canvas_lose_their_weight():
    reference = make_object("both", (80, 84))
    image, _ = disturbed(reference, (2.4, -3.6), (0, 0))
    weight = align(image, reference).weight
    expected = np.ones((80, 84))
    expected[:3] = 0
    expected[:, -4:] = 0
    assert np.array_equal(weight, expected)


def small(value=1.0):
    return np.full((16, 18), value, dtype=complex)


@pytest.mark.parametrize(
    ("image", "reference", "options", "error"),
    [
        (small()[:-1], small(), {}, ShapeError),
        (small().real, small(), {}, ShapeError),
        (small(), small().real, {}, ShapeError),
        (small()[None], small()[None], {}, ShapeError),
        (small(), small(), {"weight": np.ones((16, 17))}, ShapeError),
        (small(np.nan), small(), {}, DataError),
        (small(), small(np.inf), {}, DataError),
        (small(0), small(), {}, DataError),
        (small(), small(0), {}, DataError),
        (small(), small(), {"factor": "amplitude"}, ConfigError),
        (small(), small(), {"max_shift_px": -1}, ConfigError),
    ],
)
def test_what_cannot_be_aligned_is_refused(image, reference, options, error):
    with pytest.raises(error):
        align(image, reference, **options)
