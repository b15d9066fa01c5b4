import gc
import multiprocessing
import pickle

import h5py
import hdf5plugin
import numpy as np
import pytest

from ptychopinn.errors import DataError
from ptychopinn.io import hdf5, stored_patterns
from ptychopinn.io.frame_source import RawFrames
from ptychopinn.io.frame_view import FrameView
from ptychopinn.io.stored_patterns import StoredPatterns, stored_in_hdf5, turned
from ptychopinn.scan import pattern_blocks
from tests.io.files import one_sentence

FRAMES = np.random.default_rng(0).integers(0, 60000, (23, 6, 8)).astype(np.uint16)


def raw_file(folder, gap=0, start=b"12345"):
    with (folder / "frames.raw").open("wb") as file:
        file.write(start)
        for frame in FRAMES:
            file.write(frame.tobytes() + b"\xff" * gap)
    return folder / "frames.raw"


def in_raw(folder, gap=0):
    path = raw_file(folder, gap)
    source = RawFrames(str(path), 23, (6, 8), FRAMES.dtype, offset=5, gap_bytes=gap)
    return StoredPatterns(path, [source])


def in_hdf5(folder, data=FRAMES, name="a.h5", **options):
    with h5py.File(folder / name, "w") as file:
        file.create_dataset("entry/data", data=data, **options)
    with h5py.File(folder / name) as file:
        return stored_in_hdf5(folder / name, [file["entry/data"]])


def linked(folder):
    """As Dectris writes it: a master that links to files with a part of the frames each."""
    for number, part in enumerate((FRAMES[:9], FRAMES[9:18], FRAMES[18:])):
        in_hdf5(folder, part, f"data_{number}.h5", chunks=(1, 6, 8), **hdf5plugin.Bitshuffle())
    with h5py.File(folder / "master.h5", "w") as file:
        for number in range(3):
            file[f"entry/data_{number}"] = h5py.ExternalLink(f"data_{number}.h5", "entry/data")
    with h5py.File(folder / "master.h5") as file:
        parts = [file[f"entry/data_{number}"] for number in range(3)]
        return stored_in_hdf5(folder / "master.h5", parts)


def virtual(folder, *, complete=True):
    in_hdf5(folder, name="whole.h5")
    layout = h5py.VirtualLayout(FRAMES.shape, FRAMES.dtype)
    layout[:] = h5py.VirtualSource("whole.h5", "entry/data", FRAMES.shape)
    with h5py.File(folder / "virtual.h5", "w") as file:
        file.create_virtual_dataset("data", layout)
    if not complete:
        (folder / "whole.h5").unlink()
    with h5py.File(folder / "virtual.h5") as file:
        return stored_in_hdf5(folder / "virtual.h5", [file["data"]])


KINDS = {
    "raw": in_raw,
    "raw with gaps": lambda folder: in_raw(folder, 12),
    "one piece": in_hdf5,
    "big endian": lambda folder: in_hdf5(folder, FRAMES.astype(">u2")),
    "chunks of one": lambda folder: in_hdf5(folder, chunks=(1, 6, 8), compression="gzip"),
    "chunks of four": lambda folder: in_hdf5(folder, chunks=(4, 3, 8), **hdf5plugin.LZ4()),
    "bitshuffle": lambda folder: in_hdf5(folder, chunks=(5, 6, 8), **hdf5plugin.Bitshuffle()),
    "external links": linked,
    "virtual": virtual,
}
INDICES = {
    "one": 7,
    "last": -1,
    "some": slice(3, 12),
    "every third backwards": slice(None, None, -3),
    "none": slice(4, 4),
    "any order, repeats": np.array([22, 3, 4, 5, 3, 0, 17, 18]),
    "list": [5, 2],
    "booleans": np.arange(23) % 4 == 1,
    "part of frames": (slice(2, 9), slice(1, 4), slice(5, None)),
    "part of one": (3, slice(1, 4)),
    "part of chosen": (np.array([9, 1]), slice(None), slice(0, 2)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_index_gives_what_the_array_would(tmp_path, kind):
    patterns = KINDS[kind](tmp_path)
    assert (patterns.shape, patterns.ndim, patterns.dtype) == (FRAMES.shape, 3, np.uint16)
    assert (len(patterns), patterns.nbytes) == (23, FRAMES.nbytes)
    for name, index in INDICES.items():
        np.testing.assert_array_equal(patterns[index], FRAMES[index], err_msg=name)
    np.testing.assert_array_equal(np.asarray(patterns), FRAMES)
    np.testing.assert_array_equal(np.stack(list(patterns)), FRAMES)


@pytest.mark.parametrize("kind", ["raw", "external links", "chunks of four"])
def test_reading_in_small_pieces_changes_nothing(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(stored_patterns, "_READ_BYTES", 3 * 6 * 8 * 2)
    patterns = KINDS[kind](tmp_path)
    np.testing.assert_array_equal(patterns[2:21], FRAMES[2:21])
    blocks = list(pattern_blocks(patterns, 5 * 6 * 8 * 2))
    assert [len(block) for _, block in blocks] == [5, 5, 5, 5, 3]
    for place, block in blocks:
        np.testing.assert_array_equal(block, FRAMES[place])


def test_a_raster_on_four_axes_is_one_row_of_frames(tmp_path):
    raster = FRAMES[:20].reshape(4, 5, 6, 8)
    patterns = in_hdf5(tmp_path, raster)
    assert patterns.shape == (20, 6, 8)
    np.testing.assert_array_equal(patterns[3:17], FRAMES[3:17])
    np.testing.assert_array_equal(patterns[[19, 0, 5]], FRAMES[[19, 0, 5]])


def test_a_choice_stays_on_disk(tmp_path):
    patterns = in_raw(tmp_path).select(np.array([20, 4, 4, 9])).select(np.array([3, 0, 1]))
    assert isinstance(patterns, StoredPatterns)
    np.testing.assert_array_equal(patterns.frames, [9, 20, 4])
    np.testing.assert_array_equal(patterns[:], FRAMES[[9, 20, 4]])


VIEWS = {
    "as it is": FrameView((6, 8)),
    "corner": FrameView((6, 8), corner=True),
    "transposed": FrameView((6, 8), transpose=True),
    "flipped": FrameView((6, 8), flip_rows=True, flip_columns=True),
    "cut": FrameView((6, 8)).cut(slice(1, 5), slice(2, 8)),
    "all": FrameView((6, 8), transpose=True, flip_rows=True, window=(slice(1, 7), slice(0, 5))),
    "cut corner": FrameView((6, 8), True, True, False, True, (slice(1, 7), slice(0, 5))),
}


def by_hand(view, frames):
    frames = np.fft.fftshift(frames, axes=(-2, -1)) if view.corner else frames
    frames = frames.swapaxes(-2, -1) if view.transpose else frames
    frames = frames[..., ::-1, :] if view.flip_rows else frames
    frames = frames[..., ::-1] if view.flip_columns else frames
    return frames if view.window is None else frames[(..., *view.window)]


@pytest.mark.parametrize("kind", ["raw with gaps", "one piece", "bitshuffle"])
@pytest.mark.parametrize("name", VIEWS)
def test_frames_are_turned_and_cut_when_they_are_read(tmp_path, kind, name):
    view, patterns = VIEWS[name], KINDS[kind](tmp_path)
    wanted = by_hand(view, FRAMES)
    seen = turned(patterns, view)
    assert seen.shape == wanted.shape == (23, *view.pattern_shape)
    np.testing.assert_array_equal(seen[[4, 1]], wanted[[4, 1]])
    np.testing.assert_array_equal(turned(FRAMES, view), wanted)
    twice = FrameView(view.pattern_shape, flip_rows=True).cut(slice(0, 3), slice(1, 4))
    cut = FrameView((3, 3)).cut(slice(1, 3), slice(0, 2))
    again = turned(turned(seen, twice), cut)
    np.testing.assert_array_equal(again[:], by_hand(cut, by_hand(twice, wanted)))


def middle_of(patterns):
    return patterns[9:12]


@pytest.mark.parametrize("kind", ["raw", "external links"])
def test_other_processes_read_for_themselves(tmp_path, kind):
    patterns = KINDS[kind](tmp_path)
    patterns[0]  # files are open here
    again = pickle.loads(pickle.dumps(patterns))  # noqa: S301  (of our own)
    np.testing.assert_array_equal(again[3:5], FRAMES[3:5])
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for found in pool.map(middle_of, [patterns] * 4):
            np.testing.assert_array_equal(found, FRAMES[9:12])
    np.testing.assert_array_equal(patterns[-3:], FRAMES[-3:])


def test_another_file_in_its_place_is_not_read(tmp_path):
    patterns = in_raw(tmp_path)
    patterns[0]
    (tmp_path / "other").write_bytes(b"\0" * 5000)
    (tmp_path / "other").replace(tmp_path / "frames.raw")
    np.testing.assert_array_equal(patterns[5], FRAMES[5])


@pytest.mark.filterwarnings("error")
def test_files_are_closed_with_the_last_reader(tmp_path):
    raw, hdf5_patterns = in_raw(tmp_path), in_hdf5(tmp_path)
    opened = []
    for patterns in (raw, hdf5_patterns):
        np.testing.assert_array_equal(patterns[3], FRAMES[3])
        opened += patterns._files._open.values()
    assert not opened[0].closed
    assert opened[1]
    del raw, hdf5_patterns, patterns
    gc.collect()
    assert opened[0].closed
    assert not opened[1]


def test_what_cannot_be_read_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(DataError) as error:
        virtual(tmp_path, complete=False)
    assert one_sentence(str(error.value), tmp_path / "virtual.h5", "no file whole.h5", "/data")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_dataset("empty", (5, 4, 4), "u2", chunks=(1, 4, 4))
        file["flat"] = np.zeros((4, 4))
        file["text"] = np.array([[[b"a"]]])
    path = tmp_path / "b.h5"
    with h5py.File(path) as file:
        for key, words in (("empty", "never written"), ("flat", "(4, 4)"), ("text", "type |S1")):
            with pytest.raises(DataError) as error:
                stored_in_hdf5(path, [file[key]])
            assert one_sentence(str(error.value), path, words)


@pytest.mark.parametrize("number", [32008, 32999])
def test_a_filter_that_is_not_installed_is_named(tmp_path, monkeypatch, number):
    """Once hidden, once a number that nobody has: the bytes of the file were changed."""
    KINDS["bitshuffle"](tmp_path)
    path = tmp_path / "a.h5"
    if number == 32008:
        monkeypatch.setattr(hdf5.h5py.h5z, "filter_avail", lambda code: code != 32008)
    else:
        known, other = (code.to_bytes(2, "little") for code in (32008, number))
        data = path.read_bytes()
        place = data.index(known)
        assert data.index(b"bitshuffle") - place < 16, "not the message of the filter"
        path.write_bytes(data[:place] + other + data[place + 2 :])
    with h5py.File(path) as file, pytest.raises(DataError) as error:
        stored_in_hdf5(path, [file["entry/data"]])
    assert one_sentence(str(error.value), path, f"filter {number} (bitshuffle", "hdf5plugin")


def test_files_that_end_early_are_refused_when_they_are_read(tmp_path):
    patterns = in_raw(tmp_path)
    with (tmp_path / "frames.raw").open("r+b") as file:
        file.truncate(5 + 10 * 96)
    np.testing.assert_array_equal(patterns[9], FRAMES[9])
    with pytest.raises(DataError) as error:
        patterns[10]
    assert one_sentence(str(error.value), tmp_path / "frames.raw", "the data end early")


def test_parts_must_agree(tmp_path):
    in_hdf5(tmp_path, FRAMES.astype(np.uint32), "b.h5")
    in_hdf5(tmp_path)
    with h5py.File(tmp_path / "a.h5") as one, h5py.File(tmp_path / "b.h5") as other:
        parts = [one["entry/data"], other["entry/data"]]
        with pytest.raises(DataError) as error:
            stored_in_hdf5(tmp_path / "a.h5", parts)
    assert one_sentence(str(error.value), tmp_path / "a.h5", "uint32", "uint16")
