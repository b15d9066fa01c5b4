"""Wrong units and absurd values are caught in every format, with the likely reading."""

import shutil

import h5py
import numpy as np
import pytest

from ptychopinn.config import DataConfig
from ptychopinn.errors import DataError
from ptychopinn.io import read_scan, write_scan
from ptychopinn.io.geometry import photon_wavelength_m
from tests.io.files import one_sentence
from tests.io.peers import DATA, MARKED, assert_same_scan, said, the_scan
from tests.io.test_dp_para import fold_slice

#: Folder of the files that Ptychodus wrote, the file with the energy, and one with patterns.
OF_PTYCHODUS = {
    "product": ("ptychodus_hdf5", "product.h5"),
    "product NPZ": ("ptychodus_npz", "product.npz"),
    "training": ("ptychodus_training", "training.h5"),
    "para": ("ptychodus_pair", "scan_para.hdf5"),
}


@pytest.fixture(params=OF_PTYCHODUS)
def of_ptychodus(request, tmp_path):
    """A file of Ptychodus that holds an energy, to be changed; its patterns are beside it."""
    folder, name = OF_PTYCHODUS[request.param]
    return shutil.copytree(DATA / folder, tmp_path / "copy") / name


def changed(path, **values):
    """Replace arrays, scalars and attributes under their names; None removes one."""
    if path.suffix == ".npz":
        with np.load(path) as file:
            arrays = {**file, **values}
        np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
        return path
    with h5py.File(path, "a") as file:
        for key, value in values.items():
            in_attributes = key in file.attrs
            for place in (file, file.attrs):
                if key in place:
                    del place[key]
            if value is not None:
                (file.attrs if in_attributes else file)[key] = value
    return path


def stored(path, key):
    if path.suffix == ".npz":
        with np.load(path) as file:
            return file[key]
    with h5py.File(path) as file:
        return file[key][()]


def test_kev_read_as_ev_is_refused(of_ptychodus):
    changed(of_ptychodus, photon_energy_eV=10.0)
    with pytest.raises(DataError) as error:
        read_scan(of_ptychodus)
    words = ("photon_energy_eV: found 10 eV", "likely 10 keV: say --map energy=10keV")
    assert one_sentence(str(error.value), of_ptychodus, *words)
    found = read_scan(of_ptychodus, DataConfig(map="energy=10keV", bad_pixels="file"))
    assert found.wavelength_m == pytest.approx(photon_wavelength_m(1e4))
    np.testing.assert_allclose(found.positions_px, the_scan().positions_px, atol=1e-6)


def test_the_energy_is_said(of_ptychodus):
    assert "photon_energy_eV: 9998.73 eV, a wavelength of 1.24e-10 m." in said(
        read_scan(of_ptychodus)
    )


def test_light_is_told_by_its_wavelength(of_ptychodus):
    changed(of_ptychodus, photon_energy_eV=1.96)
    with pytest.raises(DataError, match=r"wavelength=632\.572nm if it is light"):
        read_scan(of_ptychodus)
    found = read_scan(of_ptychodus, DataConfig(map="wavelength=632.8nm"))
    assert found.wavelength_m == pytest.approx(632.8e-9)


def test_an_absurd_object_pixel_is_refused(of_ptychodus):
    if of_ptychodus.name in ("product.h5", "scan_para.hdf5"):
        with h5py.File(of_ptychodus, "a") as file:
            for side in ("height", "width"):
                file["object"].attrs[f"pixel_{side}_m"] = 12.5
    else:
        changed(of_ptychodus, object_pixel_width_m=12.5, object_pixel_height_m=12.5)
    with pytest.raises(DataError) as error:
        read_scan(of_ptychodus)
    words = ("12.5 m", "it is likely 12.5 nm: correct it, or say energy, distance and pixel")
    assert one_sentence(str(error.value), of_ptychodus, *words)


#: Files with positions in metres: file to change, its folder or itself, keys of the positions.
IN_METRES = {
    "product": ("ptychodus_hdf5", "product.h5"),
    "product NPZ": ("ptychodus_npz", "product.npz"),
    "para": ("ptychodus_pair", "scan_para.hdf5"),
    "PtyLab": (None, "ptylab.hdf5"),
    "fold_slice": ("ptychodus_pair", "scan_para.hdf5"),
}


@pytest.mark.parametrize("kind", IN_METRES)
@pytest.mark.parametrize(("unit", "size_m"), [("um", 1e-6), ("px", 1.25e-8)])
def test_positions_in_another_unit_are_answered_with_it(tmp_path, kind, unit, size_m):
    folder, name = IN_METRES[kind]
    if folder is None:
        path = tmp_path / shutil.copy(DATA / name, tmp_path / name).name
    else:
        path = shutil.copytree(DATA / folder, tmp_path / "copy") / name
    if kind == "fold_slice":
        fold_slice(path, the_scan())
    keys = {"PtyLab": ("encoder",), "fold_slice": ("ppX", "ppY")}.get(
        kind, ("probe_position_x_m", "probe_position_y_m")
    )
    before = read_scan(path, MARKED).positions_px
    changed(path, **{key: stored(path, key) / size_m for key in keys})
    with pytest.raises(DataError) as error:
        read_scan(path, MARKED)
    words = ("between neighbours", f"{unit} (a step of 4.", f"--map position_unit={unit}")
    assert one_sentence(str(error.value), path, *words)
    found = read_scan(path, DataConfig(map=f"position_unit={unit}", bad_pixels="file"))
    moved = found.positions_px - before
    np.testing.assert_allclose(moved - moved[0], 0, atol=1e-6)


@pytest.mark.parametrize("name", ["a.npz", "a.tike.npz", "a_training.h5"])
def test_a_smaller_unit_read_as_pixels_is_refused(tmp_path, name):
    """Millimetres: 12.5 nm pixels are 5e-5 mm apart."""
    path = tmp_path / name
    write_scan(path, the_scan())
    keys = {
        "a.npz": ("xcoords", "ycoords"),
        "a.tike.npz": ("scan",),
        "a_training.h5": ("probe_position_x_px", "probe_position_y_px"),
    }[name]
    changed(path, **{key: stored(path, key) * 1.25e-5 for key in keys})
    with pytest.raises(DataError) as error:
        read_scan(path)
    likely = "position_unit=um energy=VALUE" if "tike" in name else "position_unit=mm"
    assert one_sentence(str(error.value), path, "a step of", likely)
    told = " energy=10keV distance=0.12097m pixel=75um" if "tike" in name else ""
    found = read_scan(path, DataConfig(map=f"position_unit=mm{told}", bad_pixels="file"))
    moved = found.positions_px - the_scan().positions_px
    np.testing.assert_allclose(moved - moved[0], 0, atol=1e-2)


def test_repeats_that_an_encoder_tells_apart_are_read(tmp_path):
    """Each place seen eight times, with a thousandth of a pixel between."""
    scan = the_scan().select(np.repeat(np.arange(12), 8))
    jitter = np.random.default_rng(0).normal(0, 1e-3, scan.positions_px.shape)
    scan = type(scan)(**{**vars(scan), "positions_px": scan.positions_px + jitter})
    for name in ("a.npz", "a.cxi", "a_product.h5", "a.ptylab.h5"):
        write_scan(tmp_path / name, scan)
        assert read_scan(tmp_path / name).n_patterns == 96


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"zo": 1.2e5}, ("zo", "120000 m", "wanted 0.001 to 1000 m")),
        ({"zo": 1500.0}, ("zo", "it is likely 1500 mm: say --map distance=1500mm")),
        ({"wavelength": 632.8}, ("likely 632.8 nm: say --map wavelength=632.8nm",)),
        ({"dxd": 75.0}, ("dxd", "it is likely 75 um: say --map pixel=75um")),
        (
            {"zo": 120.96774},
            ("encoder", "0.00417 object pixels", "check positions, energy, distance"),
        ),
    ],
)
def test_lengths_of_ptylab_have_to_be_plausible(tmp_path, changes, words):
    path = changed(tmp_path / shutil.copy(DATA / "ptylab.hdf5", tmp_path / "p.h5").name, **changes)
    with pytest.raises(DataError) as error:
        read_scan(path)
    assert one_sentence(str(error.value), path, *words)


def test_a_distance_of_ptylab_can_be_said(tmp_path):
    path = changed(tmp_path / shutil.copy(DATA / "ptylab.hdf5", tmp_path / "p.h5").name, zo=120.968)
    found = read_scan(path, DataConfig(map="distance=120.96774194mm", bad_pixels="file"))
    assert found.pixel_size_m == pytest.approx(the_scan().pixel_size_m, rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dx": [[12.5]]}, ("dx", "it is likely 12.5 nm: correct it")),
        ({"lambda": 0.124}, ("lambda", "it is likely 0.124 nm: say --map wavelength=0.124nm")),
    ],
)
def test_lengths_of_fold_slice_have_to_be_plausible(tmp_path, changes, words):
    path = shutil.copytree(DATA / "ptychodus_pair", tmp_path / "copy") / "scan_para.hdf5"
    fold_slice(path, the_scan(), **changes)
    with pytest.raises(DataError) as error:
        read_scan(path)
    assert one_sentence(str(error.value), path, *words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pixel_size_m": 12.5}, ("pixel_size_m", "it is likely 12.5 nm: correct it")),
        ({"wavelength_m": 1.24}, ("wavelength_m", "--map wavelength=1.24nm")),
    ],
)
def test_lengths_of_an_npz_have_to_be_plausible(tmp_path, changes, words):
    path = tmp_path / "a.npz"
    write_scan(path, the_scan())
    changed(path, **{key: np.array(value) for key, value in changes.items()})
    with pytest.raises(DataError) as error:
        read_scan(path)
    assert one_sentence(str(error.value), path, *words)


@pytest.mark.parametrize("wavelength_m", [632.8e-9, 1.97e-12])
@pytest.mark.parametrize("name", ["a_product.h5", "a_product.npz", "a_dp.hdf5", "a_training.h5"])
def test_light_and_electrons_come_back_from_our_own_files(tmp_path, name, wavelength_m):
    scan = type(the_scan())(**{**vars(the_scan()), "wavelength_m": wavelength_m})
    scan = type(scan)(**{**vars(scan), "pixel_size_m": 1e-6 if wavelength_m > 1e-9 else 2e-11})
    write_scan(tmp_path / name, scan)
    assert_same_scan(read_scan(tmp_path / name, MARKED), scan)
    place = tmp_path / name.replace("_dp", "_para")
    changed(place, photon_energy_eV=np.float64(10.0))
    with pytest.raises(DataError, match="energy=10keV"):  # what was changed is not believed
        read_scan(tmp_path / name)
