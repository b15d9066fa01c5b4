"""The CXI files of Ptychodus 1.7: a product with its patterns, in one file or in two."""

import h5py
import numpy as np
import pytest

from ptychopinn.config import DataConfig
from ptychopinn.errors import DataError
from ptychopinn.io import read_scan, recognise
from ptychopinn.io.geometry import ENERGIES_EV, photon_energy_ev
from tests.io.files import one_sentence
from tests.io.peers import MARKED, assert_same_scan, said, the_scan

CENTER_M = (-1.7e-6, 3.1e-6)
PRODUCT = {"entry_1/image_1", "entry_1/image_2", "entry_1/ptychodus", "entry_1/sample_1"}


def ptychodus_cxi(path, scan, **changes):
    """One file with everything; changes replace datasets by their last name, None removes one."""
    height, width = scan.truth.shape
    pixel, n = scan.pixel_size_m, scan.n
    middles = scan.positions_px - (n // 2 - (n - 1) / 2)
    y, x = ((middles - (np.array([height, width]) - 1) / 2) * pixel + CENTER_M).T
    detector, own = "entry_1/instrument_1/detector_1", "entry_1/ptychodus"
    items = {
        f"{detector}/data": scan.counts().astype(np.uint16),
        f"{detector}/mask": (~scan.mask).astype(np.uint32),
        f"{detector}/distance": 0.12,
        f"{detector}/x_pixel_size": 75e-6,
        f"{detector}/y_pixel_size": 75e-6,
        "entry_1/instrument_1/source_1/energy": photon_energy_ev(scan.wavelength_m)
        / ENERGIES_EV["j"],
        "entry_1/sample_1/geometry_1/translation": np.stack([x, y, 0 * x], axis=1),
        "entry_1/image_1/data": scan.probe[None],
        "entry_1/image_2/data": scan.truth[None],
        f"{own}/probe_position_indexes": np.arange(scan.n_patterns),
        **{f"{own}/{what}_pixel_{s}_m": pixel for what in ("probe", "object") for s in SIDES},
        f"{own}/object_center_y_m": CENTER_M[0],
        f"{own}/object_center_x_m": CENTER_M[1],
        f"{own}/loss_values": [2.0, 1.0],
    }
    for key in list(items):
        if (name := key.rpartition("/")[2]) in changes:
            items[key] = changes[name]
    with h5py.File(path, "w") as file:
        file["cxi_version"] = 160
        for key, value in items.items():
            if value is not None:
                file[key] = value
        file["entry_1/data_1/data"] = h5py.SoftLink(f"/{detector}/data")
        file["entry_1/data_1/translation"] = h5py.SoftLink(
            "/entry_1/sample_1/geometry_1/translation"
        )
    return path


SIDES = ("height", "width")


def in_two(folder, scan, **changes):
    """Move the product out of one file, as Ptychodus writes the two."""
    both = ptychodus_cxi(folder / "both.cxi", scan, **changes)
    patterns, product = folder / "diffraction.cxi", folder / "product.cxi"
    with h5py.File(both) as file:
        with h5py.File(patterns, "w") as made:
            file.copy("entry_1/instrument_1", made, "entry_1/instrument_1")
            made["entry_1/data_1/data"] = h5py.SoftLink("/entry_1/instrument_1/detector_1/data")
        with h5py.File(product, "w") as made:
            for key in PRODUCT:
                file.copy(key, made, key)
            source = "entry_1/instrument_1/source_1"
            file.copy(source, made, source)
            made["entry_1/data_1/translation"] = h5py.SoftLink(
                "/entry_1/sample_1/geometry_1/translation"
            )
    both.unlink()
    return patterns, product


def test_a_file_with_everything_is_the_scan(tmp_path):
    path = ptychodus_cxi(tmp_path / "a.cxi", the_scan())
    assert recognise(path) == "Ptychodus CXI"
    found = read_scan(path, MARKED)
    assert_same_scan(found, the_scan())
    assert "photon_energy_eV: 9998.73 eV" in said(found)


def test_patterns_and_product_find_each_other(tmp_path):
    patterns, product = in_two(tmp_path, the_scan())
    for place in (patterns, product, tmp_path):
        assert recognise(place) == "Ptychodus CXI"
        assert_same_scan(read_scan(place, MARKED), the_scan())


def test_positions_are_paired_by_the_numbers_of_the_patterns(tmp_path):
    """The product starts at pattern 2 and has one of pattern 99, which is not there."""
    numbers = np.r_[2:12, 0, 99]
    with h5py.File(ptychodus_cxi(tmp_path / "a.cxi", the_scan())) as file:
        moved = file["entry_1/sample_1/geometry_1/translation"][()][np.r_[2:12, 0, 1]]
    path = ptychodus_cxi(
        tmp_path / "b.cxi", the_scan(), translation=moved, probe_position_indexes=numbers
    )
    found = read_scan(path, MARKED)
    assert_same_scan(found, the_scan().select(np.r_[0, 2:12]))
    assert "1 patterns without a position are left out." in said(found)


@pytest.mark.parametrize(("kept", "gone"), [("diffraction", "product"), ("product", "diffraction")])
def test_half_a_scan_names_the_other_half(tmp_path, kept, gone):
    files = dict(zip(("diffraction", "product"), in_two(tmp_path, the_scan()), strict=True))
    files[gone].unlink()
    with pytest.raises(DataError) as error:
        read_scan(files[kept])
    words = f"without {gone}.cxi" if kept == "product" else "translations"
    assert one_sentence(str(error.value), files[kept], words)


def test_absurd_numbers_are_refused_and_can_be_said(tmp_path):
    path = ptychodus_cxi(tmp_path / "a.cxi", the_scan(), energy=10 / ENERGIES_EV["j"])
    with pytest.raises(DataError) as error:
        read_scan(path, MARKED)
    assert one_sentence(str(error.value), path, "10 eV", "--map energy=10keV")
    found = read_scan(path, DataConfig(bad_pixels="file", map="energy=10keV"))
    assert found.wavelength_m == pytest.approx(1.2398e-10, rel=1e-4)
    assert found.pixel_size_m == pytest.approx(the_scan().pixel_size_m)
