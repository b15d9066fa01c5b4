"""The frame of pty-chi, both ways; pty-chi itself is not needed."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ptychopinn.errors import ShapeError
from ptychopinn.iterative import Frame, Start, hand_over, take_back
from ptychopinn.physics.canvas import extract_patches
from ptychopinn.physics.diffraction import predict_counts
from ptychopinn.physics.probe import shift_waves
from ptychopinn.scan import PatternBatch
from tests.conftest import make_scan

SIZES = pytest.mark.parametrize("n", [32, 33])


def start(n: int = 32, **kwargs) -> Start:
    scan = make_scan(n, **kwargs)
    return Start(scan, scan.truth)


def predicted_in_their_frame(given) -> np.ndarray:
    """What a window cut and a Fourier transform by the rules of pty-chi say, (K, N, N)."""
    n = given.probe.shape[-1]
    whole = np.round(given.positions_px)
    first = whole + np.array(given.frame.origin_px) - (n - 1) / 2
    assert np.allclose(first, np.round(first)), "a window begins between two pixels"
    corners = torch.from_numpy(first.astype(np.int64))[None]
    patches = extract_patches(torch.from_numpy(given.object), corners, n)[0]
    fractions = torch.from_numpy((given.positions_px - whole).astype(np.float32))
    probes = shift_waves(torch.from_numpy(given.probe[0])[None], fractions[:, None])
    waves = torch.fft.fft2(probes * patches[:, None])
    return waves.abs().square().sum(dim=1).numpy()


def predicted_in_ours(case: Start) -> np.ndarray:
    scan = case.scan
    whole = np.floor(scan.positions_px)
    batch = PatternBatch(
        counts=torch.empty(0),
        corners=torch.from_numpy((whole - scan.n // 2).astype(np.int64))[None],
        fractions=torch.from_numpy(scan.positions_px - whole)[None].float(),
        probe=torch.from_numpy(scan.probe),
        mask=torch.ones(scan.n, scan.n),
        canvas_shape=scan.canvas_shape,
    )
    expected = predict_counts(torch.from_numpy(case.object)[None], batch)[0]
    return torch.fft.ifftshift(expected, dim=(-2, -1)).numpy()


@SIZES
@pytest.mark.parametrize("modes", [1, 3])
def test_both_frames_predict_the_same_photons(n, modes):
    case = start(n, modes=modes, side=4)
    ours, theirs = predicted_in_ours(case), predicted_in_their_frame(hand_over(case))
    # Rounding instead of rounding down moves the wrap of the probe's window, which is nearly dark.
    np.testing.assert_allclose(theirs, ours, atol=2e-3 * ours.max())
    moved = replace(case.scan, positions_px=case.scan.positions_px + np.array([0.0, 1.0]))
    wrong = predicted_in_their_frame(hand_over(Start(moved, case.object)))
    assert np.abs(wrong - ours).max() > 0.02 * ours.max()


@SIZES
def test_whole_positions_give_the_very_windows(n):
    scan = make_scan(n, side=4)
    case = Start(replace(scan, positions_px=np.round(scan.positions_px)), scan.truth)
    ours, theirs = predicted_in_ours(case), predicted_in_their_frame(hand_over(case))
    np.testing.assert_allclose(theirs, ours, rtol=1e-3, atol=1e-5 * ours.max())


@SIZES
def test_patterns_and_mask_have_their_zero_frequency_in_the_corner(n):
    good = np.ones((n, n), dtype=bool)
    good[n // 2 - 3, n // 2 + 1] = False
    case = start(n, side=3, mask=good, noise=False)
    given = hand_over(case)
    assert not given.mask[-3, 1]
    assert given.mask.sum() == n * n - 1
    bright = given.patterns.mean(axis=0)
    assert bright[0, 0] == case.scan.counts()[:, n // 2, n // 2].mean()
    assert (given.patterns[:, -3, 1] == 0).all()


@SIZES
@pytest.mark.parametrize("modes", [1, 2])
def test_what_comes_back_unchanged_is_what_was_handed_over(n, modes):
    case = start(n, modes=modes, side=3)
    given = hand_over(case)
    image, probe, positions = take_back(given, given.object, given.probe, given.positions_px)
    np.testing.assert_allclose(image, case.object, rtol=1e-5)
    np.testing.assert_allclose(positions, case.scan.positions_px, atol=1e-9)
    # Modes come back orthogonal: the same light everywhere, whatever mixes them.
    light = (np.abs(case.scan.probe) ** 2).sum(axis=0)
    np.testing.assert_allclose((np.abs(probe) ** 2).sum(axis=0), light, rtol=1e-3, atol=1e-2)
    assert abs(np.vdot(probe[0], probe[-1])) < 1e-3 * np.linalg.norm(probe) ** 2 or modes == 1


def test_scale_between_object_and_probe_is_put_right():
    case = start(modes=2, side=3)
    given = hand_over(case)
    q = np.complex64(1.7)
    image, probe, _ = take_back(given, given.object * q, given.probe / q, given.positions_px)
    np.testing.assert_allclose(image, case.object, rtol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(probe), np.linalg.norm(case.scan.probe), rtol=1e-5)


def test_axes_are_not_exchanged():
    frame = Frame((100, 40), 32)
    assert frame.to_theirs(np.array([[103.0, 41.5]])).tolist() == [[3.0, 1.5]]
    assert frame.to_ours(np.array([[3.0, 1.5]], dtype=np.float32)).tolist() == [[103.0, 41.5]]
    assert frame.origin_px == (100.5, 40.5)
    assert Frame((100, 40), 33).origin_px == (101.0, 41.0)


def test_positions_come_back_onto_the_canvas():
    case = start(side=3)
    given = hand_over(case)
    away = given.positions_px + np.array([1000.0, -1000.0])
    _, _, positions = take_back(given, given.object, given.probe, away)
    replace(case.scan, positions_px=positions)  # refuses windows outside the canvas


def test_an_object_of_another_size_is_refused():
    case = start(side=3)
    with pytest.raises(ShapeError, match="object"):
        hand_over(Start(case.scan, case.object[1:]))
