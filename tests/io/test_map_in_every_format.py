"""What ``--map`` says is heeded or refused in every format, never passed over."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from ptychopinn.config import DataConfig
from ptychopinn.errors import ConfigError, DataError
from ptychopinn.io import MAP_NAMES, known_formats, read_scan, recognise, write_scan
from ptychopinn.io.file_map import LENGTHS
from ptychopinn.io.formats import FORMATS
from ptychopinn.io.geometry import electron_wavelength_m, photon_wavelength_m
from tests.io import hdf5_files
from tests.io.peers import DATA, the_scan
from tests.io.test_ptychodus_cxi import ptychodus_cxi

WRITTEN = {
    "PtychoPINN NPZ": "a.npz",
    "dp/para pair": "a_dp.hdf5",
    "Ptychodus training data": "a_training.h5",
    "Ptychodus": "a_product.h5",
    "tike NPZ": "a.tike.npz",
    "PtyLab": "a.ptylab.h5",
    "NXcxi_ptycho": "a.nxs",
    "CXI": "a.cxi",
    "ptypy": "a.ptyd",
}
HEEDS = {known.name: known.heeds for known in FORMATS}
OF_LENGTHS = [name for name, heeds in HEEDS.items() if heeds == LENGTHS]
#: Something to say under each name that can be read as what it should be.
SOMETHING = dict.fromkeys(MAP_NAMES, "run/data") | {
    "order": "xy",
    "position_unit": "um",
    "energy": "9keV",
    "wavelength": "0.1nm",
    "particle": "photons",
    "distance": "2m",
    "pixel": "75um",
    "scan": "3x4",
    "step": "3px",
    "angle": "1mrad",
    "rotation": "3deg",
}


def a_file(folder, kind):
    if kind in WRITTEN:
        write_scan(folder / WRITTEN[kind], the_scan())
        return folder / WRITTEN[kind]
    if kind == "Ptychodus CXI":
        return ptychodus_cxi(folder / "a.cxi", the_scan())
    if kind == "EMD":
        return shutil.copy(DATA / "emd.h5", folder / "a.h5")
    if kind == "EMPAD":
        frame = np.concatenate([np.ones(128 * 128, np.float32), np.zeros(256, np.float32)])
        np.tile(frame, 4).tofile(folder / "scan_x2_y2.raw")
        return folder / "scan_x2_y2.raw"
    if kind == "NPY patterns":
        np.save(folder / "a.npy", np.ones((2, 2, 8, 8)))
        return folder / "a.npy"
    return {"NXptycho": hdf5_files.nxptycho, "facility HDF5": hdf5_files.dectris}[kind](folder)


@pytest.mark.parametrize("kind", known_formats())
def test_what_a_kind_tells_itself_cannot_be_said(tmp_path, kind):
    path = a_file(tmp_path, kind)
    assert recognise(path) == kind
    refused = [name for name in MAP_NAMES if name not in HEEDS[kind] and name != "patterns"]
    assert refused
    for name in refused:
        with pytest.raises(ConfigError) as error:
            read_scan(path, DataConfig(map=f"{name}={SOMETHING[name]}"))
        assert f"{name}={SOMETHING[name]} for a file of the kind {kind}" in str(error.value)
        assert all(heeded in str(error.value) for heeded in HEEDS[kind])


@pytest.mark.parametrize("kind", OF_LENGTHS)
def test_lengths_take_the_place_of_those_of_the_file(tmp_path, kind):
    path, wavelength = a_file(tmp_path, kind), photon_wavelength_m(12e3)
    said = DataConfig(map="energy=12keV distance=0.15m pixel=60um", bad_pixels="file")
    found = read_scan(path, said)
    assert found.wavelength_m == pytest.approx(wavelength)
    pixel = wavelength * 0.15 / (16 * 60e-6)
    assert found.pixel_size_m == pytest.approx(pixel)
    # Positions in metres become other pixels; those in pixels stay.
    scale = 1 if kind in ("PtychoPINN NPZ", "tike NPZ", "Ptychodus training data") else None
    wanted = np.ptp(the_scan().positions_px, axis=0) * (scale or the_scan().pixel_size_m / pixel)
    np.testing.assert_allclose(np.ptp(found.positions_px, axis=0), wanted, rtol=1e-6)
    assert (found.truth is not None) == (scale == 1)


@pytest.mark.parametrize("kind", OF_LENGTHS)
def test_the_unit_of_positions_is_heeded(tmp_path, kind):
    """Positions in mm, which those of the file are not, are refused with the likely unit."""
    path = a_file(tmp_path, kind)
    lengths = "energy=10keV distance=0.12m pixel=75um"
    with pytest.raises(DataError, match="between neighbours") as error:
        read_scan(path, DataConfig(map=f"position_unit=mm {lengths}"))
    in_pixels = kind in ("PtychoPINN NPZ", "tike NPZ", "Ptychodus training data")
    assert f" {'px' if in_pixels else 'm'} (a step of 4." in str(error.value)


@pytest.mark.parametrize("kind", OF_LENGTHS)
def test_particles_go_with_an_energy(tmp_path, kind):
    path = a_file(tmp_path, kind)
    with pytest.raises(ConfigError, match="found particle=electrons alone"):
        read_scan(path, DataConfig(map="particle=electrons"))
    lengths = "energy=80keV particle=electrons distance=0.36m pixel=7um"
    found = read_scan(path, DataConfig(map=lengths, bad_pixels="file"))
    assert found.wavelength_m == pytest.approx(electron_wavelength_m(80e3))
    with pytest.raises(ConfigError, match="found energy and wavelength, wanted one"):
        read_scan(path, DataConfig(map="energy=9keV wavelength=0.1nm"))


@pytest.mark.parametrize("kind", OF_LENGTHS)
def test_a_dataset_in_place_of_a_number_is_refused(tmp_path, kind):
    with pytest.raises(ConfigError, match="wanted a number with its unit"):
        read_scan(a_file(tmp_path, kind), DataConfig(map="energy=/entry/energy"))


@pytest.mark.parametrize("kind", ["PtychoPINN NPZ", "tike NPZ", "Ptychodus", "dp/para pair"])
@pytest.mark.parametrize("alone", ["distance=2m", "pixel=75um"])
def test_half_a_detector_is_refused(tmp_path, kind, alone):
    with pytest.raises(ConfigError, match="wanted all; add"):
        read_scan(a_file(tmp_path, kind), DataConfig(map=alone))


@pytest.mark.parametrize("kind", ["CXI", "NXcxi_ptycho", "ptypy", "PtyLab"])
def test_nominal_lengths_cannot_be_corrected(tmp_path, kind):
    """They only give the pixels of the positions back, and would give others."""
    write_scan(tmp_path / WRITTEN[kind], replace(the_scan(), wavelength_m=None))
    path = tmp_path / WRITTEN[kind]
    assert read_scan(path).wavelength_m is None
    with pytest.raises(ConfigError, match="found nominal lengths"):
        read_scan(path, DataConfig(map="energy=12keV"))


def test_stage_positions_in_an_npz_become_pixels(tmp_path):
    scan = the_scan()
    write_scan(tmp_path / "a.npz", scan)
    with np.load(tmp_path / "a.npz") as file:
        arrays = dict(file)
    for key in ("xcoords", "ycoords"):
        arrays[key] = arrays[key] * scan.pixel_size_m * 1e6 - 7
    np.savez(tmp_path / "b.npz", **arrays)
    found = read_scan(tmp_path / "b.npz", DataConfig(map="position_unit=um", bad_pixels="file"))
    moved = found.positions_px - scan.positions_px
    np.testing.assert_allclose(moved - moved[0], 0, atol=1e-6)
    assert found.truth is None
    assert any("objectGuess is set aside" in said for said in found.decisions)


def test_patterns_can_be_named_in_any_hdf5_file_only(tmp_path):
    write_scan(tmp_path / "a.npz", the_scan())
    with pytest.raises(ConfigError, match="patterns=x for a file of the kind PtychoPINN NPZ"):
        read_scan(tmp_path / "a.npz", DataConfig(map="patterns=x"))
    write_scan(tmp_path / "a.cxi", the_scan())
    with pytest.raises(ConfigError, match='add "patterns=PLACE positions=p"'):
        read_scan(tmp_path / "a.cxi", DataConfig(map="positions=p"))
