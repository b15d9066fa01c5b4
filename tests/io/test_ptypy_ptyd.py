import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from ptychopinn.errors import DataError
from ptychopinn.io import contents, read_scan, recognise, write_scan
from ptychopinn.io.geometry import photon_wavelength_m
from tests.conftest import make_scan
from tests.io.files import one_sentence

DATA = Path(__file__).parent / "data"
NAMES = ("ptypy.ptyd", "ptypy.ptyd.part001")


@pytest.fixture
def prepared(tmp_path):
    for name in NAMES:
        shutil.copy(DATA / name, tmp_path / name)
    return tmp_path / NAMES[0]


def test_chunks_and_the_files_that_they_lie_in_are_one_scan(prepared):
    scan = read_scan(prepared)
    wanted = np.load(DATA / "ptypy_read.npz")
    wavelength = photon_wavelength_m(6200)
    pixel = wavelength * 4.5 / (16 * 172e-6)
    assert recognise(prepared) == "ptypy"
    np.testing.assert_array_equal(scan.patterns, wanted["counts"])
    np.testing.assert_allclose(
        np.ptp(scan.positions_px - wanted["positions_m"] / pixel, axis=0), 0, atol=1e-9
    )
    assert (scan.wavelength_m, scan.pixel_size_m) == pytest.approx((wavelength, pixel), rel=1e-9)
    assert np.argwhere(~scan.mask).tolist() == [[4, 9]]
    assert any("6.2 keV is 6200 eV" in said for said in scan.decisions)
    assert [path.name for path, _ in contents(prepared)] == list(NAMES)


def test_the_missing_part_is_named(prepared):
    (prepared.parent / NAMES[1]).unlink()
    with pytest.raises(DataError) as error:
        read_scan(prepared)
    assert one_sentence(str(error.value), prepared, "chunks/1", NAMES[1], "beside this one")


def test_weights_that_differ_are_left_out_in_all(prepared):
    with h5py.File(prepared, "a") as file:
        file["chunks/0/weights"][3, 1, 1] = 0
    scan = read_scan(prepared)
    assert np.argwhere(~scan.mask).tolist() == [[1, 1], [4, 9]]
    assert any("differ from frame to frame" in said for said in scan.decisions)


def test_what_ptypy_does_not_know_is_asked_for(prepared):
    with h5py.File(prepared, "a") as file:
        del file["meta/energy"]
        file["meta/energy"] = np.zeros(1)
        file["meta/energy"].attrs["type"] = "None"
    with pytest.raises(DataError) as error:
        read_scan(prepared)
    assert one_sentence(str(error.value), prepared, "without energy", "energy=VALUE")


def test_every_dataset_says_its_type(tmp_path):
    write_scan(tmp_path / "a.ptyd", make_scan(16))
    kinds = {}

    def note(key, item):
        kinds[key] = item.attrs.get("type")

    with h5py.File(tmp_path / "a.ptyd") as file:
        for name in ("chunks", "meta", "info"):
            file[name].visititems(note)
        assert file["meta/energy"][()] == pytest.approx(12.398, rel=1e-4)  # 1 angstrom, in keV
        weights = file["chunks/0/weights"][()]
    own = {key for key in kinds if key.startswith("ptychopinn")}
    assert {kind for key, kind in kinds.items() if key not in own} == {
        *("array", "arraylist", "dict", "scalar", "string"),
    }
    assert weights.all()


@pytest.mark.parametrize("change", ["no chunk", "no positions"])
def test_incomplete_files_are_refused(prepared, change):
    with h5py.File(prepared, "a") as file:
        if change == "no chunk":
            del file["chunks"]
            file.create_group("chunks")
        else:
            del file["chunks/0/positions"]
    with pytest.raises(DataError) as error:
        read_scan(prepared)
    assert one_sentence(str(error.value), prepared, "chunks", "prepare the data again")
