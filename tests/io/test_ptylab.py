import shutil

import h5py
import numpy as np
import pytest

from ptychopinn.errors import DataError
from ptychopinn.io import read_probe, read_reference, read_scan, write_scan
from tests.io.files import complex_noise, one_sentence
from tests.io.peers import DATA, MARKED, the_scan


@pytest.fixture
def path(tmp_path):
    return shutil.copy(DATA / "ptylab.hdf5", tmp_path / "ptylab.hdf5")


def change(path, **arrays):
    with h5py.File(path, "a") as file:
        for key, array in arrays.items():
            if key in file:
                del file[key]
            if array is not None:
                file[key] = array


def turned(patterns, code):
    """The orientations of ptypy, as PtyLab applies them to what is stored."""
    if code & 4:
        patterns = patterns.transpose(0, 2, 1)
    if code & 2:
        patterns = patterns[:, ::-1]
    return patterns[:, :, ::-1] if code & 1 else patterns


@pytest.mark.parametrize("code", range(8))
def test_patterns_are_turned_as_the_file_says(path, code):
    with h5py.File(path) as file:
        stored = file["ptychogram"][()]
    change(path, orientation=code)
    found = read_scan(path, MARKED)
    np.testing.assert_array_equal(found.patterns[:], turned(stored, code))


def windows_of_ptylab(path, canvas):
    """First pixels of the windows as PtyLab computes them, on a square object."""
    with h5py.File(path) as file:
        n = file["ptychogram"].shape[-1]
        dx = float(np.squeeze(file["wavelength"][()] * file["zo"][()])) / (
            n * np.squeeze(file["dxd"])
        )
        return np.round(file["encoder"][()] / dx) + canvas // 2 - n // 2


def test_windows_begin_where_ptylab_has_them(tmp_path):
    scan = the_scan()
    whole = np.round(scan.positions_px) + 3
    path = tmp_path / "a.ptylab.h5"
    square = type(scan)(
        **{
            **vars(scan),
            "positions_px": whole,
            "canvas_shape": (40, 40),
            "truth": None,
        }
    )
    write_scan(path, square)
    np.testing.assert_array_equal(windows_of_ptylab(path, 40), whole - 8)
    np.testing.assert_allclose(read_scan(path, MARKED).positions_px, whole, atol=1e-9)


def test_an_encoder_of_two_rows_is_turned(path):
    before = read_scan(path, MARKED).positions_px
    with h5py.File(path) as file:
        encoder = file["encoder"][()]
    change(path, encoder=encoder.T)
    move = read_scan(path, MARKED).positions_px - before
    np.testing.assert_allclose(move - move[0], 0, atol=1e-6)


def test_reconstructions_of_ptylab_serve_as_reference_and_probe(tmp_path):
    path = tmp_path / "recent.hdf5"
    image, probe = complex_noise(1, 1, 2, 1, 30, 30), complex_noise(1, 1, 3, 1, 16, 16)
    change(path, object=image, probe=probe)
    np.testing.assert_array_equal(read_reference(path), image[0, 0, 0, 0])
    np.testing.assert_array_equal(read_probe(path), probe[0, 0, :, 0])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"zo": None}, "add the dataset zo"),
        ({"zo": None, "zled": 0.1}, "Fourier ptychography"),
        ({"wavelength": -1.0}, "metres"),
        ({"wavelength": np.nan}, "one finite number"),
        ({"encoder": np.zeros((5, 2))}, "(12, 2), row and column"),
        ({"encoder": np.zeros((12, 2))}, "equal positions"),
        ({"encoder": None}, "an array encoder"),
        ({"orientation": 9}, "0 to 7"),
        ({"ptychogram": np.ones((12, 16, 8))}, "square patterns"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(path, changes, words):
    change(path, **changes)
    with pytest.raises(DataError) as error:
        read_scan(path)
    assert one_sentence(str(error.value), path, words)
