import math

import numpy as np
import pytest

from ptychopinn.errors import ConfigError, DataError, ShapeError
from ptychopinn.evaluation.frc import (
    THRESHOLDS,
    RingCorrelation,
    crossing,
    fourier_ring_correlation,
    threshold_curve,
)

from .objects import complex_noise, make_object, texture


def frc_by_loops(image, reference, windowed=True, weight=1.0):
    """Every Fourier sample is put on its ring by hand."""
    height, width = image.shape
    side = min(height, width)
    window = np.ones((height, width))
    if windowed:
        for y, x in np.ndindex(height, width):
            window[y, x] = (math.sin(math.pi * (y + 0.5) / height) ** 2
                            * math.sin(math.pi * (x + 0.5) / width) ** 2)  # fmt: skip
    window = window * weight
    spectra = []
    for field in (image, reference):
        mean = (window * field).sum() / window.sum()
        spectra.append(np.fft.fft2(window * (field - mean)))
    rings = {k: [0.0, 0.0, 0.0, 0] for k in range(1, side // 2 + 1)}
    for y, x in np.ndindex(height, width):
        fy = (y if y <= height / 2 else y - height) / height
        fx = (x if x <= width / 2 else x - width) / width
        k = round(math.hypot(fy, fx) * side)
        if k in rings:
            f, g = spectra[0][y, x], spectra[1][y, x]
            rings[k][0] += (f * g.conjugate()).real
            rings[k][1] += abs(f) ** 2
            rings[k][2] += abs(g) ** 2
            rings[k][3] += 1
    curve = [c / math.sqrt(f * g) for c, f, g, _ in rings.values()]
    return np.array(curve), [n for *_, n in rings.values()], side


@pytest.mark.parametrize("shape", [(24, 24), (25, 33), (40, 23)])
@pytest.mark.parametrize("part", [lambda field: field, np.abs])
def test_the_curve_is_its_definition(shape, part):
    reference = make_object("both", shape, smoothing_px=1.0)
    image = part(reference + complex_noise(shape, 0.2))
    reference = part(reference)
    expected, n, side = frc_by_loops(image, reference)
    curve = fourier_ring_correlation(image, reference)
    assert curve.correlation == pytest.approx(expected, abs=1e-10)
    assert curve.n.tolist() == n
    assert curve.frequency == pytest.approx(np.arange(1, side // 2 + 1) / side)
    assert curve.frequency[-1] <= 0.5


def test_a_weight_without_zeros_multiplies_the_window():
    shape = (31, 26)
    reference = make_object("both", shape, smoothing_px=1.0)
    image = reference + complex_noise(shape, 0.2)
    weight = np.random.default_rng(0).uniform(0.1, 1, size=shape)
    expected, _, _ = frc_by_loops(image, reference, weight=weight)
    found = fourier_ring_correlation(image, reference, weight).correlation
    assert found == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("shape", [(64, 64), (51, 70)])
def test_equal_images_correlate_fully(shape):
    reference = make_object("both", shape)
    curve = fourier_ring_correlation((3 + 0j) * reference + 5, reference)
    assert curve.correlation == pytest.approx(np.ones(min(shape) // 2))
    assert crossing(curve).reached_end


@pytest.mark.parametrize("snr", [0.3, 1.0, 5.0])
@pytest.mark.parametrize("shape", [(256, 256), (201, 320)])
def test_white_noise_of_known_strength_gives_the_known_curve(snr, shape):
    """Two noisy images: SNR / (SNR + 1); one against the truth: its square root."""
    truth = complex_noise(shape, np.sqrt(snr), seed=1)
    noisy = [truth + complex_noise(shape, 1.0, seed=seed) for seed in (2, 3)]
    halves = fourier_ring_correlation(*noisy)
    against = fourier_ring_correlation(noisy[0], truth)
    expected = snr / (snr + 1)
    spread = 3.0 / np.sqrt(halves.n)
    assert (np.abs(halves.correlation - expected) < 2 * spread)[2:].all()
    assert halves.correlation.mean() == pytest.approx(expected, abs=0.02)
    assert against.correlation.mean() == pytest.approx(math.sqrt(expected), abs=0.02)


def test_a_global_phase_lowers_the_curve_to_its_cosine():
    reference = make_object("both", (48, 48))
    curve = fourier_ring_correlation(reference * np.exp(1.2j), reference)
    assert curve.correlation == pytest.approx(np.full(24, math.cos(1.2)))


def test_the_window_keeps_the_jump_at_the_border_out():
    """A common slope jumps at the border; only the window stops that passing for detail."""
    shape = (90, 90)
    slope = np.indices(shape).sum(axis=0) * 0.1
    images = [slope + np.random.default_rng(seed).normal(size=shape) for seed in (1, 2)]
    fine = np.arange(1, 46) / 90 > 0.2
    assert fourier_ring_correlation(*images).correlation[fine].mean() == pytest.approx(0, abs=0.03)
    assert frc_by_loops(*images, windowed=False)[0][fine].mean() > 0.15


def test_garbage_without_weight_does_not_correlate():
    shape = (80, 96)
    signal = make_object("both", shape, smoothing_px=1.0)
    noisy = [signal + complex_noise(shape, 0.1, seed=seed) for seed in (1, 2)]
    weight = np.zeros(shape)
    weight[20:70, 20:80] = 1
    shared = 30 * complex_noise(shape, 1.0, seed=3)
    clean = fourier_ring_correlation(*noisy, weight)
    dirty = fourier_ring_correlation(*(np.where(weight > 0, f, shared) for f in noisy), weight)
    assert dirty.correlation == pytest.approx(clean.correlation, abs=1e-9)
    assert clean.correlation[-5:].max() < 0.5


def test_the_edge_of_a_weight_does_not_correlate():
    """A slow slope that both images share, cut off hard, would pass for common detail."""
    shape = (96, 96)
    y, x = np.indices(shape)
    weight = (np.hypot(y - 40, x - 50) < 30).astype(float)
    images = [0.3 * (y + x) + complex_noise(shape, 1.0, seed=seed) for seed in (1, 2)]
    fine = np.arange(1, 49) / 96 > 0.15
    curve = fourier_ring_correlation(*images, weight).correlation
    assert curve[fine].mean() == pytest.approx(0, abs=0.05)
    assert frc_by_loops(*images, weight=weight)[0][fine].mean() > 0.1


@pytest.mark.parametrize("n", [1, 10, 400, 1e8])
def test_half_bit_threshold_in_the_published_numbers(n):
    expected = (0.2071 + 1.9102 / math.sqrt(n)) / (1.2071 + 0.9102 / math.sqrt(n))
    assert threshold_curve("half_bit", np.array([n]))[0] == pytest.approx(expected, abs=1e-4)


def test_constant_thresholds_and_unknown_ones():
    n = np.array([3, 9])
    assert threshold_curve("half", n).tolist() == [0.5, 0.5]
    assert threshold_curve("one_seventh", n) == pytest.approx([1 / 7, 1 / 7])
    with pytest.raises(ConfigError, match="half_bit"):
        threshold_curve("half_bits", n)
    assert [threshold_curve(name, n).shape for name in THRESHOLDS] == [(2,)] * 3


def curve_of(*values):
    count = len(values)
    frequency = np.arange(1, count + 1) / (2 * count)
    return RingCorrelation(frequency, np.array(values, dtype=float), np.full(count, 100))


@pytest.mark.parametrize(
    ("values", "ring", "reached_end"),
    [
        ((1, 0.9, 0.7, 0.3, 0.1, 0, 0, 0), 3.5, False),  # straight between rings 3 and 4
        ((1, 0.9, 0.4, 0.4, 0.8, 0.6, 0.2, 0.1), 6.25, False),  # a dip of two rings is forgiven
        ((1, 0.9, 0.4, 0.4, 0.4, 0.9, 0.9, 0.9), 2.8, False),  # one of three is not
        ((0.1, 0.2, 0.9, 0.8, 0.2, 0, 0, 0), 4.5, False),  # poor first rings are forgiven
        ((1, 1, 1, 1, 1, 1, 1, 0.0), 7.5, False),  # a fall at the very end counts
        ((1, 1, 1, 1, 1, 1, 1, 1), 8, True),
        ((1, 0.2, 0.2, 1, 1, 1, 0.5, 0.5), 8, True),  # touching is not falling
        ((0.4, 0.3, 0.2, 0.1, 0, 0, 0, 0), 0, False),
        ((np.nan, 1, 0.8, np.nan, np.nan, np.nan, 0, 0), 3, False),
    ],
)
def test_crossing(values, ring, reached_end):
    found = crossing(curve_of(*values), "half")
    assert found.cycles_per_px == pytest.approx(ring / 16)
    assert found.reached_end is reached_end


def test_crossing_against_a_curve_that_depends_on_n():
    """Against half-bit the crossing is where the straight difference vanishes."""
    n = np.array([6, 12, 24, 48, 96, 192])
    correlation = np.array([1.0, 0.95, 0.8, 0.5, 0.2, 0.1])
    curve = RingCorrelation(np.arange(1, 7) / 12, correlation, n)
    difference = correlation - threshold_curve("half_bit", n)
    i = int(np.argmax(difference < 0))
    root = i + difference[i - 1] / (difference[i - 1] - difference[i])
    assert 2 < root < 5
    assert crossing(curve, "half_bit").cycles_per_px == pytest.approx(root / 12)


def test_resolution_in_metres():
    found = crossing(curve_of(1, 0.9, 0.7, 0.3, 0, 0, 0, 0), "half", pixel_size_m=7e-9)
    assert found.full_period_m == pytest.approx(7e-9 / (3.5 / 16))
    assert found.half_period_m == pytest.approx(found.full_period_m / 2)
    assert np.isnan(crossing(curve_of(1, 0, 0, 0)).half_period_m)
    never = crossing(curve_of(0, 0, 0, 0), pixel_size_m=1e-9)
    assert never.half_period_m == float("inf")
    assert never.to_dict()["half_period_m"] is None


def test_low_pass_noise_crosses_where_signal_and_noise_meet():
    """Signal exp(-(f/f0)^2) and white noise: FRC of halves is 1/2 where their powers are equal."""
    shape = (256, 256)
    fy, fx = np.meshgrid(*(np.fft.fftfreq(size) for size in shape), indexing="ij")
    f0, target = 0.1, 0.2
    transfer = np.exp(-(fy**2 + fx**2) / f0**2)
    truth = np.fft.ifft2(np.fft.fft2(complex_noise(shape, 1.0)) * transfer)
    level = math.exp(-((target / f0) ** 2))
    noisy = [truth + complex_noise(shape, level, seed=seed) for seed in (5, 6)]
    found = crossing(fourier_ring_correlation(*noisy), "half")
    assert found.cycles_per_px == pytest.approx(target, abs=0.01)


def test_an_empty_spectrum_gives_no_numbers():
    curve = fourier_ring_correlation(np.ones((20, 20)), texture((20, 20)))
    assert not (np.abs(curve.correlation) > 1e-3).any()
    assert curve.to_dict()["frequency"][0] == 0.05


def test_bad_input_is_refused():
    field = make_object("both", (20, 20))
    with pytest.raises(ShapeError):
        fourier_ring_correlation(field[1:], field)
    with pytest.raises(ShapeError, match="larger region"):
        fourier_ring_correlation(field[:7], field[:7])
    field[2, 3] = np.nan
    with pytest.raises(DataError):
        fourier_ring_correlation(field, field)
