"""Other programs read what this package writes, each in an environment of its own.

    python tests/io/peers_read.py write FOLDER          (this package)
    python tests/io/peers_read.py ptychodus FOLDER      (ptychodus 1.7.0)
    python tests/io/peers_read.py ptylab FOLDER         (ptylab 0.3.7)
    python tests/io/peers_read.py cdtools FOLDER        (cdtools-py 0.3.2)

Each reader prints how far what it read is from what was written. FOLDER/expected.npz has the
counts, positions in pixels of the centre pixel N // 2, probe, object, bad pixels and lengths.
"""

import importlib
import sys
from pathlib import Path

import numpy as np


def write(folder: Path) -> None:
    """Write the scan of tests/io/data in all formats, and what is to be found in them."""
    io = importlib.import_module("ptychopinn.io")
    data = Path(__file__).parent / "data"
    scan = io.read_scan(data / "scan.npz")
    folder.mkdir(parents=True, exist_ok=True)
    for name in (
        *("product.h5", "product.npz", "scan_dp.hdf5", "scan.cxi", "scan.nxs", "scan.ptylab.h5"),
        "scan.tike.npz",
    ):
        io.write_scan(folder / name, scan)
    np.savez(
        folder / "expected.npz",
        counts=scan.counts(),
        positions=scan.positions_px,
        probe=scan.probe,
        truth=scan.truth,
        bad=~scan.mask,
        pixel=scan.pixel_size_m,
        wavelength=scan.wavelength_m,
    )


def read_by_ptychodus(folder: Path) -> dict[str, float]:
    """Return the largest differences of what Ptychodus prepares for a reconstruction."""
    io = importlib.import_module("ptychodus.api.io")
    wanted = np.load(folder / "expected.npz")
    product = io.load_product(folder / "product.h5")
    data = io.load_diffraction_data(folder / "diffraction.h5")
    return _prepared_by_ptychodus(data, product, wanted) | _npz_by_ptychodus(folder, wanted)


def _npz_by_ptychodus(folder: Path, wanted) -> dict[str, float]:
    """Return the same of the pair of NPZ files, which its plugins read."""
    products = importlib.import_module("ptychodus.plugins.npz_product_file")
    patterns = importlib.import_module("ptychodus.plugins.npz_diffraction_file")
    assemble = importlib.import_module("ptychodus.api.assemble")
    geometry = importlib.import_module("ptychodus.api.geometry")
    product = products.NPZProductFileIO().read(folder / "product.npz")
    dataset = patterns.NPZDiffractionFileIO().read(folder / "diffraction.npz")
    array = dataset[0]
    # The NPZ of Ptychodus has no detector; that of the HDF5 file stands for it.
    pixel = geometry.PixelGeometry(width_m=75e-6, height_m=75e-6)
    data = assemble.AssembledDiffractionData(
        array.get_indexes(), array.get_patterns(), pixel, dataset.get_bad_pixels()
    )
    found = _prepared_by_ptychodus(data, product, wanted)
    return {f"{what} (NPZ)": size for what, size in found.items()}


def _prepared_by_ptychodus(data, product, wanted) -> dict[str, float]:
    reconstruct = importlib.import_module("ptychodus.api.reconstruct")
    n = wanted["counts"].shape[-1]
    made = reconstruct.prepare_reconstruct_input(data, product)
    geometry = made.product.object_.get_geometry()
    where = made.product.probe_positions
    middles = np.stack(
        [
            geometry.map_probe_positions_to_object_y_px(where),
            geometry.map_probe_positions_to_object_x_px(where),
        ],
        axis=1,
    )
    metadata, detector = made.product.metadata, data.get_pixel_geometry()
    far_field = metadata.photon_wavelength_m * metadata.detector_distance_m / (n * detector.width_m)
    return {
        "counts": _largest(made.diffraction_patterns, wanted["counts"]),
        "positions": _largest(middles + n // 2 - (n - 1) / 2, wanted["positions"]),
        "probe": _largest(made.product.probes.get_probe_no_opr().get_array(), wanted["probe"]),
        "object": _largest(made.product.object_.get_layer(0), wanted["truth"]),
        "bad pixels": _largest(made.bad_pixels, wanted["bad"]),
        "pixel, relative": _largest(far_field / wanted["pixel"], 1),
    }


def read_by_ptylab(folder: Path) -> dict[str, float]:
    """Return the largest differences of what PtyLab reads."""
    data = importlib.import_module("PtyLab.ExperimentalData.ExperimentalData")
    wanted = np.load(folder / "expected.npz")
    read = data.ExperimentalData(folder / "scan.ptylab.h5", operationMode="CPM")
    dx = read.wavelength * read.zo / read.Ld
    middle = np.array(wanted["truth"].shape) // 2
    return {
        "counts": _largest(read.ptychogram, wanted["counts"]),
        "positions": _largest(read.encoder / dx + middle, wanted["positions"]),
        "pixel, relative": _largest(dx / wanted["pixel"], 1),
    }


def read_by_cdtools(folder: Path) -> dict[str, float]:
    """Return the largest differences of what cdtools reads, which keeps positions in float32.

    Its translations are those of the sample, x to the left and y downwards, about any origin. It
    reads NXcxi_ptycho as the CXI that it is, too.
    """
    datasets = importlib.import_module("cdtools.datasets")
    wanted = np.load(folder / "expected.npz")
    found = {}
    for name in ("scan.cxi", "scan.nxs"):
        read = datasets.Ptycho2DDataset.from_cxi(folder / name)
        moved = -read.translations.numpy()[:, 1::-1] / wanted["pixel"] - wanted["positions"]
        differences = {
            "counts": _largest(read.patterns.numpy(), wanted["counts"]),
            "positions": _largest(moved, moved.mean(axis=0)),
            "bad pixels": _largest(~read.mask.numpy().astype(bool), wanted["bad"]),
            "wavelength, relative": _largest(float(read.wavelength) / wanted["wavelength"], 1),
        }
        found |= {f"{what} ({name})": size for what, size in differences.items()}
    return found


def _largest(found, wanted) -> float:
    return float(np.abs(np.asarray(found, complex) - wanted).max())


if __name__ == "__main__":
    done, place = sys.argv[1], Path(sys.argv[2])
    if done == "write":
        write(place)
    else:
        readers = {
            "cdtools": read_by_cdtools,
            "ptychodus": read_by_ptychodus,
            "ptylab": read_by_ptylab,
        }
        found = readers[done](place)
        sys.stdout.writelines(f"{what:32} {size:.3g}\n" for what, size in found.items())
