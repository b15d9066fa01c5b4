import numpy as np
import pytest

from ptychopinn.errors import DataError
from ptychopinn.io import read_probe, read_reference, read_scan, write_scan
from tests.io.files import one_sentence
from tests.io.peers import DATA, MARKED, said, the_scan


def arrays(**changes):
    with np.load(DATA / "tike.npz") as file:
        found = {**file, **changes}
    return {key: value for key, value in found.items() if value is not None}


def saved(folder, **changes):
    np.savez(folder / "tike.npz", **arrays(**changes))
    return folder / "tike.npz"


@pytest.mark.parametrize("n", [16, 15])
def test_the_zero_frequency_comes_from_the_corner(tmp_path, n):
    """Index 0 of a corner pattern is index N // 2 of one in the middle, for odd N too."""
    counts = np.zeros((12, n, n), np.float32)
    counts[:, 0, 0], counts[:, 0, 1], counts[:, 2, 0] = 90, 5, 7
    good = np.ones((n, n), bool)
    good[0, 3] = False
    probe = np.ones((n, n), complex)
    path = saved(tmp_path, data=counts, probe=probe, measured_pixels=good, psi=None)
    found = read_scan(path, MARKED)
    middle = n // 2
    assert found.patterns[0][middle, middle] == 90
    assert found.patterns[0][middle, middle + 1] == 5
    assert found.patterns[0][middle + 2, middle] == 7
    assert not found.mask[middle, middle + 3]
    assert "from the corner, where tike has it" in said(found)


def test_a_scan_begins_where_tike_says(tmp_path):
    """scan is the first pixel of the window: its centre pixel is N // 2 further."""
    corners = arrays()["scan"][0]
    found = read_scan(saved(tmp_path), MARKED)
    np.testing.assert_allclose(found.positions_px, corners + 8, atol=1e-9)


def test_probes_that_vary_give_their_first(tmp_path):
    probe = arrays()["probe"]
    varying = np.concatenate([probe[0], 5 * probe[0]])
    path = saved(tmp_path, probe=varying)
    np.testing.assert_array_equal(read_scan(path, MARKED).probe, the_scan().probe)
    np.testing.assert_array_equal(read_probe(path), the_scan().probe)


def test_the_object_serves_as_reference():
    np.testing.assert_array_equal(read_reference(DATA / "tike.npz"), the_scan().truth)


def test_what_is_written_has_the_shapes_of_tike(tmp_path):
    write_scan(tmp_path / "a.tike.npz", the_scan())
    with np.load(tmp_path / "a.tike.npz") as file:
        shapes = {key: (file[key].shape, file[key].dtype.name) for key in file}
        corner = file["data"][:, 0, 0]
    assert shapes == {
        "data": ((12, 16, 16), "float32"),
        "scan": ((12, 2), "float64"),
        "probe": ((1, 1, 2, 16, 16), "complex64"),
        "psi": ((30, 34), "complex64"),
        "measured_pixels": ((16, 16), "bool"),
    }
    np.testing.assert_array_equal(corner, the_scan().patterns[:][:, 8, 8])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": np.ones((2, 6, 16, 16))}, "4 axes"),
        ({"data": np.ones((12, 16, 14))}, "square patterns"),
        ({"scan": np.ones((12, 3))}, "shape (12, 3)"),
        ({"scan": np.ones((11, 2))}, "(12, 2), row and column"),
        ({"scan": np.ones((12, 2), complex)}, "complex128"),
        ({"scan": np.ones((12, 2))}, "equal positions"),
        ({"probe": np.ones((1, 1, 1, 8, 8), complex)}, "(..., modes, 16, 16)"),
        ({"probe": np.zeros((1, 1, 1, 16, 16), complex)}, "only zeros, no power"),
        ({"measured_pixels": np.zeros((16, 16), bool)}, "no good pixel"),
        ({"measured_pixels": np.zeros((3, 3), bool)}, "shape (3, 3)"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(tmp_path, changes, words):
    path = saved(tmp_path, **changes)
    with pytest.raises(DataError) as error:
        read_scan(path)
    assert one_sentence(str(error.value), path, words)
