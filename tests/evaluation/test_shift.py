import numpy as np
import pytest

from ptychopinn.evaluation.shift import (
    estimate_shift,
    estimate_shift_without_phase,
    shift_image,
)
from ptychopinn.evaluation.window import edge_taper

from .objects import cycles_to_rad_per_px, inner, make_object, periodic_shift, ramp_field

SHAPES = [(64, 64), (71, 96), (90, 67)]


def gaussian_spot(shape, centre, width=3.0):
    y, x = np.indices(shape)
    squared = (y - centre[0]) ** 2 + (x - centre[1]) ** 2
    return np.exp(-squared / (2 * width**2)) * np.exp(0.3j * (y - centre[0]))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("shift", [(0.3, -0.7), (4.0, 0.0), (-2.5, 3.25)])
def test_shift_image_moves_a_spot_to_where_it_should_be(shape, shift):
    centre = (30.0, 35.0)
    moved = shift_image(gaussian_spot(shape, centre), shift)
    expected = gaussian_spot(shape, (centre[0] + shift[0], centre[1] + shift[1]))
    assert np.abs(moved - expected).max() < 1e-5


def test_shift_image_leaves_an_unmoved_image_alone():
    image = make_object("both", (31, 40))
    assert np.array_equal(shift_image(image, (0.0, 0.0)), image)


def test_content_that_leaves_does_not_come_back():
    image = np.zeros((40, 40), dtype=complex)
    image[:, 36:] = 1
    moved = shift_image(image, (0.0, 10.0))
    assert np.abs(moved[:, :8]).max() < 0.3


@pytest.mark.parametrize("shape", SHAPES[:2])
@pytest.mark.parametrize("kind", ["weak_phase", "phase", "amplitude"])
def test_estimate_shift_repeated_finds_the_shift(shape, kind):
    reference = make_object(kind, shape)
    image = periodic_shift(reference, (-1.37, 0.81))
    window = edge_taper(inner(shape, 6), 8)
    total = np.zeros(2)
    for _ in range(6):
        total += estimate_shift(periodic_shift(image, total), reference, window)
    assert total == pytest.approx([1.37, -0.81], abs=0.015)


@pytest.mark.parametrize(
    ("kind", "cycles"),
    [
        ("weak_phase", (0, 0)),
        ("amplitude", (0.4, 0.5)),
        ("phase", (1.9, -1.4)),
        ("diffuser", (1.9, -1.4)),
        ("both", (1.9, -1.4)),
    ],
)
def test_shift_without_phase_is_blind_to_ramps_less_steep_than_the_object(kind, cycles):
    shape = (101, 128)
    reference = make_object(kind, shape)
    ramp = ramp_field(shape, cycles_to_rad_per_px(shape, cycles))
    image = periodic_shift(reference, (-3.2, 2.4)) * ramp * np.exp(1.3j)
    found = estimate_shift_without_phase(image, reference, edge_taper(inner(shape, 6), 12))
    assert found == pytest.approx((3.2, -2.4), abs=0.5)


def test_an_empty_image_is_not_shifted():
    flat = np.ones((32, 32), dtype=complex)
    assert estimate_shift(0 * flat, flat, np.ones((32, 32))) == (0.0, 0.0)
