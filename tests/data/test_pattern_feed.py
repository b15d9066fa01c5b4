import dataclasses

import numpy as np
import pytest
import torch

from ptychopinn.data.pattern_feed import PatternFeed
from ptychopinn.errors import DataError
from ptychopinn.physics.view import amplitude_in_corner
from tests.conftest import make_scan

CPU = torch.device("cpu")
SOME = np.array([1, 4, 5, 60])
TYPES = ("bool", "uint8", "int8", "uint16", "int16", ">u2", "uint32", "int32", "int64", "uint64")


@pytest.fixture
def pinned(monkeypatch):
    """Blocks that were pinned; a processor alone cannot pin any."""
    blocks = []

    def pin(tensor):
        blocks.append(tensor)
        return tensor.clone()

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    return blocks


def scan_of(dtype, domain="counts", mask=None):
    scan = make_scan(16, mask=mask, photons=2e4)
    patterns = np.minimum(scan.patterns, 120).astype(dtype)
    return dataclasses.replace(scan, patterns=patterns, domain=domain)


def amplitude_from_counts(scan, patterns):
    return amplitude_in_corner(torch.from_numpy(scan.counts(patterns)))[None]


@pytest.mark.parametrize("domain", ["counts", "amplitude"])
@pytest.mark.parametrize("dtype", [*TYPES, "float16", "float32", ">f4", "float64"])
def test_every_stored_type_gives_the_same_bits(dtype, domain):
    mask = np.ones((16, 16), dtype=bool)
    mask[2, 5:9] = False
    scan = scan_of(dtype, domain, mask)
    found = PatternFeed(scan, CPU).amplitude_of(SOME)
    assert found.dtype == torch.float32
    assert torch.equal(found, amplitude_from_counts(scan, SOME))


def test_bad_pixels_may_hold_anything():
    mask = np.ones((16, 16), dtype=bool)
    mask[2, 5] = False
    scan = scan_of("float32", mask=mask)
    scan.patterns[:, 2, 5] = np.nan
    assert torch.isfinite(PatternFeed(scan, CPU).amplitude_of(SOME)).all()


def test_patterns_travel_as_they_are_stored():
    kinds = {name: PatternFeed(scan_of(name), CPU).read(SOME).dtype for name in ("uint16", "int64")}
    assert kinds == {"uint16": torch.uint16, "int64": torch.float32}


def test_an_accelerator_is_fed_ahead_from_pinned_memory(pinned):
    scan = scan_of("uint16")
    feed = PatternFeed(scan, CPU, accelerator=True)
    parts = [SOME, None, SOME[:1], SOME[1:]]
    for part, block in zip(parts, feed.blocks(iter(parts)), strict=True):
        if part is None:
            assert block is None
        else:
            assert torch.equal(feed.amplitude(block), amplitude_from_counts(scan, part))
    assert len(pinned) == 3
    assert list(feed.blocks([])) == []


def test_both_ways_give_the_same_blocks(pinned):
    scan = scan_of("uint16")
    parts = [SOME, SOME[:2]]
    plain, ahead = (list(PatternFeed(scan, CPU, way).blocks(parts)) for way in (False, True))
    assert all(torch.equal(a, b) for a, b in zip(plain, ahead, strict=True))
    assert len(pinned) == 2


def test_an_error_of_the_reader_comes_out(pinned):
    class Broken(np.ndarray):
        def __getitem__(self, key):
            raise DataError("a file that vanished.")

    scan = scan_of("uint16")
    scan = dataclasses.replace(scan, patterns=scan.patterns.view(Broken))
    with pytest.raises(DataError, match="vanished"):
        list(PatternFeed(scan, CPU, accelerator=True).blocks([SOME, SOME]))
    assert pinned == []
