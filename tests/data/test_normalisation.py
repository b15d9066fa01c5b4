from dataclasses import replace

import numpy as np
import pytest

from ptychopinn.config import PhysicsConfig
from ptychopinn.data import mean_pattern, normalise
from ptychopinn.data.normalisation import seen_share
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


def test_a_probe_that_only_lights_bad_pixels_is_left_alone():
    scan = make_scan(32)
    mask = np.ones((32, 32), dtype=bool)
    mask[16, 16] = False
    flat = replace(scan, probe=np.ones((1, 32, 32), np.complex64), mask=mask)
    assert seen_share(flat) == 1
