"""What several tests share: small scans made by the physics, and where the real one lies."""

import os
from pathlib import Path

# Small arrays gain nothing from a second thread, and a busy machine loses much by it. Set before
# torch is imported, and inherited by the commands that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
import torch

from ptychopinn.physics.diffraction import predict_counts
from ptychopinn.scan import PatternBatch, Scan, canvas_covering

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
REAL_SCAN = SHARED / "aps_siemens_star.npz"
REAL_REFERENCE = SHARED / "aps_siemens_star_reference.npz"


@pytest.fixture(autouse=True)
def _same_numbers_every_time():
    torch.manual_seed(0)


@pytest.fixture
def real_scan_files():
    """Paths of the measurement and its reference, or a skip that says why."""
    if not REAL_SCAN.exists() or not REAL_REFERENCE.exists():
        pytest.skip(f"the real measurement is not here: {SHARED}")
    return REAL_SCAN, REAL_REFERENCE


def smooth_probe(n: int, modes: int, seed: int = 0) -> np.ndarray:
    """Complex modes, well inside the window and band-limited, without any symmetry."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:n, :n] - n // 2
    spot = np.exp(-(y**2 + x**2) / (2 * (n / 7) ** 2)) * np.exp(1j * (y**2 - 0.3 * x * y) / n)
    shapes = [
        spot * (1 + 0.1 * m * (y + 0.5 * x) * rng.uniform(0.5, 1)) / (1 + m) for m in range(modes)
    ]
    return np.stack(shapes).astype(np.complex64)


def asymmetric_object(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """A smooth random object with an L-shaped mark, different under every flip and transpose."""
    rng = np.random.default_rng(seed)
    fy, fx = np.meshgrid(np.fft.fftfreq(shape[0]), np.fft.fftfreq(shape[1]), indexing="ij")
    low = np.exp(-(fy**2 + fx**2) / (2 * 0.05**2))
    fields = [np.fft.ifft2(np.fft.fft2(rng.normal(size=shape)) * low).real for _ in range(2)]
    phase, absorption = (f / np.abs(f).max() for f in fields)
    height, width = shape
    phase[height // 4 : height // 2, width // 3 : width // 3 + 4] += 0.6
    phase[height // 2 - 4 : height // 2, width // 3 : 2 * width // 3] += 0.6
    return ((0.9 + 0.1 * absorption) * np.exp(1j * phase)).astype(np.complex64)


def make_scan(
    n: int = 32,
    *,
    modes: int = 1,
    side: int = 7,
    step: float = 4.3,
    photons: float = 1e5,
    noise: bool = True,
    seed: int = 0,
    mask: np.ndarray | None = None,
) -> Scan:
    """A jittered raster over an asymmetric object on a canvas that is not square."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side + 2), indexing="ij"), -1)
    positions = grid.reshape(-1, 2) * step + rng.uniform(-1, 1, (grid.size // 2, 2))
    positions += n // 2 + 3 - positions.min(axis=0)
    height, width = canvas_covering(positions, n)
    shape = (height + 2, width + 5)
    truth = asymmetric_object(shape, seed)
    probe = smooth_probe(n, modes, seed)
    probe *= np.sqrt(photons / (np.abs(probe) ** 2).sum())
    whole = np.floor(positions)
    batch = PatternBatch(
        counts=torch.empty(0),
        corners=torch.from_numpy((whole - n // 2).astype(np.int64))[None],
        fractions=torch.from_numpy(positions - whole)[None],
        probe=torch.from_numpy(probe),
        mask=torch.ones(n, n),
        canvas_shape=shape,
    )
    expected = predict_counts(torch.from_numpy(truth)[None], batch)[0].numpy()
    counts = rng.poisson(expected).astype(np.uint32) if noise else expected
    good = np.ones((n, n), dtype=bool) if mask is None else mask
    return Scan(
        patterns=counts,
        positions_px=positions,
        probe=probe,
        mask=good,
        canvas_shape=shape,
        truth=truth,
        name="test scan",
    )


def phase_error(image: np.ndarray, scan: Scan, margin: int | None = None) -> float:
    """RMS phase difference to the truth in the middle, without global phase."""
    cut = margin or scan.n // 2 + 4
    inner = (slice(cut, -cut), slice(cut, -cut))
    product = image[inner] * np.conj(scan.truth[inner])
    product = product * np.exp(-1j * np.angle(product.sum()))
    return float(np.sqrt((np.angle(product) ** 2).mean()))
