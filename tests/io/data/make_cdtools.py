"""Make cdtools.cxi with the writer of cdtools, and what cdtools itself reads in it.

    pip install cdtools-py==0.3.2
    python tests/io/data/make_cdtools.py

The detector is turned: its rows run to +x, its columns to -y, so that no sign or order can be
guessed right by chance.
"""

from pathlib import Path

import numpy as np
import torch
from cdtools.datasets import Ptycho2DDataset
from cdtools.tools.initializers import exit_wave_geometry
from cdtools.tools.interactions import translations_to_pixel

HERE = Path(__file__).parent
N, K = 16, 20


def main() -> None:
    rng = np.random.default_rng(5)
    counts = rng.poisson(40, (K, N, N)).astype(np.float32)
    translations = np.pad(rng.uniform(-2e-6, 2e-6, (K, 2)), ((0, 0), (0, 1)))
    mask = np.ones((N, N), dtype=bool)
    mask[3, 5:8] = False
    basis = np.array([[55e-6, 0.0, 0.0], [0.0, -75e-6, 0.0]]).T
    made = Ptycho2DDataset(
        translations,
        counts,
        mask=mask,
        wavelength=1.7e-9,
        detector_geometry={"distance": 0.12, "basis": torch.tensor(basis), "corner": None},
    )
    made.to_cxi(HERE / "cdtools.cxi")
    read = Ptycho2DDataset.from_cxi(HERE / "cdtools.cxi")
    geometry = read.detector_geometry
    pixels = exit_wave_geometry(
        torch.as_tensor(geometry["basis"], dtype=torch.float64),
        read.patterns.shape[-2:], float(read.wavelength), float(geometry["distance"]),
    )  # fmt: skip
    positions = translations_to_pixel(pixels, read.translations.to(torch.float64))
    np.savez(
        HERE / "cdtools_read.npz",
        positions_px=positions.numpy(),
        counts=read.patterns.numpy(),
        mask=read.mask.numpy(),
        pixel_m=np.linalg.norm(pixels.numpy(), axis=0),
        wavelength_m=float(read.wavelength),
    )


if __name__ == "__main__":
    main()
