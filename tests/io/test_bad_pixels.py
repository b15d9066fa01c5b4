import numpy as np
import pytest

from ptychopinn.config import DataConfig
from ptychopinn.errors import ConfigError, DataError
from ptychopinn.io import find_bad_pixels, read_scan_npz
from tests.io.files import one_sentence, save_npz, scan_arrays

SIDE = 64


def rates(photons, stop=0.0):
    """Mean photons: a bright disc that fades over some pixels, perhaps with a shadow inside."""
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    radius = np.hypot(y, x)
    disc = 1 / (1 + np.exp(2 * (radius - 14))) + 1e-3
    if stop:
        disc *= 1e-3 + 1 / (1 + np.exp(-3 * (radius - stop)))
    return disc * photons / disc.sum()


def draw(photons=1e5, count=200, stop=0.0, seed=0):
    rng = np.random.default_rng(seed)
    bright = rng.gamma(2, 0.5, (count, SIDE, SIDE))  # speckle: every pattern is another one
    return rng.poisson(bright * rates(photons, stop)).astype(np.uint16)


def find(patterns, domain="counts", marked=None):
    none = np.zeros(patterns.shape[1:], dtype=bool)
    return find_bad_pixels(patterns, none if marked is None else marked, none, domain)


@pytest.mark.parametrize("photons", [1e2, 1e3, 1e4, 1e6])
@pytest.mark.parametrize("stop", [0.0, 5.0])
def test_no_false_alarm(photons, stop):
    """Neither starved pixels nor the shadow of a stop are dead, nor is a bright field hot."""
    bad, said = find(draw(photons, stop=stop))
    assert bad.counts == {}
    assert said == []


def test_a_direct_beam_is_not_hot_and_a_flat_pattern_is_not_stuck():
    patterns = draw()
    patterns[:, SIDE // 2, SIDE // 2] = np.random.default_rng(1).poisson(50_000, len(patterns))
    assert find(patterns)[0].counts == {}
    same = np.broadcast_to(rates(1e5).astype(np.float32), (100, SIDE, SIDE))
    bad, said = find(same)
    assert bad.counts == {}
    assert len(said) == 1
    assert "looks hot, more than can be believed" in said[0]


@pytest.mark.parametrize("kind", ["gap", "row gap", "pixels", "clump"])
@pytest.mark.parametrize("domain", ["counts", "amplitude"])
def test_dead(kind, domain):
    patterns, truth = draw(count=300), np.zeros((SIDE, SIDE), dtype=bool)
    if "gap" in kind:
        truth[:, 36:41] = True
        truth = truth.T.copy() if kind == "row gap" else truth
    else:
        chosen = [(32, 32), (20, 30), (40, 33), (30, 25)]
        chosen += [(32, 33), (33, 32)] if kind == "clump" else []
        truth[tuple(np.transpose(chosen))] = True
    patterns[:, truth] = 0
    stored = patterns if domain == "counts" else np.sqrt(patterns.astype(np.float32))
    bad, _ = find(stored, domain)
    assert list(bad.counts) == ["dead"]
    np.testing.assert_array_equal(bad.kinds["dead"], truth)


def test_hot():
    patterns = draw()
    patterns[:, 5, 7] += np.random.default_rng(1).poisson(30, len(patterns)).astype(np.uint16)
    patterns[:, 40, 9] = 7  # stuck
    patterns[3, 50, 50] = 50_000  # a cosmic ray
    bad, _ = find(patterns)
    assert bad.counts == {"hot": 2}
    assert bad.kinds["hot"][5, 7]
    assert bad.kinds["hot"][40, 9]


@pytest.mark.parametrize("limit", [400, 65535])
def test_saturated(limit):
    patterns = draw()
    patterns[:, 28:34, 30:36] *= 3
    if limit == 65535:
        patterns[::10, 30:32, 30] = limit
    else:
        patterns = np.minimum(patterns, limit)
    bad, _ = find(patterns)
    wanted = np.count_nonzero(patterns == limit, axis=0) >= (2 if limit == 65535 else 10)
    np.testing.assert_array_equal(bad.kinds["saturated"], wanted)
    assert list(bad.counts) == ["saturated"]


def test_few_patterns_say_nothing():
    patterns = draw(count=20)
    patterns[:, 32, 32] = 0
    assert find(patterns)[0].counts == {}


def test_marked_pixels_are_counted_once_and_join_gaps():
    patterns, marked = draw(), np.zeros((SIDE, SIDE), dtype=bool)
    patterns[:, :, 36:40] = 0
    marked[:, 36:38] = True
    bad, _ = find(patterns, marked=marked)
    assert bad.counts == {"marked": 2 * SIDE, "dead": 2 * SIDE}
    assert bad.describe() == "128 marked, 128 dead"
    np.testing.assert_array_equal(np.flatnonzero(~bad.mask[0]), [36, 37, 38, 39])


def test_few_pixels_are_read_of_many(monkeypatch):
    monkeypatch.setattr("ptychopinn.io.bad_pixels._SAMPLE_PIXELS", 80 * SIDE**2)
    monkeypatch.setattr("ptychopinn.io.bad_pixels._CHUNK_PIXELS", 7 * SIDE**2)
    patterns = draw(count=700)
    patterns[:, 32, 32] = 0
    assert find(patterns)[0].counts == {"dead": 1}


# Through the reader

MASK = np.zeros((8, 8), dtype=bool)
MASK[2, 3] = True


@pytest.mark.parametrize("form", ["npy", "bad_pixels", "mask"])
def test_a_mask_file_replaces_the_marks_of_the_scan(tmp_path, form):
    own = np.zeros((8, 8), dtype=bool)
    own[5, 5] = True
    path = save_npz(tmp_path, scan_arrays(bad_pixels=own))
    place = tmp_path / ("m.npy" if form == "npy" else "m.npz")
    if form == "npy":
        np.save(place, MASK.astype(np.uint8))
    else:
        np.savez(place, **{form: MASK if form == "bad_pixels" else ~MASK})
    scan = read_scan_npz(path, DataConfig(mask=str(place)))
    np.testing.assert_array_equal(scan.mask, ~MASK)
    assert any("1 marked (1.56 % of the detector)" in line for line in scan.decisions)
    with pytest.raises(ConfigError, match=r"leave out one of them"):
        read_scan_npz(path, DataConfig(mask=str(place), bad_pixels="none"))
    assert read_scan_npz(path, DataConfig(bad_pixels="none")).mask.all()


WRONG = {
    "nothing left": (np.ones((8, 8), bool), "every pixel bad", "invert the mask"),
    "shape": (np.ones((9, 8), bool), "(9, 8)"),
    "type": (np.ones((8, 8)), "float64"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_mask_files(tmp_path, what):
    stored, *words = WRONG[what]
    path = save_npz(tmp_path, scan_arrays())
    place = tmp_path / "m.npy"
    np.save(place, stored)
    with pytest.raises(DataError) as error:
        read_scan_npz(path, DataConfig(mask=str(place)))
    assert one_sentence(str(error.value), place, *words)


@pytest.mark.parametrize("content", [b"PNG", b"\x93NUMPY\x01\x00v\x00{", b""])
def test_what_is_no_mask_file(tmp_path, content):
    path = save_npz(tmp_path, scan_arrays())
    place = tmp_path / "m.npy"
    place.write_bytes(content)
    with pytest.raises(DataError) as error:
        read_scan_npz(path, DataConfig(mask=str(place)))
    assert one_sentence(str(error.value), place)


def test_many_faulty_pixels_are_refused(tmp_path):
    patterns = scan_arrays()["diff3d"].astype(np.float32)
    for count, refused in ((6, False), (7, True)):
        patterns[1].flat[:count] = -1
        path = save_npz(tmp_path, scan_arrays(diff3d=patterns))
        if refused:
            with pytest.raises(DataError, match="7 good pixels of pattern 1 that are negative"):
                read_scan_npz(path)
        else:
            assert read_scan_npz(path).bad_pixels.counts == {"faulty": 6}
