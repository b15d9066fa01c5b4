import shutil

import h5py
import numpy as np
import pytest

from ptychopinn.errors import DataError
from ptychopinn.io import read_probe, read_reference, read_scan, recognise
from tests.io.files import one_sentence
from tests.io.peers import DATA, MARKED, assert_same_scan, said, the_scan


@pytest.fixture
def pair(tmp_path):
    for name in ("scan_dp.hdf5", "scan_para.hdf5"):
        shutil.copy(DATA / "ptychodus_pair" / name, tmp_path / name)
    return tmp_path / "scan_dp.hdf5", tmp_path / "scan_para.hdf5"


@pytest.mark.parametrize(("kept", "gone"), [(0, 1), (1, 0)])
def test_half_a_pair_names_the_other_half(pair, kept, gone):
    pair[gone].unlink()
    with pytest.raises(DataError) as error:
        read_scan(pair[kept])
    assert one_sentence(str(error.value), pair[kept], f"without {pair[gone].name} beside it")


def test_several_pairs_in_a_folder_keep_apart(pair):
    for place in pair:
        shutil.copy(place, place.with_name(place.name.replace("scan", "other")))
    with pytest.raises(DataError, match=r"2 scans \(other_dp.hdf5, scan_dp.hdf5\)"):
        read_scan(pair[0].parent)
    assert_same_scan(read_scan(pair[1], MARKED), the_scan(), mask=False)


def fold_slice(path, scan, **changes):
    """A parameter file as fold_slice writes it for a measured scan."""
    pixel = scan.pixel_size_m
    arrays = {
        "ppX": scan.positions_px[:, 1:] * pixel,
        "ppY": scan.positions_px[:, :1] * pixel,
        "dx": [[pixel]],
        "lambda": scan.wavelength_m,
        **changes,
    }
    with h5py.File(path, "w") as file:
        for key, value in arrays.items():
            if value is not None:
                file[key] = value


def test_pairs_of_fold_slice_have_no_probe(pair):
    scan = the_scan()
    fold_slice(pair[1], scan)
    found = read_scan(pair[0], MARKED)
    assert recognise(pair[1]) == "dp/para pair"
    np.testing.assert_array_equal(found.counts() * scan.mask, scan.counts())
    np.testing.assert_allclose(found.positions_px, scan.positions_px, atol=1e-6)
    assert found.pixel_size_m == pytest.approx(scan.pixel_size_m)
    assert found.wavelength_m == pytest.approx(scan.wavelength_m)
    assert "+ppY is read as towards higher rows" in said(found)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dx": None}, "positive metres"),
        ({"dx": -1.0}, "positive metres"),
        ({"ppX": np.zeros(3)}, "12 y and 3 x"),
        ({"ppX": np.zeros(3), "ppY": np.zeros(3)}, "3 positions for 12 patterns"),
        ({"ppX": np.full(12, np.nan)}, "NaN or infinity"),
    ],
)
def test_bad_pairs_are_refused(pair, changes, words):
    fold_slice(pair[1], the_scan(), **changes)
    with pytest.raises(DataError) as error:
        read_scan(pair[0])
    assert one_sentence(str(error.value), pair[1], words)


def test_object_and_probe_serve_elsewhere(pair):
    np.testing.assert_array_equal(read_reference(pair[1]), the_scan().truth)
    np.testing.assert_array_equal(read_probe(pair[1]), the_scan().probe)
