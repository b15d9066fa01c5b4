"""Writes ptylab.hdf5 as PtyLab 0.3.7 lays out its example, and reads it with PtyLab.

    python -m pip install ptylab==0.3.7
    python make_ptylab.py

PtyLab has no function that writes a measurement; the names and types are those of
``PtyLab.io.generateSimulationData``. The patterns are stored transposed with orientation 4.
"""

from pathlib import Path

import h5py
import numpy as np
from PtyLab.ExperimentalData.ExperimentalData import ExperimentalData

HERE = Path(__file__).parent


def main() -> None:
    """Write the file and require that PtyLab reads the patterns and positions of scan.npz."""
    scan = np.load(HERE / "scan.npz")
    n, wavelength, dxd = scan["diff3d"].shape[-1], float(scan["wavelength_m"]), 75e-6
    pixel = float(scan["pixel_size_m"])
    positions = np.stack([scan["ycoords"], scan["xcoords"]], axis=1)
    encoder = (positions - np.array(scan["objectGuess"].shape) // 2) * pixel
    with h5py.File(HERE / "ptylab.hdf5", "w") as file:
        file.create_dataset(
            "ptychogram",
            data=scan["diff3d"].transpose(0, 2, 1),
            dtype="f",
            compression="gzip",
        )
        file["encoder"] = encoder
        file["dxd"] = (dxd,)
        file["zo"] = [[n * pixel * dxd / wavelength]]
        file["wavelength"] = (wavelength,)
        file["entrancePupilDiameter"] = (6 * pixel,)
        file["orientation"] = 4
    read = ExperimentalData(HERE / "ptylab.hdf5", operationMode="CPM")
    assert np.array_equal(read.ptychogram, scan["diff3d"])
    assert np.allclose(read.encoder, encoder)


if __name__ == "__main__":
    main()
