import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from ptychopinn.config import SimulationConfig
from ptychopinn.data import DescriptorRanges, ScanDescriptors, describe_scan
from ptychopinn.data.descriptors import light_diameter_px
from ptychopinn.errors import DataError
from ptychopinn.simulation import simulate
from tests.conftest import make_scan

ONE = ScanDescriptors(64, 1, 1e6, 0.3, 0.4, 0.7, 8, 0)


def test_what_was_simulated_is_found():
    made = SimulationConfig(
        n=64, patterns=60, photons=3e4, probe_size=0.3, step_px=5, modes=2, dead_fraction=0.1,
        scan="raster", jitter_px=0,
    )  # fmt: skip
    found = describe_scan(simulate(made))
    assert (found.n, found.modes) == (64, 2)
    assert found.masked_fraction == pytest.approx(0.1, abs=0.001)
    assert found.photons_per_pattern == pytest.approx(0.9 * 3e4, rel=0.1)
    assert found.probe_diameter == pytest.approx(0.3, abs=0.04)
    diameter = found.probe_diameter * 64
    assert found.overlap == pytest.approx(1 - 5 / diameter, abs=0.02)
    assert 5 < found.patterns_per_probe_area < np.pi * diameter**2 / 4 / 25 + 2
    assert json.loads(json.dumps(found.to_dict())) == asdict(found)


def test_diameter_of_a_disc_anywhere_and_in_the_far_field():
    y, x = np.indices((64, 64))
    disc = (np.hypot(y - 40, x - 20) <= 10).astype(float)
    assert light_diameter_px(disc) == pytest.approx(20 * np.sqrt(0.9), abs=1)
    spike = np.zeros((64, 64))
    spike[3, 4] = 1
    assert light_diameter_px(spike) == 1
    scan = make_scan(32)
    wide = replace(scan, probe=np.ones((1, 32, 32), np.complex64))
    point = describe_scan(wide)
    assert point.far_field_diameter == 1 / 32
    assert point.probe_diameter > 0.9
    with pytest.raises(DataError, match="total light of 0"):
        describe_scan(replace(scan, probe=0 * scan.probe))


def test_a_single_pattern_and_any_gauge():
    scan = make_scan(32)
    alone = describe_scan(scan.select(np.array([3])))
    assert (alone.overlap, alone.patterns_per_probe_area) == (0, 1)
    loud = describe_scan(replace(scan, probe=5j * scan.probe))
    assert loud.to_dict() == pytest.approx(describe_scan(scan).to_dict())


def test_outside_is_counted_in_widths_of_the_range():
    ranges = DescriptorRanges.from_many([replace(ONE, photons_per_pattern=1e4, overlap=0.5), ONE])
    assert set(ranges.outside(ONE).values()) == {0.0}
    far = ranges.outside(replace(ONE, photons_per_pattern=1e9, overlap=0.4))
    assert far["photons_per_pattern"] == pytest.approx(1.5)
    assert far["overlap"] == pytest.approx(0.5)
    assert sum(value > 0 for value in far.values()) == 2
    assert ranges.outside(replace(ONE, modes=2))["modes"] == 1  # it never varied


def test_ranges_survive_json_and_refuse_what_they_are_not():
    ranges = DescriptorRanges.from_many([ONE])
    assert DescriptorRanges.from_dict(json.loads(json.dumps(ranges.to_dict()))) == ranges
    with pytest.raises(DataError, match="not the ranges"):
        DescriptorRanges.from_dict({"low": {"n": 3}, "high": {}})
    with pytest.raises(DataError, match="no scan"):
        DescriptorRanges.from_many([])


@pytest.mark.parametrize("forged", [[], {"low": 1}, {"low": {"n": "wide"}, "high": {}}])
def test_forged_ranges_are_refused(forged):
    with pytest.raises(DataError, match="not the ranges"):
        DescriptorRanges.from_dict(forged)
