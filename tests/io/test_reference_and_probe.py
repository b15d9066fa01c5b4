import numpy as np
import pytest

from ptychopinn.errors import DataError
from ptychopinn.io import read_probe, read_reference, write_product, write_scan_npz
from tests.io.files import complex_noise, one_sentence, save_npz, scan_arrays
from tests.io.test_product import SHAPE, foreign_product, some_reconstruction
from tests.io.test_ptychopinn_npz import some_scan


def npz(folder, **arrays):
    np.savez(folder / "a.npz", **arrays)
    return folder / "a.npz"


@pytest.mark.parametrize("key", ["object", "objectGuess"])
@pytest.mark.parametrize("layers", [False, True])
def test_references_of_npz_files(tmp_path, key, layers):
    image = complex_noise(5, 7)
    path = npz(tmp_path, **{key: image[None] if layers else image}, other=np.zeros(3))
    found = read_reference(path)
    np.testing.assert_array_equal(found, image)
    assert found.dtype == np.complex64


def test_object_comes_before_objectGuess(tmp_path):  # noqa: N802
    path = npz(tmp_path, objectGuess=complex_noise(5, 7), object=complex_noise(4, 4))
    assert read_reference(path).shape == (4, 4)


def test_a_simulated_scan_is_its_own_reference(tmp_path):
    scan = some_scan(8, 1, (23, 31))
    truth = complex_noise(23, 31, seed=4)
    object.__setattr__(scan, "truth", truth)
    write_scan_npz(tmp_path / "a.npz", scan)
    np.testing.assert_array_equal(read_reference(tmp_path / "a.npz"), truth)
    np.testing.assert_array_equal(read_probe(tmp_path / "a.npz"), scan.probe)


def test_products_are_references_and_have_probes(tmp_path):
    made = some_reconstruction(modes=3)
    write_product(tmp_path / "p.h5", made)
    np.testing.assert_array_equal(read_reference(tmp_path / "p.h5"), made.object)
    np.testing.assert_array_equal(read_probe(tmp_path / "p.h5"), made.probe)
    layers = complex_noise(2, *SHAPE)
    path = foreign_product(tmp_path / "q.h5", changes={"object": layers, "probe": None})
    np.testing.assert_array_equal(read_reference(path), layers[0])


def test_the_real_reference(real_scan_files):
    assert read_reference(real_scan_files[1]).shape == (480, 480)
    assert read_probe(real_scan_files[1]).shape == (1, 128, 128)
    np.testing.assert_array_equal(
        read_probe(real_scan_files[0])[0], np.load(real_scan_files[0])["probeGuess"]
    )


@pytest.mark.parametrize("key", ["probe", "probeGuess"])
def test_probes_of_npz_files(tmp_path, key):
    path = npz(tmp_path, **{key: complex_noise(3, 8, 8)})
    np.testing.assert_array_equal(read_probe(path), complex_noise(3, 8, 8))


@pytest.mark.parametrize(
    ("arrays", "parts"),
    [
        ({"image": np.eye(3)}, ("objectGuess", "only image")),
        ({"object": np.ones((4, 5), complex)}, ("object", "the same value everywhere")),
        ({"object": np.diag([1, np.nan])}, ("object", "NaN")),
        ({"object": complex_noise(2, 4, 5)}, ("object", "(2, 4, 5)")),
        ({"object": np.array([[None, 1]])}, ("object", "never unpickled")),
    ],
)
def test_references_that_are_none_are_refused(tmp_path, arrays, parts):
    path = npz(tmp_path, **arrays)
    with pytest.raises(DataError) as error:
        read_reference(path)
    assert one_sentence(str(error.value), path, *parts)


@pytest.mark.parametrize(
    ("arrays", "parts"),
    [
        ({"image": np.eye(3)}, ("probeGuess", "only image")),
        ({"probe": np.zeros((4, 4), complex)}, ("probe", "no power")),
        ({"probe": complex_noise(4, 5)}, ("probe", "(4, 5)")),
        ({"probe": np.array([[None]])}, ("probe", "never unpickled")),
    ],
)
def test_probes_that_are_none_are_refused(tmp_path, arrays, parts):
    path = npz(tmp_path, **arrays)
    with pytest.raises(DataError) as error:
        read_probe(path)
    assert one_sentence(str(error.value), path, *parts)


@pytest.mark.parametrize("function", [read_probe, read_reference])
def test_other_files_are_refused(tmp_path, function):
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n....")
    with pytest.raises(DataError) as error:
        function(path)
    assert one_sentence(str(error.value), path, "x89PNG", "or a product in HDF5")
    with pytest.raises(DataError) as error:
        function(tmp_path / "absent")
    assert one_sentence(str(error.value), tmp_path / "absent", "nothing there")


def test_a_damaged_array_is_refused(tmp_path):
    path = save_npz(tmp_path, scan_arrays(objectGuess=np.full((50, 50), 7, np.uint8)))
    path.write_bytes(path.read_bytes().replace(b"\x07" * 2500, b"\x07" * 2499 + b"\x08"))
    with pytest.raises(DataError) as error:
        read_reference(path)
    assert one_sentence(str(error.value), path, "objectGuess", "CRC")
