import numpy as np
import pytest

from ptycho_torch.scans import read_folder, scan_of_arrays
from ptychopinn.errors import DataError
from tests.conftest import make_scan


def arrays(scan, middle_shift=0.5):
    return scan.patterns, scan.probe, scan.positions_px - middle_shift


def test_the_object_is_centred_on_the_scan_and_pixels_stay(scan):
    placed = scan_of_arrays(*arrays(scan), "counts")
    middles = scan.positions_px - 0.5
    middle = (middles.min(axis=0) + middles.max(axis=0)) / 2
    assert placed.shape == tuple(np.round(2 * middle + 1).astype(int))
    assert np.allclose(placed.scan.positions_px - placed.start, scan.positions_px)


def test_windows_beyond_the_object_have_room_and_are_cut_off(scan):
    patterns, probe, positions = arrays(scan)
    placed = scan_of_arrays(patterns, probe, positions - 12.0, "counts")
    assert min(placed.start) > 0
    assert np.allclose(placed.scan.positions_px - placed.start, scan.positions_px - 12)
    height, width = placed.shape
    canvas = np.arange(np.prod(placed.scan.canvas_shape)).reshape(placed.scan.canvas_shape)
    assert placed.cut(canvas).shape == (height, width)
    assert placed.cut(canvas)[0, 0] == canvas[placed.start]


def test_an_odd_window_has_its_middle_on_a_pixel():
    scan = make_scan(33)
    placed = scan_of_arrays(*arrays(scan, 0.0), "counts")
    assert np.allclose(placed.scan.positions_px - placed.start, scan.positions_px)


def test_a_detector_that_is_not_square_is_refused(scan):
    patterns, probe, positions = arrays(scan)
    with pytest.raises(DataError, match=r"wanted square patterns"):
        scan_of_arrays(patterns[:, :, 1:], probe, positions, "counts")


def test_positions_without_patterns_are_refused(scan):
    patterns, probe, positions = arrays(scan)
    with pytest.raises(DataError, match=r"wanted \(62, 2\)"):
        scan_of_arrays(patterns[1:], probe, positions, "counts")


def test_the_truth_of_an_export_lies_where_ptychodus_means_it(tmp_path, scan):
    y, x = (scan.positions_px - 0.5).T
    np.savez(
        tmp_path / "train.npz",
        xcoords=x,
        ycoords=y,
        diff3d=scan.patterns,
        bad_pixels=~scan.mask,
        probeGuess=scan.probe,
        objectGuess=scan.truth,
    )
    (found,) = read_folder(tmp_path)
    assert np.allclose(found.positions_px, scan.positions_px)


def test_a_folder_without_scans_is_refused(tmp_path):
    with pytest.raises(DataError, match="Export Training Data"):
        read_folder(tmp_path)
