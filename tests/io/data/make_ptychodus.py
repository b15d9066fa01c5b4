"""Writes scan.npz as Ptychodus 1.7.0 does, with its own functions.

python -m pip install --no-deps ptychodus==1.7.0
python -m pip install numpy scipy h5py hdf5plugin pydantic scikit-image
python make_ptychodus.py
"""

from pathlib import Path

import numpy as np
from ptychodus.api.assemble import AssembledDiffractionData
from ptychodus.api.diffraction import (
    DiffractionDatasetLayoutNode,
    DiffractionMetadata,
    SimpleDiffractionArray,
    SimpleDiffractionDataset,
)
from ptychodus.api.geometry import ImageExtent, PixelGeometry
from ptychodus.api.io import save_diffraction_data, save_product, save_training_data
from ptychodus.api.object import Object, ObjectCenter
from ptychodus.api.probe import ProbeSequence
from ptychodus.api.probe_positions import ProbePosition, ProbePositionSequence
from ptychodus.api.product import LossValue, Product, ProductMetadata
from ptychodus.api.reconstruct import prepare_reconstruct_input
from ptychodus.plugins.cxi_file import CXIDiffractionFileWriter, CXIProductFileIO
from ptychodus.plugins.h5_diffraction_file import H5DiffractionFileWriter
from ptychodus.plugins.npz_diffraction_file import NPZDiffractionFileIO
from ptychodus.plugins.npz_product_file import NPZProductFileIO

HERE = Path(__file__).parent
DETECTOR_PIXEL = PixelGeometry(width_m=75e-6, height_m=75e-6)
#: Number of the first pattern, and where the object stands, so that neither is 0.
FIRST, CENTER = 5, ObjectCenter(x_m=3.1e-6, y_m=-1.7e-6)


def make_product(scan, indexes: np.ndarray) -> Product:
    """The scan as a product; a position is the middle of the window, (N - 1) / 2."""
    n = scan["probeGuess"].shape[-1]
    pixel = float(scan["pixel_size_m"])
    height, width = scan["objectGuess"].shape
    half = n // 2 - (n - 1) / 2
    x_m = (scan["xcoords"] - half - (width - 1) / 2) * pixel + CENTER.x_m
    y_m = (scan["ycoords"] - half - (height - 1) / 2) * pixel + CENTER.y_m
    energy_ev = 12398.419843320026 / (1e10 * float(scan["wavelength_m"]))
    geometry = PixelGeometry(width_m=pixel, height_m=pixel)
    return Product(
        metadata=ProductMetadata(
            name="scan",
            comments="",
            detector_distance_m=n * pixel * DETECTOR_PIXEL.width_m / float(scan["wavelength_m"]),
            photon_energy_eV=energy_ev,
            probe_photon_count=2e4,
            exposure_time_s=0.1,
            mass_attenuation_m2_per_kg=0.0,
            tomography_angle_deg=0.0,
        ),
        probe_positions=ProbePositionSequence(
            [ProbePosition(int(i), x, y) for i, x, y in zip(indexes, x_m, y_m, strict=True)]
        ),
        probes=ProbeSequence(scan["probeGuess"][None], None, geometry),
        object_=Object(scan["objectGuess"][None], geometry, CENTER, []),
        losses=[LossValue(0, 2.0), LossValue(1, 1.0)],
    )


def make_dataset(scan, indexes: np.ndarray) -> SimpleDiffractionDataset:
    """The patterns as a dataset of Ptychodus."""
    patterns = scan["diff3d"]
    metadata = DiffractionMetadata(
        num_patterns_per_array=[len(patterns)],
        pattern_dtype=patterns.dtype,
        detector_extent=ImageExtent(patterns.shape[2], patterns.shape[1]),
        detector_pixel_geometry=DETECTOR_PIXEL,
    )
    array = SimpleDiffractionArray("scan", indexes, patterns)
    tree = DiffractionDatasetLayoutNode.create_root()
    return SimpleDiffractionDataset(metadata, tree, [array], bad_pixels=scan["bad_pixels"])


def main() -> None:
    """Write all kinds of files; the product also has a position without a pattern."""
    scan = dict(np.load(HERE / "scan.npz"))
    indexes = np.arange(FIRST, FIRST + len(scan["diff3d"]))
    product = make_product(scan, indexes)
    data = AssembledDiffractionData(indexes, scan["diff3d"], DETECTOR_PIXEL, scan["bad_pixels"])
    kinds = ("hdf5", "npz", "training", "pair", "cxi")
    folders = {name: HERE / f"ptychodus_{name}" for name in kinds}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    save_diffraction_data(folders["hdf5"] / "diffraction.h5", data)
    save_product(folders["hdf5"] / "product.h5", product)
    dataset = make_dataset(scan, indexes)
    NPZDiffractionFileIO().write(folders["npz"] / "diffraction.npz", dataset)
    NPZProductFileIO().write(folders["npz"] / "product.npz", product)
    made = prepare_reconstruct_input(data, product)
    save_training_data(folders["training"] / "training.h5", made, inpaint_bad_pixels=False)
    H5DiffractionFileWriter("/dp").write(folders["pair"] / "scan_dp.hdf5", dataset)
    # Neither dp files nor CXI files have numbers of the patterns: they count from 0.
    counted = make_product(scan, np.arange(len(indexes)))
    save_product(folders["pair"] / "scan_para.hdf5", counted)
    CXIDiffractionFileWriter().write(folders["cxi"] / "diffraction.cxi", dataset)
    CXIProductFileIO().write(folders["cxi"] / "product.cxi", counted)


if __name__ == "__main__":
    main()
