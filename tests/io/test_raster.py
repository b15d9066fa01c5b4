import numpy as np
import pytest

from ptychopinn.config import DataConfig
from ptychopinn.errors import ConfigError, DataError
from ptychopinn.io import describe, read_scan, recognise
from ptychopinn.io.file_map import parse_map
from ptychopinn.io.geometry import electron_wavelength_m
from ptychopinn.io.raster import Raster, placed
from tests.io.files import one_sentence
from tests.io.peers import said

FILE = "scan.npy"


def place(text="", shape=(3, 4), n=16, count=None, **known):
    count = shape[0] * shape[1] if count is None else count
    return placed(FILE, "array", Raster(shape, **known), parse_map(text), (count, n))


def test_columns_follow_each_other_and_steps_become_pixels():
    found = place("step=3px,2px")
    y, x = found.frame.positions_px.T.reshape(2, 3, 4)
    np.testing.assert_array_equal(y[:, 0] - y[0, 0], [0, 3, 6])
    np.testing.assert_array_equal(x[0] - x[0, 0], [0, 2, 4, 6])
    assert found.frame.positions_px.min() == 8  # the first window begins at 0
    assert found.pixel_size_m is None


@pytest.mark.parametrize(
    "text",
    [
        "angle=1.3mrad energy=80keV particle=electrons step=0.4A",
        "distance=2m pixel=2.6mm energy=80keV particle=electrons step=0.04nm",
    ],
)
def test_an_object_pixel_is_wavelength_over_the_angle_of_the_detector(text):
    """80 keV electrons have 4.18 pm; 16 pixels of 1.3 mrad see 20.8 mrad."""
    found = place(text)
    assert found.wavelength_m == pytest.approx(4.1757e-12, rel=1e-4)
    assert found.pixel_size_m == pytest.approx(4.1757e-12 / 20.8e-3, rel=1e-4)
    step = np.diff(found.frame.positions_px[:2, 1])[0]
    assert step * found.pixel_size_m == pytest.approx(0.4e-10)


def test_a_frequency_needs_no_energy():
    found = place(step_m=(1e-10, 1e-10), frequency_per_m=2.5e8)
    assert found.pixel_size_m == pytest.approx(2.5e-10)
    assert found.wavelength_m is None


def test_the_user_has_the_last_word():
    known = {"step_m": (1e-10, 1e-10), "wavelength_m": 2e-12, "angle_rad": 1e-3}
    steps = {
        text: np.diff(place(text, **known).frame.positions_px[:2, 1])[0]
        for text in ("", "step=2A", "angle=2mrad", "step=7px")
    }
    assert steps["step=2A"] == pytest.approx(2 * steps[""])
    assert steps["angle=2mrad"] == pytest.approx(2 * steps[""])
    assert steps["step=7px"] == 7


def test_a_turned_raster():
    """By 90 degrees from +x towards +y, columns run downwards and rows to the left."""
    y, x = place("step=2px rotation=90deg").frame.positions_px.T.reshape(2, 3, 4)
    np.testing.assert_allclose(np.diff(y[0]), 2, atol=1e-9)
    np.testing.assert_allclose(np.diff(x[:, 0]), -2, atol=1e-9)
    with_angle = place("step=2px rotation=30deg").frame.positions_px.reshape(3, 4, 2)
    np.testing.assert_allclose(
        with_angle[0, 1] - with_angle[0, 0], [2 * 0.5, 2 * 3**0.5 / 2], atol=1e-9
    )


@pytest.mark.parametrize(
    ("text", "known", "words"),
    [
        ("", {}, 'add --map "step=0.4A angle=0.8mrad energy=80keV particle=electrons"'),
        ("", {"step_m": (1e-10, 1e-10)}, 'add --map "angle=0.8mrad energy=80keV particle'),
        ("", {"step_m": (1e-10, 1e-10), "wavelength_m": 2e-12}, 'add --map "angle=0.8mrad"'),
        ("", {"wavelength_m": 2e-12, "angle_rad": 1e-3}, 'add --map "step=0.4A"'),
        ("step=1px scan=5x5", {}, "12 patterns and a raster of 5 x 5"),
    ],
)
def test_what_is_missing_is_named(text, known, words):
    with pytest.raises(DataError) as error:
        place(text, count=12, **known)
    assert one_sentence(str(error.value), FILE, words)


@pytest.mark.parametrize("text", ["step=3", "step=-1px", "step=1px,2px,3px", "scan=4", "angle=2m"])
def test_values_that_are_not_understood(text):
    with pytest.raises(ConfigError, match=rf"data.map: {text.partition('=')[0]}="):
        place(f"{text} step=1px" if "step" not in text else text)


# NPY


def patterns_4d(dtype=np.uint16):
    return np.random.default_rng(1).poisson(9, (3, 4, 16, 16)).astype(dtype)


def mapped(text):
    return DataConfig(map=text, bad_pixels="file")


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_4d_npy_is_a_raster(tmp_path, order):
    path = tmp_path / FILE
    np.save(path, np.asarray(patterns_4d(), order=order))
    found = read_scan(path, mapped("step=2px"))
    assert recognise(path) == "NPY patterns"
    assert describe(path) == [("array", (3, 4, 16, 16), "uint16")]
    np.testing.assert_array_equal(found.patterns[:], patterns_4d().reshape(12, 16, 16))
    assert isinstance(found.patterns, np.ndarray) == (order == "F")
    assert found.positions_px[5, 0] - found.positions_px[0, 0] == 2  # second row, second column
    assert found.positions_px[5, 1] - found.positions_px[0, 1] == 2
    assert "estimated" in said(found)


def test_frames_of_an_npy_need_the_shape_of_the_scan(tmp_path):
    path = tmp_path / FILE
    np.save(path, patterns_4d().reshape(12, 16, 16))
    found = read_scan(path, mapped("step=2px scan=4x3"))
    assert np.ptp(found.positions_px, axis=0).tolist() == [6, 4]


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.ones((2, 2, 4, 4), complex), "complex where real is needed"),
        (np.zeros((2, 2, 0, 4)), "shape (2, 2, 0, 4)"),
        (np.zeros((2, 2, 4, 4)), "only zeros"),
    ],
)
def test_bad_npy_files_are_refused(tmp_path, array, words):
    path = tmp_path / FILE
    np.save(path, array)
    with pytest.raises(DataError) as error:
        read_scan(path, mapped("step=1px"))
    assert one_sentence(str(error.value), path, words)


def test_damaged_npy_files_and_objects_are_refused(tmp_path):
    path = tmp_path / FILE
    np.save(path, patterns_4d())
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError) as error:
        recognise(path)
    assert one_sentence(str(error.value), path, "damage")
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError):
        recognise(path)


def test_electrons_are_relativistic():
    assert electron_wavelength_m(3e5) == pytest.approx(1.9687e-12, rel=1e-4)
