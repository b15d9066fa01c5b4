from dataclasses import replace

import numpy as np
import pytest

from ptychopinn.config import PhysicsConfig
from ptychopinn.data import mean_pattern, normalise
from ptychopinn.data.normalisation import seen_share
from ptychopinn.errors import DataError
from tests.conftest import make_scan


def test_a_gap_does_not_make_the_probe_weaker():
    scan = make_scan(32, photons=1e6)
    mask = np.ones((32, 32), dtype=bool)
    mask[:, 17:20] = False
    hurt = replace(scan, mask=mask)
    whole, masked = (normalise(s, PhysicsConfig()) for s in (scan, hurt))
    assert masked.pattern_counts < 0.85 * whole.pattern_counts
    assert masked.probe_factor == pytest.approx(whole.probe_factor, rel=0.03)
    assert seen_share(scan) == 1
    assert 0 < seen_share(hurt) < 0.85
    assert (mean_pattern(hurt)[:, 17:20] == 0).all()
    assert mean_pattern(scan).sum() == pytest.approx(whole.pattern_counts, rel=1e-3)


def test_a_probe_that_only_lights_bad_pixels_is_refused():
    mask = np.ones((32, 32), dtype=bool)
    mask[16, 16] = False
    flat = replace(make_scan(32), probe=np.ones((1, 32, 32), np.complex64), mask=mask)
    with pytest.raises(DataError, match=r"0\.00% of the probe's own light .*another probe"):
        normalise(flat, PhysicsConfig())


def test_a_mask_that_leaves_next_to_nothing_is_refused():
    scan = make_scan(32)
    mask = np.zeros((32, 32), dtype=bool)
    mask[16, 16] = True
    with pytest.raises(DataError, match=r"found 1 good pixels of 1024 \(0.10%\), wanted 1%"):
        normalise(replace(scan, mask=mask), PhysicsConfig())
    mask[14:19, 14:19] = True
    assert 0.05 < seen_share(replace(scan, mask=mask)) < 1


@pytest.mark.parametrize(("half_width", "refused"), [(1, False), (3, True)])
def test_a_beam_stop_may_hide_nearly_all_of_the_direct_light(half_width, refused):
    mask = np.ones((32, 32), dtype=bool)
    mask[16 - half_width : 17 + half_width, 16 - half_width : 17 + half_width] = False
    scan = replace(make_scan(32), mask=mask)
    if refused:
        with pytest.raises(DataError, match="own light"):
            seen_share(scan)
    else:
        assert seen_share(scan) < 1


def test_counts_beyond_any_number_are_refused_with_the_name_of_the_scan():
    scan = make_scan(24, side=4)
    patterns = np.full(scan.patterns.shape, 1e300)
    with (
        np.errstate(over="ignore"),
        pytest.raises(DataError, match=r"^test scan: patterns: found inf photons"),
    ):
        normalise(replace(scan, patterns=patterns), PhysicsConfig())
