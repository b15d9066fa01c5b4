import numpy as np
import pytest

from ptychopinn.config import SimulationConfig
from ptychopinn.simulation import (
    OBJECTS,
    POSITIONS,
    PROBES,
    expected_counts,
    pattern_batches,
    prepare,
    simulate,
    synthesis,
)


def small(**settings):
    return SimulationConfig(**{"n": 32, "patterns": 40, "step_px": 4.0, **settings})


def dft(n):
    """The centred orthonormal Fourier matrix, entry by entry."""
    index = np.arange(n) - n // 2
    return np.exp(-2j * np.pi * np.outer(index, index) / n) / np.sqrt(n)


def interpolation(n, fraction):
    """Matrix that evaluates the trigonometric polynomial through n samples at r - fraction."""
    distance = np.arange(n)[:, None] - fraction - np.arange(n)[None, :]
    top = (n - 1) // 2
    rows = sum(np.exp(2j * np.pi * nu * distance / n) for nu in range(-top, top + 1))
    if n % 2 == 0:
        rows = rows + np.cos(np.pi * distance)
    return rows / n


def naive_counts(image, probe, positions):
    """The forward model by loops and explicit sums, without torch and without an FFT."""
    n = probe.shape[-1]
    transform = dft(n)
    patterns = []
    for y, x in positions:
        top, left = int(np.floor(y)), int(np.floor(x))
        patch = image[top - n // 2 : top - n // 2 + n, left - n // 2 : left - n // 2 + n]
        rows, columns = interpolation(n, y - top), interpolation(n, x - left)
        total = np.zeros((n, n))
        for mode in probe.astype(np.complex128):
            wave = (rows @ mode @ columns.T) * patch
            total += np.abs(transform @ wave @ transform.T) ** 2
        patterns.append(total)
    return np.array(patterns)


@pytest.mark.parametrize("n", [32, 33])
@pytest.mark.parametrize("modes", [1, 3])
@pytest.mark.parametrize("kind", ["lines", "spokes"])
def test_expected_counts_are_those_of_a_naive_model(n, modes, kind):
    settings = small(
        n=n, modes=modes, object=kind, noise=False, patterns=6, step_px=7.3, aberration_rad=0.5
    )
    scan = simulate(settings)
    assert scan.patterns.dtype == np.float32
    naive = naive_counts(scan.truth, scan.probe, scan.positions_px)
    np.testing.assert_allclose(scan.patterns, naive, rtol=1e-3, atol=2e-6 * naive.max())


def test_the_same_settings_give_the_same_scan():
    first, second = simulate(small(seed=4)), simulate(small(seed=4))
    for name in ("patterns", "positions_px", "probe", "mask", "truth"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_another_seed_gives_another_scan():
    settings = {"object": "lines", "dead_fraction": 0.02, "defocus_rad": 3.0, "aberration_rad": 0.5}
    first, second = simulate(small(seed=4, **settings)), simulate(small(seed=5, **settings))
    for name in ("patterns", "positions_px", "probe", "mask"):
        assert (getattr(first, name) != getattr(second, name)).any()
    overlap = np.minimum(first.truth.shape, second.truth.shape)
    a, b = (scan.truth[: overlap[0], : overlap[1]] for scan in (first, second))
    assert np.abs(a - b).mean() > 0.05


def test_one_setting_leaves_the_other_parts_alone():
    plain = prepare(small(object="lines", aberration_rad=0.5))
    other = prepare(small(object="lines", aberration_rad=0.5, photons=1e4, dead_fraction=0.1))
    np.testing.assert_array_equal(plain.truth, other.truth)
    np.testing.assert_array_equal(plain.positions_px, other.positions_px)
    np.testing.assert_allclose(plain.probe / 10, other.probe, rtol=1e-5, atol=1e-5)
    assert not other.mask.all()


@pytest.mark.parametrize("kind", sorted(OBJECTS))
def test_the_mean_pattern_has_the_photons_that_were_asked_for(kind):
    settings = {"object": kind, "photons": 3e4, "amplitude_range": 0.6}
    exact = simulate(small(noise=False, **settings))
    assert exact.patterns.sum(axis=(1, 2)).mean() == pytest.approx(3e4, rel=1e-5)
    noisy = simulate(small(**settings))
    assert noisy.patterns.sum(axis=(1, 2)).mean() == pytest.approx(3e4, abs=4 * np.sqrt(3e4 / 40))
    assert 3e4 * 1.02 < np.sum(np.abs(noisy.probe) ** 2) < 3e4 / 0.4**2


def test_the_dose_of_a_long_scan_is_set_by_a_sample_of_it(monkeypatch):
    monkeypatch.setattr(synthesis, "DOSE_PATTERNS", 60)
    scan = simulate(small(patterns=300, noise=False))
    assert scan.patterns.sum(axis=(1, 2)).mean() == pytest.approx(1e6, rel=0.02)


@pytest.mark.parametrize("photons", [1e3, 1e6, 1e9])
def test_residuals_are_those_of_poisson_noise(photons):
    scan = simulate(small(photons=photons, modes=2))
    rates = expected_counts(scan.truth, scan.probe, scan.positions_px).astype(np.float64)
    lit = rates > 0.5
    residual = (scan.patterns[lit] - rates[lit]) ** 2 / rates[lit]
    spread = np.sqrt(np.mean(2 + 1 / rates[lit]) / lit.sum())
    assert lit.sum() > 3000
    assert abs(residual.mean() - 1) < 4 * spread


@pytest.mark.parametrize(
    ("settings", "dtype"),
    [
        ({"photons": 1e5}, np.uint16),
        ({"photons": 1e9}, np.uint32),
        ({"photons": 1e15}, np.uint64),
        ({"photons": 1e9, "noise": False}, np.float32),
    ],
)
def test_counts_are_stored_exactly_in_a_small_type(settings, dtype):
    scan = simulate(small(**settings))
    assert scan.patterns.dtype == dtype
    mean = scan.patterns.sum(axis=(1, 2), dtype=np.float64).mean()
    assert mean == pytest.approx(settings["photons"], rel=1e-2)


@pytest.mark.parametrize("noise", [True, False])
def test_masked_pixels_read_zero_and_only_they(noise):
    settings = {"patterns": 20, "noise": noise}
    scan = simulate(small(gap_px=2, dead_fraction=0.03, **settings))
    whole = simulate(small(**settings))
    assert 2 * 32 < (~scan.mask).sum() <= 2 * 32 + round(0.03 * 32 * 32)
    assert (scan.patterns[:, ~scan.mask] == 0).all()
    assert (whole.patterns[:, ~scan.mask] > 0).any()
    np.testing.assert_array_equal(scan.patterns[:, scan.mask], whole.patterns[:, scan.mask])


def test_batches_make_up_the_scan_and_can_be_drawn_again(monkeypatch):
    whole = simulate(small(noise=False)).patterns
    monkeypatch.setattr(synthesis, "BATCH_PIXELS", 7 * 32 * 32)
    experiment = prepare(small(noise=False))
    batches = list(pattern_batches(experiment))
    assert [len(batch) for batch in batches] == [7, 7, 7, 7, 7, 5]
    np.testing.assert_allclose(np.concatenate(batches), whole, rtol=1e-4, atol=1e-4 * whole.max())
    noisy = prepare(small())
    for first, second in zip(pattern_batches(noisy), pattern_batches(noisy), strict=True):
        np.testing.assert_array_equal(first, second)


def test_noise_differs_from_pattern_to_pattern():
    settings = small(scan="raster", jitter_px=0.0, amplitude_range=0.0, phase_range_rad=0.0)
    scan = simulate(settings)
    assert (scan.patterns[0] != scan.patterns[1]).any()
    rates = expected_counts(scan.truth, scan.probe, scan.positions_px[:2])
    np.testing.assert_allclose(rates[0], rates[1], rtol=1e-3, atol=1e-4 * rates.max())


def test_moving_object_and_positions_together_changes_nothing():
    experiment = prepare(small(aberration_rad=0.5, patterns=12))
    moved = np.pad(experiment.truth, ((5, 0), (0, 3)), constant_values=0.2)
    here = expected_counts(experiment.truth, experiment.probe, experiment.positions_px)
    there = expected_counts(moved, experiment.probe, experiment.positions_px + np.array([5, 0]))
    np.testing.assert_allclose(there, here, rtol=1e-4, atol=1e-5 * here.max())
    wrong = expected_counts(moved, experiment.probe, experiment.positions_px + np.array([0, 3]))
    assert np.abs(wrong - here).sum() > 0.05 * here.sum()


def test_swapping_rows_and_columns_everywhere_transposes_the_patterns():
    experiment = prepare(small(aberration_rad=0.5, modes=2, patterns=12))
    here = expected_counts(experiment.truth, experiment.probe, experiment.positions_px)
    swapped = expected_counts(
        np.ascontiguousarray(experiment.truth.T),
        np.ascontiguousarray(experiment.probe.swapaxes(1, 2)),
        np.ascontiguousarray(experiment.positions_px[:, ::-1]),
    )
    np.testing.assert_allclose(swapped.swapaxes(1, 2), here, rtol=1e-3, atol=1e-5 * here.max())
    assert np.abs(swapped - here).sum() > 0.05 * here.sum()


@pytest.mark.parametrize("scan_kind", sorted(POSITIONS))
@pytest.mark.parametrize("probe_kind", sorted(PROBES))
def test_every_probe_works_with_every_scan(scan_kind, probe_kind):
    scan = simulate(small(scan=scan_kind, probe=probe_kind, patterns=9, modes=2))
    assert scan.patterns.shape == (9, 32, 32)
    assert scan.truth.shape == scan.canvas_shape
    assert scan.domain == "counts"
    assert scan.name == "simulated spokes"
    assert len(scan.decisions) == 1
    assert "1e+06 photons" in scan.decisions[0]
    assert "linear overlap 64%" in scan.decisions[0]


def test_the_defaults_make_a_scan():
    scan = simulate()
    assert scan.patterns.shape == (400, 64, 64)
    assert scan.patterns.dtype == np.uint16
