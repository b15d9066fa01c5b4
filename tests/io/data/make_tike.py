"""Writes tike.npz as `tike.ptycho.reconstruct` takes its arguments, with NumPy alone.

tike is on the package index, but it needs cupy and a GPU. So its documented layout is written:
``data`` with the zero frequency in the corner, ``scan`` = first pixels of the windows, a
(1, 1, modes, N, N) probe, ``measured_pixels`` True = good; with the leading axis of its test data.
"""

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def main() -> None:
    """Write tike.npz."""
    scan = np.load(HERE / "scan.npz")
    n = scan["diff3d"].shape[-1]
    positions = np.stack([scan["ycoords"], scan["xcoords"]], axis=1)
    np.savez_compressed(
        HERE / "tike.npz",
        data=np.fft.ifftshift(scan["diff3d"], axes=(1, 2)).astype(np.float32)[None],
        scan=(positions - n // 2)[None],
        probe=scan["probeGuess"][None, None, None],
        psi=scan["objectGuess"],
        measured_pixels=np.fft.ifftshift(~scan["bad_pixels"]),
    )


if __name__ == "__main__":
    main()
