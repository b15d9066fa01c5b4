import shutil

import h5py
import numpy as np
import pytest

from ptychopinn.config import DataConfig
from ptychopinn.errors import DataError
from ptychopinn.io import read_scan
from ptychopinn.io.ptychodus_scan import read_ptychodus
from ptychopinn.io.ptychodus_training import read_ptychodus_training
from tests.io.files import one_sentence
from tests.io.peers import DATA, MARKED, assert_same_scan, said, the_scan


@pytest.fixture
def pair(tmp_path):
    """Both files of a scan that Ptychodus wrote, to be changed."""
    for name in ("diffraction.h5", "product.h5"):
        shutil.copy(DATA / "ptychodus_hdf5" / name, tmp_path / name)
    return tmp_path / "diffraction.h5", tmp_path / "product.h5"


def change(path, **arrays):
    """Replace datasets; None removes one."""
    with h5py.File(path, "a") as file:
        for key, array in arrays.items():
            attributes = dict(file[key].attrs) if key in file else {}
            if key in file:
                del file[key]
            if array is not None:
                file[key] = array
                file[key].attrs.update(attributes)


@pytest.mark.parametrize(
    ("kept", "gone", "words"),
    [
        ("diffraction.h5", "product.h5", "the file with positions and probe"),
        ("product.h5", "diffraction.h5", "the file with patterns"),
    ],
)
def test_half_a_scan_names_the_other_half(pair, kept, gone, words):
    (pair[0].parent / gone).unlink()
    path = pair[0].parent / kept
    with pytest.raises(DataError) as error:
        read_scan(path)
    assert one_sentence(str(error.value), path, f"without {gone} beside it", words)


def test_several_products_are_asked_about(pair):
    patterns, product = pair
    folder = patterns.parent
    shutil.copy(product, folder / "product-in.h5")
    product.rename(folder / "product-out.h5")
    for place in (patterns, folder):
        with pytest.raises(DataError) as error:
            read_scan(place)
        assert one_sentence(str(error.value), patterns, "product-in.h5, product-out.h5")
    assert_same_scan(read_scan(folder / "product-out.h5", MARKED), the_scan())


def test_the_other_half_may_have_any_name_when_it_is_alone(pair):
    patterns, product = pair
    product.rename(product.with_name("result.hdf5"))
    assert_same_scan(read_scan(patterns, MARKED), the_scan())


def test_halves_may_be_of_both_containers(pair):
    patterns, product = pair
    product.unlink()
    shutil.copy(DATA / "ptychodus_npz" / "product.npz", product.with_suffix(".npz"))
    assert_same_scan(read_scan(patterns, MARKED), the_scan())


def test_patterns_are_paired_by_number(pair):
    patterns, product = pair
    with h5py.File(product) as file:
        numbers, y_m = (file[f"probe_position_{key}"][()] for key in ("indexes", "y_m"))
    order = np.random.default_rng(3).permutation(len(numbers))
    with h5py.File(product) as file:
        x_m = file["probe_position_x_m"][()]
    change(
        product,
        probe_position_indexes=numbers[order],
        probe_position_y_m=y_m[order],
        probe_position_x_m=x_m[order],
    )
    assert_same_scan(read_scan(patterns, MARKED), the_scan())


def test_unmatched_are_left_out_and_repeats_averaged(pair):
    """Numbers 5 to 16 have patterns; 5 and 6 get no position, 7 gets two, 99 has no pattern."""
    patterns, product = pair
    with h5py.File(product) as file:
        y_m, x_m = (file[f"probe_position_{axis}_m"][()] for axis in "yx")
    rows = np.array([2, *range(2, 12), 0])
    shift = np.zeros(12)
    shift[:2] = (2e-8, -1e-8)  # mean 5 nm, 0.4 pixels
    change(
        product,
        probe_position_indexes=np.array([7, *range(7, 17), 99]),
        probe_position_y_m=y_m[rows] + shift,
        probe_position_x_m=x_m[rows],
    )
    found, wanted = read_scan(patterns, MARKED), the_scan().select(np.arange(2, 12))
    np.testing.assert_array_equal(found.counts(), wanted.counts())
    move = np.zeros((10, 2))
    move[0, 0] = 0.4
    np.testing.assert_allclose(found.positions_px, wanted.positions_px + move, atol=1e-6)
    for words in (
        "2 patterns without a position are left out.",
        "1 positions without a pattern are left out.",
        "1 further positions of the same patterns are averaged.",
    ):
        assert words in said(found)


def test_older_files_are_read(pair):
    """2024: energy under its old name, losses as costs, no numbers and no bad pixels."""
    patterns, product = pair
    change(patterns, indexes=None, bad_pixels=None)
    with h5py.File(product, "a") as file:
        file.attrs["probe_energy_eV"] = file.attrs["photon_energy_eV"]
        del file.attrs["photon_energy_eV"], file["object_layer_spacing_m"]
        file["costs"] = file["loss_values"][()]
        numbers = np.arange(12)
        image, probe = file["object"][0], file["probe"][0]
    change(product, object=image, probe=probe, probe_position_indexes=numbers, loss_values=None)
    assert_same_scan(read_scan(patterns, MARKED), the_scan(), mask=False)


def test_older_npz_products_are_read(tmp_path):
    """2024: energy under its old name, losses as costs, no flags, no numbers, no bad pixels."""
    folder = DATA / "ptychodus_npz"
    new = {"photon_energy_eV", "loss_epochs", "loss_values", "far_field", "tilt_angle_deg"}
    with np.load(folder / "product.npz") as file:
        older = {key: file[key] for key in file if key not in new}
        older |= {"probe_energy_eV": file["photon_energy_eV"], "costs": file["loss_values"]}
    older["probe_position_indexes"] = np.arange(12)
    np.savez(tmp_path / "product.npz", **older)
    with np.load(folder / "diffraction.npz") as file:
        np.savez(tmp_path / "diffraction.npz", patterns=file["patterns"])
    for name in ("product.npz", "diffraction.npz"):
        found = read_scan(tmp_path / name, MARKED)
        assert_same_scan(found, the_scan(), mask=False)
        assert "probe_energy_eV: 9998.73 eV" in said(found)


@pytest.mark.parametrize("place", ["dataset", "attribute", "beside an attribute", "NPZ", "para"])
def test_weights_of_the_probe_are_spoken_of(tmp_path, pair, place):
    """1.7 has them at the root; 2025 looked for an attribute of the probe, and wrote a dataset."""
    weights = np.full((12, 2), 0.5)
    path = pair[1]
    if place == "NPZ":
        shutil.copytree(DATA / "ptychodus_npz", tmp_path / "npz")
        path = tmp_path / "npz" / "product.npz"
        with np.load(path) as file:
            np.savez(path, **{**file, "opr_weights": weights})
    elif place == "para":
        shutil.copytree(DATA / "ptychodus_pair", tmp_path / "para")
        path = tmp_path / "para" / "scan_para.hdf5"
        change(path, opr_weights=weights)
    else:
        with h5py.File(path, "a") as file:
            if "attribute" in place:
                file["probe"].attrs["opr_weights"] = weights
            if place != "attribute":
                file["opr_weights"] = weights
    found = read_scan(path, MARKED)
    assert_same_scan(found, the_scan(), mask=place != "para")
    assert "opr_weights are not used: one probe is taken for all patterns." in said(found)


def test_an_object_that_windows_leave_is_set_aside(pair):
    patterns, product = pair
    with h5py.File(product) as file:
        image = file["object"][:, 6:-6, 6:-6]
    change(product, object=image)
    found = read_scan(patterns, MARKED)
    assert found.truth is None
    assert "The object (18 x 22) is set aside" in said(found)
    move = found.positions_px - the_scan().positions_px
    np.testing.assert_allclose(move, np.broadcast_to(move[0], move.shape), atol=1e-6)


def test_a_placeholder_is_no_truth(pair):
    patterns, product = pair
    change(product, object=np.ones((1, 30, 34), np.complex64))
    found = read_scan(patterns, MARKED)
    assert found.truth is None
    assert found.canvas_shape == (30, 34)


def test_layers_and_coherent_probes_are_spoken_of(pair):
    patterns, product = pair
    with h5py.File(product) as file:
        image, probe = file["object"][()], file["probe"][()]
    change(product, object=np.repeat(image, 2, axis=0), probe=np.repeat(probe, 3, axis=0))
    found = read_scan(patterns, MARKED)
    assert "Of 2 layers of object only the first is used." in said(found)
    assert "Of 3 coherent probes the first is used" in said(found)
    assert_same_scan(found, the_scan())


@pytest.mark.parametrize(
    ("half", "arrays", "words"),
    [
        (1, {"probe_position_indexes": np.arange(100, 112)}, "numbers 100 to 111"),
        (1, {"probe_position_indexes": np.arange(3)}, "3 numbers"),
        (1, {"probe_position_x_m": np.zeros(3)}, "12 y and 3 x"),
        (1, {"probe_position_x_m": np.full(12, np.nan)}, "NaN or infinity"),
        (1, {"probe": np.zeros((1, 1, 16, 16), complex)}, "only zeros, no power"),
        (1, {"object": np.zeros((0, 3), complex)}, "shape (0, 3)"),
        (0, {"patterns": np.ones((12, 16), int)}, "2 axes"),
        (0, {"patterns": np.ones((12, 16, 15), int)}, "shape (12, 16, 15)"),
        (0, {"patterns": np.ones((12, 16, 16), complex)}, "complex where real is needed"),
        (0, {"indexes": np.arange(5)}, "5 numbers"),
        (0, {"bad_pixels": np.ones((16, 16), bool)}, "every pixel bad"),
        (0, {"bad_pixels": np.ones((8, 8), bool)}, "shape (8, 8)"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(pair, half, arrays, words):
    change(pair[half], **arrays)
    with pytest.raises(DataError) as error:
        read_ptychodus(pair[0])
    path = next(path for path in pair if str(error.value).startswith(str(path)))
    assert one_sentence(str(error.value), path, words)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("pixel_width_m", 0.0, "positive metres"),
        ("pixel_width_m", None, "positive metres"),
        ("pixel_width_m", np.nan, "one finite number"),
        ("center_x_m", "left", "one finite number"),
    ],
)
def test_bad_numbers_are_refused(pair, key, value, words):
    patterns, product = pair
    with h5py.File(product, "a") as file:
        del file["object"].attrs[key]
        if value is not None:
            file["object"].attrs[key] = value
    with pytest.raises(DataError) as error:
        read_ptychodus(patterns)
    assert one_sentence(str(error.value), product, words)


def test_a_probe_may_come_from_elsewhere(pair):
    change(pair[1], probe=None)
    with pytest.raises(DataError):  # without its probe it is no product
        read_ptychodus(pair[0])
    found = read_ptychodus_training(
        DATA / "ptychodus_training" / "training.h5",
        DataConfig(probe=str(DATA / "ptychodus_npz" / "product.npz"), bad_pixels="file"),
    )
    assert_same_scan(found, the_scan())


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"probe_position_x_px": np.zeros(3)}, "12 y and 3 x"),
        ({"patterns": np.ones((4, 16, 16), int)}, "12 positions and 4 patterns"),
        ({"object": None}, "an array object"),
    ],
)
def test_bad_training_files_are_refused(tmp_path, arrays, words):
    path = tmp_path / "training.h5"
    shutil.copy(DATA / "ptychodus_training" / "training.h5", path)
    change(path, **arrays)
    with pytest.raises(DataError) as error:
        read_scan(path)
    assert one_sentence(str(error.value), path, words)
