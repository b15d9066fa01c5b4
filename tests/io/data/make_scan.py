"""Makes scan.npz, the one scan that every other file here holds, with NumPy alone.

    python make_scan.py

12 patterns of 16 x 16 photons about an object of 30 x 34 pixels that no turn or mirror maps onto
itself; two incoherent probe modes; two bad pixels. Written as a PtychoPINN NPZ.
"""

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
N, SHAPE = 16, (30, 34)
PIXEL_M, WAVELENGTH_M = 1.25e-8, 1.24e-10


def make_probe() -> np.ndarray:
    """Two modes (2, N, N) without symmetry, in sqrt(photons)."""
    y, x = np.mgrid[:N, :N] - N // 2
    spot = np.exp(-(y**2 + x**2) / 12) * np.exp(0.2j * (y**2 - 0.3 * x * y + x))
    modes = np.stack([spot, 0.3 * spot * (y + 0.5 * x)])
    return (modes * np.sqrt(20_000 / (np.abs(modes) ** 2).sum())).astype(np.complex64)


def make_object() -> np.ndarray:
    """(H, W) with an L-shaped mark."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    phase = 0.4 * np.sin(0.35 * y) + 0.3 * np.cos(0.2 * x + 0.1 * y)
    phase[8:20, 10:13] += 0.8
    phase[17:20, 10:22] += 0.8
    return ((0.9 - 0.002 * x) * np.exp(1j * phase)).astype(np.complex64)


def make_positions(rng: np.random.Generator) -> np.ndarray:
    """(12, 2) float64 (y, x) of the centre pixels: a raster of 3 x 4 with jitter."""
    grid = np.stack(np.meshgrid(np.arange(3), np.arange(4), indexing="ij"), -1).reshape(-1, 2)
    return 9 + grid * (4.2, 4.6) + np.round(rng.uniform(-0.7, 0.7, (12, 2)), 3)


def predict(probe: np.ndarray, image: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Mean photons (N, N) of one pattern; the probe carries the part of a pixel."""
    whole = np.floor(position).astype(int)
    top, left = whole - N // 2
    ramp = [np.exp(-2j * np.pi * f * np.fft.fftfreq(N)) for f in position - whole]
    moved = np.fft.ifft2(np.fft.fft2(probe) * ramp[0][:, None] * ramp[1][None, :])
    waves = moved * image[top : top + N, left : left + N]
    far = np.fft.fftshift(np.fft.fft2(waves, norm="ortho"), axes=(1, 2))
    return (np.abs(far) ** 2).sum(axis=0)


def main() -> None:
    """Write scan.npz."""
    rng = np.random.default_rng(7)
    probe, image, positions = make_probe(), make_object(), make_positions(rng)
    counts = np.stack([rng.poisson(predict(probe, image, place)) for place in positions])
    bad = np.zeros((N, N), bool)
    bad[2, 3] = bad[11, 6] = True
    np.savez_compressed(
        HERE / "scan.npz",
        diff3d=np.where(bad, 0, counts).astype(np.uint16),
        ycoords=positions[:, 0],
        xcoords=positions[:, 1],
        probeGuess=probe,
        objectGuess=image,
        bad_pixels=bad,
        pixel_size_m=PIXEL_M,
        wavelength_m=WAVELENGTH_M,
    )


if __name__ == "__main__":
    main()
