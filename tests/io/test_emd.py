import shutil

import h5py
import numpy as np
import pytest

from ptychopinn.config import DataConfig
from ptychopinn.errors import DataError
from ptychopinn.io import read_scan, recognise
from tests.io.files import one_sentence
from tests.io.peers import DATA, MARKED, said, the_scan

CUBE = "datacube_root/datacube"
CALIBRATION = "datacube_root/metadatabundle/calibration"


@pytest.fixture
def path(tmp_path):
    return shutil.copy(DATA / "emd.h5", tmp_path / "emd.h5")


def test_what_emdfile_wrote_is_read(path):
    """16 pixels of 0.25 / angstrom: an object pixel of 0.25 angstrom; steps of 0.5 angstrom."""
    found = read_scan(path, MARKED)
    assert recognise(path) == "EMD"
    np.testing.assert_array_equal(found.patterns[:], the_scan().patterns[:])
    assert found.pixel_size_m == pytest.approx(0.25e-10)
    y, x = found.positions_px.T.reshape(2, 3, 4)
    assert np.diff(y[:, 0]) == pytest.approx(2)
    assert np.diff(x[0]) == pytest.approx(2)
    assert not isinstance(found.patterns, np.ndarray)
    assert "turned by 12 against each other" in said(found)


def test_steps_of_the_axes_serve_without_calibration(path):
    with h5py.File(path, "a") as file:
        del file["datacube_root/metadatabundle"]
    found = read_scan(path, MARKED)
    assert found.pixel_size_m == pytest.approx(0.25e-10)
    assert np.diff(found.positions_px[:2, 1]) == pytest.approx(2)


def test_angles_need_the_energy(path):
    with h5py.File(path, "a") as file:
        del file[f"{CALIBRATION}/Q_pixel_units"]
        file[f"{CALIBRATION}/Q_pixel_units"] = b"mrad"
    with pytest.raises(DataError) as error:
        read_scan(path)
    assert one_sentence(str(error.value), path, 'add --map "energy=80keV particle=electrons"')
    said_map = "energy=80keV particle=electrons"
    found = read_scan(path, DataConfig(map=said_map, bad_pixels="file"))
    assert found.pixel_size_m == pytest.approx(4.1757e-12 / (16 * 0.25e-3), rel=1e-4)


def test_pixels_as_units_leave_the_step_open(path):
    with h5py.File(path, "a") as file:
        del file["datacube_root/metadatabundle"]
        for axis in range(4):
            file[f"{CUBE}/dim{axis}"].attrs["units"] = "pixels"
    with pytest.raises(DataError) as error:
        read_scan(path)
    assert one_sentence(str(error.value), path, "step in object pixels is not known")
    assert read_scan(path, DataConfig(map="step=2px")).pixel_size_m is None


def legacy(path, patterns, *, name):
    """Layouts before 1.0: axes are counted from 1."""
    with h5py.File(path, "w") as file:
        group = file.create_group(name)
        if not name.startswith("4DSTEM"):
            group.attrs["emd_group_type"] = 1
        group["data"] = patterns
        for axis, (step, unit) in enumerate([(1.0, "[n_m]"), (1.0, "nm"), (0.2, ""), (0.2, "")], 1):
            group[f"dim{axis}"] = np.arange(patterns.shape[axis - 1]) * step
            group[f"dim{axis}"].attrs["units"] = unit


@pytest.mark.parametrize("name", ["data/cube", "4DSTEM_experiment/data/datacubes/datacube_0"])
def test_older_layouts_are_read(tmp_path, name):
    patterns = the_scan().patterns[:].reshape(3, 4, 16, 16)
    legacy(tmp_path / "a.emd", patterns, name=name)
    found = read_scan(tmp_path / "a.emd", DataConfig(map="step=1.5px", bad_pixels="file"))
    np.testing.assert_array_equal(found.patterns[:], the_scan().patterns[:])


def test_several_scans_are_refused(path):
    with h5py.File(path, "a") as file:
        file.copy(CUBE, "datacube_root/second")
    with pytest.raises(DataError) as error:
        read_scan(path)
    assert one_sentence(str(error.value), path, "2 scans", "datacube_root/second/data")


def test_readout_noise_below_0_is_0(path):
    noisy = the_scan().patterns[:].reshape(3, 4, 16, 16) - np.float32(2.5)
    with h5py.File(path, "a") as file:
        del file[f"{CUBE}/data"]
        file[f"{CUBE}/data"] = noisy
    found = read_scan(path, MARKED)
    assert found.patterns[:].min() == 0
    assert found.domain == "counts"


def test_a_real_array_of_three_axes_is_no_scan(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        group = file.create_group("image")
        group.attrs["emd_group_type"] = "array"
        group["data"] = np.zeros((3, 4, 5))
    with pytest.raises(DataError, match="an HDF5 file with the datasets image/data"):
        recognise(tmp_path / "a.h5")
