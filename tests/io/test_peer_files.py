"""One scan in the files of many programs is one scan."""

import pytest

from ptychopinn.io import read_scan, recognise
from tests.io.peers import DATA, MARKED, assert_same_scan, said, the_scan

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
