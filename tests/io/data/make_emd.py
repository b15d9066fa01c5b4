"""Writes emd.h5 as py4DSTEM 0.14 lays it out, with the package emdfile that it writes through.

    python -m pip install emdfile==0.0.16
    python make_emd.py

A datacube of 3 x 4 patterns of 16 x 16, steps in angstrom, detector in 1/angstrom.
"""

from pathlib import Path

import emdfile
import numpy as np

HERE = Path(__file__).parent


def main() -> None:
    """Write the first twelve patterns as a raster."""
    scan = np.load(HERE / "scan.npz")
    patterns = scan["diff3d"].reshape(3, 4, 16, 16)
    cube = emdfile.Array(
        patterns,
        name="datacube",
        units="pixel intensity",
        dims=[0.5, 0.5, 0.25, 0.25],
        dim_units=["A", "A", "A^-1", "A^-1"],
        dim_names=["Rx", "Ry", "Qx", "Qy"],
    )
    root = emdfile.Root(name="datacube_root")
    calibration = {
        "R_pixel_size": 0.5,
        "R_pixel_units": "A",
        "Q_pixel_size": 0.25,
        "Q_pixel_units": "A^-1",
        "QR_rotation_degrees": 12.0,
        "QR_flip": False,
    }
    root.metadata = emdfile.Metadata(name="calibration", data=calibration)
    root.tree(cube)
    emdfile.save(str(HERE / "emd.h5"), cube, mode="o")


if __name__ == "__main__":
    main()
