"""One scan in the files of many programs is one scan."""

import numpy as np
import pytest

from ptychopinn.io import read_scan, recognise, write_scan
from tests.io.peers import DATA, MARKED, assert_same_scan, said, the_scan
from tests.io.test_map_in_every_format import WRITTEN

FILES = {
    "ptychodus_hdf5/diffraction.h5": ("Ptychodus", {}),
    "ptychodus_hdf5/product.h5": ("Ptychodus", {}),
    "ptychodus_hdf5": ("Ptychodus", {}),
    "ptychodus_npz/diffraction.npz": ("Ptychodus", {}),
    "ptychodus_npz/product.npz": ("Ptychodus", {}),
    "ptychodus_training/training.h5": ("Ptychodus training data", {}),
    "ptychodus_pair/scan_dp.hdf5": ("dp/para pair", {"mask": False}),
    "ptychodus_pair/scan_para.hdf5": ("dp/para pair", {"mask": False}),
    "ptychodus_pair": ("dp/para pair", {"mask": False}),
    "ptychodus_cxi/diffraction.cxi": ("Ptychodus CXI", {}),
    "ptychodus_cxi/product.cxi": ("Ptychodus CXI", {}),
    "ptychodus_cxi": ("Ptychodus CXI", {}),
    "tike.npz": ("tike NPZ", {"lengths": False}),
}


@pytest.mark.parametrize("name", FILES)
def test_the_same_scan_in_every_format(name):
    kind, without = FILES[name]
    assert recognise(DATA / name) == kind
    assert_same_scan(read_scan(DATA / name, MARKED), the_scan(), **without)


def test_ptylab_keeps_what_it_has():
    """It has no object and no probe: positions are those of the scan up to whole pixels."""
    found, wanted = read_scan(DATA / "ptylab.hdf5", MARKED), the_scan()
    move = found.positions_px - wanted.positions_px
    assert abs(move - move[0].round()).max() < 1e-6
    assert (found.counts() * wanted.mask == wanted.counts()).all()
    assert found.pixel_size_m == pytest.approx(wanted.pixel_size_m)
    assert "turned as orientation 4" in said(found)
    assert "estimated" in said(found)


#: Files of programs that hold another scan, and what the program itself read in them.
READ_BACK = {"cdtools.cxi": "cdtools_read.npz", "ptypy.ptyd": "ptypy_read.npz"}


@pytest.mark.parametrize("name", READ_BACK)
@pytest.mark.parametrize(
    "written", ["a.npz", "a.cxi", "a.nxs", "a.ptyd", "a_product.h5", "a_dp.hdf5"]
)
def test_a_scan_of_a_peer_is_the_same_after_every_format(tmp_path, name, written):
    """Counts are what the peer read, positions too, and both survive being written."""
    read = np.load(DATA / READ_BACK[name])
    scan = read_scan(DATA / name, MARKED)
    counts = np.where(scan.mask, read["counts"], 0)
    np.testing.assert_array_equal(np.asarray(scan.counts()), counts)
    write_scan(tmp_path / written, scan)
    found = read_scan(tmp_path / written, MARKED)
    np.testing.assert_array_equal(np.asarray(found.counts()), counts)
    np.testing.assert_allclose(found.positions_px, scan.positions_px, rtol=0, atol=1e-6)
    in_pixels = "positions_px" in read.files
    wanted = read["positions_px"] if in_pixels else read["positions_m"] / scan.pixel_size_m
    moved = found.positions_px - wanted
    np.testing.assert_allclose(moved - moved[0], 0, atol=1e-6)


@pytest.mark.parametrize("name", WRITTEN.values())
def test_every_format_that_is_written_gives_the_same_scan(tmp_path, name):
    write_scan(tmp_path / name, the_scan())
    without = {"lengths": False} if "tike" in name else {}
    assert_same_scan(read_scan(tmp_path / name, MARKED), the_scan(), **without)
