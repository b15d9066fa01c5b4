import dataclasses

import numpy as np
import pytest
import torch
from scipy.special import xlogy

from ptychopinn.config import Config, GeneratorConfig, InferenceConfig, PieConfig
from ptychopinn.data import group_patterns
from ptychopinn.device import automatic_batch_size
from ptychopinn.errors import ConfigError, DataError
from ptychopinn.generators import CanvasGenerator
from ptychopinn.inference import ScanView, Streaming, reconstruct, whole_canvas
from ptychopinn.inference.batching import halve_until_it_fits
from ptychopinn.inference.checks import excess_deviance
from ptychopinn.physics.view import BatchView
from ptychopinn.scan import PatternBatch
from tests.conftest import make_scan, phase_error
from tests.test_bundle import make_bundle


def pie(stages=30, **inference):
    return Config(
        generator=GeneratorConfig(name="pie", pie=PieConfig(stages=stages)),
        inference=InferenceConfig(**inference),
    )


def whole_batch(scan):
    whole = np.floor(scan.positions_px)
    return PatternBatch(
        torch.from_numpy(scan.counts())[None],
        torch.from_numpy((whole - scan.n // 2).astype(np.int64))[None],
        torch.from_numpy((scan.positions_px - whole).astype(np.float32))[None],
        torch.from_numpy(scan.probe),
        torch.from_numpy(scan.mask.astype(np.float32)),
        scan.canvas_shape,
    )


@pytest.mark.parametrize("cache_mb", [0, 0.2, 100])
@pytest.mark.parametrize("batch_size", [1, 7, 500])
def test_streaming_sees_what_one_batch_sees(batch_size, cache_mb):
    """Batches, cache and corner-centred layout change nothing: the same sums as in training."""
    mask = np.ones((24, 24), dtype=bool)
    mask[5, 6:9] = False
    scan = make_scan(24, modes=2, mask=mask)
    view = ScanView(scan, Streaming(batch_size, torch.device("cpu"), cache_mb * 2**20))
    reference = BatchView(whole_batch(scan))
    torch.testing.assert_close(view.illumination, reference.illumination, rtol=1e-5, atol=1e-5)
    canvas = torch.randn(1, *scan.canvas_shape, dtype=torch.complex64)
    expected = reference.update(canvas)
    torch.testing.assert_close(
        view.update(canvas), expected, rtol=1e-3, atol=1e-3 * expected.abs().max().item()
    )


def test_the_image_is_in_the_frame_of_the_positions():
    """Pixel k of the object is pixel k of the positions: no shift, flip or transpose."""
    scan = make_scan(32, photons=1e7)
    result = reconstruct(scan, None, pie(60))
    assert result.object.shape == scan.canvas_shape
    assert phase_error(result.object, scan) < 0.03
    for wrong in (np.flip(result.object, 0), np.roll(result.object, 1, 1)):
        assert phase_error(np.ascontiguousarray(wrong), scan) > 0.06


def test_a_part_of_the_scan_keeps_the_frame():
    scan = make_scan(32, photons=1e7)
    part = scan.select(np.flatnonzero(scan.positions_px[:, 0] < scan.canvas_shape[0] / 2))
    result = reconstruct(part, None, pie(60))
    assert result.object.shape == scan.canvas_shape
    assert (result.object[-5:] == 0).all()


@pytest.mark.parametrize("photons", [1e4, 1e6, 1e9])
def test_doses(photons):
    scan = make_scan(32, photons=photons)
    assert phase_error(reconstruct(scan, None, pie()).object, scan) < (
        0.3 if photons < 1e5 else 0.1
    )


@pytest.mark.parametrize("name", ["pie", "unrolled"])
@pytest.mark.parametrize("n", [64, 128])
@pytest.mark.parametrize(("photons", "least"), [(1e4, 0.5), (1e6, 0.9), (1e9, 0.9)])
def test_large_patterns_do_not_come_out_flat(name, n, photons, least):
    """Trap: flat at N = 128 where N = 64 works, and at some doses only."""
    scan = make_scan(n, side=5, step=n / 9, photons=photons)
    shipped = Config(inference=InferenceConfig(checks=False))
    image = reconstruct(scan, None, pie(25, checks=False) if name == "pie" else shipped).object
    inner = (slice(n // 2, -n // 2), slice(n // 2, -n // 2))
    found, wanted = np.angle(image[inner]), np.angle(scan.truth[inner])
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > least


@pytest.mark.parametrize("name", ["unrolled", "cnn"])
def test_batch_size_does_not_change_the_answer(name):
    scan, bundle = make_scan(32, side=5), make_bundle(name)
    images = [
        reconstruct(scan, bundle, Config(inference=InferenceConfig(batch_size=size))).object
        for size in (1, 3, 64)
    ]
    for image in images[1:]:
        np.testing.assert_allclose(image, images[0], atol=2e-4)


def test_dark_surroundings_are_zero_and_coverage_says_where():
    scan = make_scan(32)
    result = reconstruct(scan, None, pie(3))
    assert result.coverage.max() == pytest.approx(1)
    assert np.isfinite(result.object).all()
    assert (result.object[result.coverage == 0] == 0).all()


def test_checks_find_photon_noise_and_a_wrong_probe():
    scan = make_scan(32, photons=1e6)
    right = reconstruct(scan, None, pie(40)).quality
    assert 0.3 < right["held_out_excess_deviance"] < 3
    y = np.arange(32)[:, None] - 16
    bent = (scan.probe * np.exp(0.02j * y**2)).astype(np.complex64)
    wrong = reconstruct(dataclasses.replace(scan, probe=bent), None, pie(40)).quality
    assert wrong["held_out_excess_deviance"] > 3 * right["held_out_excess_deviance"]
    assert right["half_data_frc_crossing"] > 0.1
    off = pie(40, checks=False)
    assert reconstruct(scan, None, off).quality == {}


@pytest.mark.parametrize("photons", [1e4, 1e9])
def test_deviance_of_the_truth_by_hand(photons):
    scan = make_scan(24, photons=photons)
    rate = make_scan(24, photons=photons, noise=False).patterns.astype(np.float64)
    counts = scan.counts().astype(np.float64)
    expected = 2 * np.mean(rate - counts + xlogy(counts, counts / rate))
    found = excess_deviance(scan, scan.truth, torch.device("cpu"))
    assert found == pytest.approx(expected, rel=0.05)
    assert (found > 0.8) == (photons > 1e6)


def allocate_too_much():
    torch.empty(2**60)


@pytest.mark.parametrize("exhaust", [allocate_too_much, lambda: np.empty(2**50)])
def test_memory_that_runs_out_halves_the_batch(caplog, exhaust):
    tried = []

    def work(size):
        tried.append(size)
        if size > 3:
            exhaust()
        return size

    assert halve_until_it_fits(work, 16) == 2
    assert tried == [16, 8, 4, 2]
    assert "going on with 8 patterns" in caplog.text
    with pytest.raises(DataError, match="not even one pattern"):
        halve_until_it_fits(lambda _: work(99), 4)
    with pytest.raises(RuntimeError, match="invalid"):
        halve_until_it_fits(lambda _: torch.zeros(2).view(3), 4)


def test_batch_size_follows_size_and_modes():
    cpu = torch.device("cpu")
    assert automatic_batch_size(128, 1, cpu) > automatic_batch_size(128, 4, cpu) >= 1
    assert automatic_batch_size(4096, 4, cpu) == 1


def test_few_patterns_are_reconstructed_without_checks():
    scan = make_scan(32).select(np.arange(5))
    result = reconstruct(scan, make_bundle("cnn"))
    assert result.quality == {}
    assert np.isfinite(result.object).all()
    with pytest.raises(DataError, match="found 3 patterns"):
        reconstruct(scan.select(np.arange(3)), make_bundle("cnn"))


def test_stitched_groups_and_halves_never_mix_scans(monkeypatch):
    scan = make_scan(32, side=4)
    labels = np.arange(scan.n_patterns) % 3 // 2  # 16 of one scan and 8 of another, interleaved
    seen = []

    def drawn(positions, size, count, *, scan_index, rng):
        groups = group_patterns(positions, size, count, scan_index=scan_index, rng=rng)
        seen.append((len(positions), scan_index, groups.indices))
        return groups

    monkeypatch.setattr(whole_canvas, "group_patterns", drawn)
    result = reconstruct(dataclasses.replace(scan, scan_index=labels), make_bundle("cnn"))
    assert [count for count, _, _ in seen] == [24, 12, 12]
    for _, found, members in seen:
        assert (found[members] == found[members[:, :1]]).all()
    assert [np.bincount(found).tolist() for _, found, _ in seen[1:]] == [[8, 4], [8, 4]]
    assert "held_out_misfit" in result.quality


def test_a_scan_too_small_for_two_halves_is_not_checked():
    scan = make_scan(32, side=4)
    labels = (np.arange(scan.n_patterns) >= 19).astype(int)  # 5 patterns of the second scan
    result = reconstruct(dataclasses.replace(scan, scan_index=labels), make_bundle("cnn"))
    assert result.quality == {}


def test_progress_counts_every_pattern_of_every_sweep():
    scan, seen = make_scan(24, side=4), []
    reconstruct(scan, None, pie(5, checks=False), on_progress=lambda *a: seen.append(a))
    assert {what for what, _, _ in seen} == {"reconstruct"}
    assert sum(done for _, done, _ in seen) == seen[0][2] == 5 * scan.n_patterns


def test_a_generator_that_needs_training_says_so():
    with pytest.raises(ConfigError, match="wants trained weights; give --bundle"):
        reconstruct(make_scan(24, side=4), None, Config(generator=GeneratorConfig(name="cnn")))


def test_unknown_devices():
    with pytest.raises(ConfigError, match="'gpu' is no device"):
        reconstruct(make_scan(24, side=4), None, pie(device="gpu"))
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="has none"):
            reconstruct(make_scan(24, side=4), None, pie(device="cuda"))


def test_canvas_generators_are_told_apart():
    assert isinstance(make_bundle("unrolled").generator, CanvasGenerator)
    assert not isinstance(make_bundle("cnn").generator, CanvasGenerator)
