import numpy as np
import pytest
import torch

from ptychopinn.physics.diffraction import diffract, predict_counts
from ptychopinn.physics.likelihood import poisson_excess
from ptychopinn.scan import PatternBatch
from tests.conftest import asymmetric_object, make_scan, smooth_probe


def excess(truth, batch):
    return poisson_excess(predict_counts(truth, batch), batch.counts, batch.mask).item()


def naive_counts(truth, probe, positions):
    """The forward model with loops and NumPy alone."""
    n = probe.shape[-1]
    nu = np.fft.fftfreq(n)
    patterns = []
    for position in positions:
        whole = np.floor(position).astype(int)
        f = position - whole
        y, x = whole - n // 2
        window = truth[y : y + n, x : x + n].astype(np.complex128)
        total = np.zeros((n, n))
        for mode in probe:
            ramp = np.exp(-2j * np.pi * (f[0] * nu[:, None] + f[1] * nu[None, :]))
            moved = np.fft.ifft2(np.fft.fft2(mode) * ramp)
            wave = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(moved * window)))
            total += np.abs(wave / n) ** 2
        patterns.append(total)
    return np.stack(patterns)


@pytest.mark.parametrize("n", [24, 25])
@pytest.mark.parametrize("modes", [1, 3])
def test_forward_model_against_loops(n, modes):
    rng = np.random.default_rng(3)
    truth, probe = asymmetric_object((60, 70)), smooth_probe(n, modes)
    positions = rng.uniform(n // 2 + 1, 60 - n // 2 - 2, (5, 2))
    whole = np.floor(positions)
    batch = PatternBatch(
        torch.empty(0),
        torch.from_numpy((whole - n // 2).astype(np.int64))[None],
        torch.from_numpy(positions - whole)[None],
        torch.from_numpy(probe.astype(np.complex128)),
        torch.ones(n, n),
        (60, 70),
    )
    counts = predict_counts(torch.from_numpy(truth.astype(np.complex128))[None], batch)[0].numpy()
    expected = naive_counts(truth, probe.astype(np.complex128), positions)
    np.testing.assert_allclose(counts, expected, rtol=1e-5, atol=1e-4 * expected.max())


def test_photons_are_conserved():
    probe = torch.randn(1, 1, 3, 16, 16, dtype=torch.complex128)
    patch = torch.polar(
        torch.ones(1, 2, 16, 16, dtype=torch.float64), torch.randn(1, 2, 16, 16).double()
    )
    total = diffract(patch, probe).sum(dim=(-2, -1))
    torch.testing.assert_close(total, probe.abs().square().sum().expand(1, 2))


def test_a_window_one_pixel_off_is_noticed():
    """Trap: (row, column) against (x, y), or a sign compensated elsewhere, at C = 1 and C = 4."""
    scan = make_scan(noise=False)
    truth = torch.from_numpy(scan.truth)[None]
    for size in (1, 4):
        chosen = np.arange(20, 20 + size)
        whole = np.floor(scan.positions_px[chosen])
        corners = torch.from_numpy((whole - scan.n // 2).astype(np.int64))[None]
        fractions = torch.from_numpy(scan.positions_px[chosen] - whole)[None]
        counts = torch.from_numpy(scan.counts(chosen))[None]
        batch = PatternBatch(
            counts,
            corners,
            fractions,
            torch.from_numpy(scan.probe),
            torch.ones(32, 32),
            scan.canvas_shape,
        )

        right = excess(truth, batch)
        swapped = excess(truth, batch._replace(fractions=fractions.flip(-1)))
        opposite = excess(truth, batch._replace(fractions=-fractions))
        beside = excess(truth, batch._replace(corners=corners + 1))
        assert right < 1e-2
        assert min(swapped, opposite, beside) > 20 * max(right, 1e-3)
