import dataclasses

import h5py
import numpy as np
import pytest

from ptychopinn.errors import DataError
from ptychopinn.io import read_product, write_product
from ptychopinn.scan import BadPixels, PatternFit, Reconstruction


@pytest.fixture
def made():
    rng = np.random.default_rng(1)
    n, count = 8, 5
    bad = np.zeros((n, n), bool)
    bad[2, 3] = True
    fit = PatternFit(
        numbers=np.arange(count),
        deviance=rng.random(count, np.float32),
        expected=rng.random(count, np.float32),
        held_out=True,
        detector_deviance=rng.random((n, n), np.float32),
        mean_counts=rng.random((n, n), np.float32),
        shown=np.array([4, 0]),
        measured=rng.random((2, n, n), np.float32),
        predicted=rng.random((2, n, n), np.float32),
        bad_pixels=BadPixels({"hot": bad, "dead": bad[::-1]}),
    )
    return Reconstruction(
        object=np.ones((16, 18), np.complex64),
        coverage=np.ones((16, 18), np.float32),
        probe=np.ones((1, n, n), np.complex64),
        positions_px=rng.uniform(4, 11, (count, 2)),
        losses=np.empty(0),
        pattern_fit=fit,
        half_data_frc=np.stack([np.linspace(0, 0.5, 7), np.r_[np.nan, np.ones(6)], np.arange(7)]),
    )


def test_nothing_is_lost(made, tmp_path):
    write_product(tmp_path / "a.h5", made)
    read = read_product(tmp_path / "a.h5")
    for item in dataclasses.fields(PatternFit):
        stored, given = getattr(read.pattern_fit, item.name), getattr(made.pattern_fit, item.name)
        if item.name == "bad_pixels":
            assert stored.counts == given.counts == {"hot": 1, "dead": 1}
            np.testing.assert_array_equal(stored.mask, given.mask)
        else:
            np.testing.assert_array_equal(stored, given)
    np.testing.assert_array_equal(read.half_data_frc, made.half_data_frc)


def test_products_without_it_stay_readable(made, tmp_path):
    write_product(
        tmp_path / "a.h5", dataclasses.replace(made, pattern_fit=None, half_data_frc=None)
    )
    read = read_product(tmp_path / "a.h5")
    assert read.pattern_fit is None
    assert read.half_data_frc is None


@pytest.mark.parametrize("key", ["pattern_fit/measured", "pattern_fit/deviance", "half_data_frc"])
def test_arrays_that_do_not_belong_together_are_refused(made, tmp_path, key):
    write_product(tmp_path / "a.h5", made)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        shape = file[key].shape
        del file[key]
        file[key] = np.ones((shape[0] + 1, *shape[1:]), np.float32)
    with pytest.raises(DataError, match=key):
        read_product(tmp_path / "a.h5")
