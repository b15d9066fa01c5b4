"""Scans that are read with their patterns or positions turned."""

import numpy as np
import pytest

from ptychopinn.config import DataConfig
from ptychopinn.io import read_scan, write_scan_npz
from ptychopinn.io.frame import Frame
from ptychopinn.io.turned_frame import turned_frame
from ptychopinn.io.zero_frequency import find_zero_frequency
from ptychopinn.symmetry import ORIENTATIONS, SCAN_AXES
from tests.conftest import make_scan

N = 32


@pytest.fixture(scope="module")
def scan():
    return make_scan(N, side=6, mask=_mask())


def _mask():
    mask = np.ones((N, N), dtype=bool)
    mask[3, 20:24] = False
    return mask


def written(scan, path):
    write_scan_npz(path, scan)
    with np.load(path) as file:
        return dict(file)


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_patterns_and_mask_are_turned_back(scan, tmp_path, name):
    path = tmp_path / "scan.npz"
    values = written(scan, path)
    stored = ORIENTATIONS[name].inverse
    for key in ("diff3d", "bad_pixels"):
        values[key] = stored.of_images(values[key]).copy()
    np.savez(path, **values)
    found = read_scan(path, DataConfig(orientation=name))
    np.testing.assert_array_equal(np.asarray(found.patterns), scan.patterns)
    np.testing.assert_array_equal(found.mask, scan.mask)
    assert any("--orientation" in said for said in found.decisions) == (name != "stored")


def test_a_mask_file_is_turned_as_the_patterns_are(scan, tmp_path):
    path, mask = tmp_path / "scan.npz", tmp_path / "mask.npy"
    written(scan, path)
    np.save(mask, ~scan.mask)
    data = DataConfig(orientation="rot90", mask=str(mask), bad_pixels="file")
    assert not read_scan(path, data).mask[np.rot90(~scan.mask)].any()


@pytest.mark.parametrize("name", SCAN_AXES)
def test_positions_turn_with_the_truth(scan, tmp_path, name):
    """The object under a window is the turned object under the window before."""
    path = tmp_path / "scan.npz"
    written(scan, path)
    found, turn = read_scan(path, DataConfig(scan_axes=name)), SCAN_AXES[name]
    steps = np.diff(scan.positions_px, axis=0)
    np.testing.assert_allclose(np.diff(found.positions_px, axis=0), turn.of_vectors(steps))
    for k in (0, 17, 30):
        before = around(scan.truth, scan.positions_px[k])
        np.testing.assert_allclose(around(found.truth, found.positions_px[k]), turned(turn, before))


def around(image, place):
    """The nine pixels about a place; a place with a fraction lies between two of them."""
    y, x = np.round(place).astype(int)
    return image[y - 4 : y + 5, x - 4 : x + 5]


def turned(turn, cut):
    return turn.of_images(cut)


@pytest.mark.parametrize("n", [8, 9])
@pytest.mark.parametrize("name", SCAN_AXES)
def test_windows_stay_on_the_canvas(n, name):
    rng = np.random.default_rng(0)
    positions = rng.uniform(n // 2, 20, (50, 2))
    frame = Frame(positions, (21 - n // 2 + n, 22 - n // 2 + n), False, [])
    truth = np.ones(frame.canvas_shape, dtype=np.complex64)
    found, object_ = turned_frame(frame, truth, SCAN_AXES[name], n)
    start = np.floor(found.positions_px) - n // 2
    assert (start >= 0).all()
    assert (start + n <= np.array(found.canvas_shape)).all()
    assert object_.shape == found.canvas_shape


@pytest.mark.parametrize("setting", ["auto", "corner"])
def test_zero_frequency_in_the_corner(scan, tmp_path, setting):
    path = tmp_path / "scan.npz"
    values = written(scan, path)
    for key in ("diff3d", "bad_pixels"):
        values[key] = np.fft.ifftshift(values[key], axes=(-2, -1))
    np.savez(path, **values)
    found = read_scan(path, DataConfig(zero_frequency=setting))
    np.testing.assert_array_equal(np.asarray(found.patterns), scan.patterns)
    np.testing.assert_array_equal(found.mask, scan.mask)
    assert any("from the corner" in said for said in found.decisions)
    kept = read_scan(path, DataConfig(zero_frequency="middle"))
    np.testing.assert_array_equal(np.asarray(kept.patterns), values["diff3d"])


@pytest.mark.parametrize("place", [(16, 16), (0, 0), (31, 1), (20, 9)])
def test_where_light_gathers(place):
    y, x = np.indices((N, N))
    away = [np.minimum((c - p) % N, (p - c) % N) for c, p in zip((y, x), place, strict=True)]
    found = find_zero_frequency(np.exp(-(away[0] ** 2 + away[1] ** 2) / 20))
    np.testing.assert_allclose(found.centre, place, atol=1e-6)
    assert found.in_corner == (place in ((0, 0), (31, 1)))


def test_light_that_gathers_nowhere():
    assert not find_zero_frequency(np.ones((N, N))).in_corner
    assert find_zero_frequency(np.zeros((N, N))).gathered == 0
