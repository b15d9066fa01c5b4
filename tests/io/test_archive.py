import os
import random
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ptychopinn.errors import DataError
from ptychopinn.io import memory
from ptychopinn.io.archive import Archive
from tests.io.files import npy_bytes, npy_claiming, one_sentence, save_npz, zip_of

TERABYTE = 2**40


class Grenade:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (Path(self.path),))


ARRAYS = {
    "counts": np.arange(60, dtype=np.uint16).reshape(3, 4, 5),
    "fortran": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "big_endian": np.arange(5, dtype=">i4"),
    "complex": np.array([1 + 2j, 3]),
    "scalar": np.array(2.5),
    "none": np.empty((0, 3)),
    "text": np.array("counts"),
    "bools": np.array([True, False]),
}


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("key", ARRAYS)
def test_arrays_come_back_as_stored(tmp_path, key, compressed):
    archive = Archive(save_npz(tmp_path, ARRAYS, compressed=compressed))
    for array in (archive.read(key), archive.map(key)):
        assert array.dtype == ARRAYS[key].dtype
        np.testing.assert_array_equal(array, ARRAYS[key])


def test_stored_arrays_are_mapped_and_compressed_ones_are_not(tmp_path):
    stored = Archive(save_npz(tmp_path, ARRAYS)).map("counts")
    assert isinstance(stored, np.memmap)
    assert Path(stored.filename) == tmp_path / "scan.npz"
    assert not stored.flags.writeable
    compressed = Archive(save_npz(tmp_path, ARRAYS, compressed=True)).map("counts")
    assert not isinstance(compressed, np.memmap)


def test_mapping_reads_nothing_and_reading_verifies_the_checksum(tmp_path):
    path = save_npz(tmp_path, {"counts": np.full(10**5, 7, np.uint8)})
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\x07" * 10**5, b"\x07" * (10**5 - 1) + b"\x08"))
    archive = Archive(path)
    assert archive.map("counts")[-1] == 8
    with pytest.raises(DataError) as error:
        archive.read("counts")
    assert one_sentence(str(error.value), path, "counts", "damage", "CRC")


def test_keys_shapes_and_types_are_listed_even_of_what_is_refused(tmp_path):
    arrays = {"a": np.zeros((2, 3), np.float32), "b": np.array([{}, None], dtype=object)}
    archive = Archive(save_npz(tmp_path, arrays))
    assert archive.keys() == ["a", "b"]
    assert archive.describe() == [("a", (2, 3), "float32"), ("b", (2,), "object")]


def test_python_objects_are_refused_and_never_unpickled(tmp_path):
    trace = tmp_path / "unpickled"
    objects = np.array([Grenade(str(trace))], dtype=object)
    path = save_npz(tmp_path, {"a": np.zeros(3), "labels": objects})
    archive = Archive(path)
    for get in (archive.member, archive.read, archive.map):
        with pytest.raises(DataError) as error:
            get("labels")
        assert one_sentence(str(error.value), path, "labels", "object", "never unpickled")
    assert not trace.exists()
    np.testing.assert_array_equal(archive.read("a"), np.zeros(3))
    np.load(path, allow_pickle=True)["labels"]  # shows that the trace would have been left
    assert trace.exists()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(2, dtype=[("x", "f4")]),
        np.array(["2020-01-01"], dtype="M8[D]"),
    ],
    ids=["structured", "dates"],
)
def test_arrays_that_are_no_numbers_are_refused(tmp_path, array):
    path = save_npz(tmp_path, {"a": array})
    with pytest.raises(DataError) as error:
        Archive(path).read("a")
    assert one_sentence(str(error.value), path, "plain numbers")


def test_a_missing_key_is_told_with_the_nearest(tmp_path):
    path = save_npz(tmp_path, {"x_coords": np.zeros(3), "diff3d": np.zeros(3)})
    with pytest.raises(DataError) as error:
        Archive(path).read("xcoords")
    assert one_sentence(str(error.value), path, "xcoords", "diff3d, x_coords", "rename x_coords")
    with pytest.raises(DataError) as error:
        Archive(path).read("qqq")
    assert one_sentence(str(error.value), path, "only diff3d, x_coords", "add it")


def refused(path, *parts):
    with pytest.raises(DataError) as error:
        Archive(path)
    assert one_sentence(str(error.value), path, *parts)


def test_files_that_are_not_there_or_not_files_are_refused(tmp_path):
    refused(tmp_path / "absent.npz", "nothing there", "check the path")
    refused(tmp_path, "a folder")
    refused(tmp_path / ("x" * 300), "cannot be read", "name too long")
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "pipe")
    (tmp_path / "empty.npz").write_bytes(b"")
    refused(tmp_path / "empty.npz", "an empty file")
    (tmp_path / "text.npz").write_text("hello, I am no archive")
    refused(tmp_path / "text.npz", "damage", "not a zip", "an intact NPZ file")


def test_a_file_without_permission_is_refused(tmp_path, monkeypatch):
    path = save_npz(tmp_path, ARRAYS)

    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    refused(path, "Permission denied", "check its rights")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("compressed", [False, True])
def test_truncated_files_are_refused(tmp_path, share, compressed):
    path = save_npz(tmp_path, ARRAYS, compressed=compressed)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    refused(path, "damage", "copy or make the file again")


def allocated_while_refusing(path, key, *parts) -> int:
    """Most bytes that were held at once while the array was refused."""
    tracemalloc.start()
    try:
        for name in ("read", "map"):
            with pytest.raises(DataError) as error:
                getattr(Archive(path), name)(key)
            assert one_sentence(str(error.value), path, key, *parts)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((TERABYTE,), "claims 1.0 TiB over 3 bytes"),
        ((2**20, 2**20), "claims 1.0 TiB over 3 bytes"),
        ((2,), "claims 2 bytes over 3 bytes"),
        ((1,) * 40, "40 axes"),
        ((0, 2**60), "2 axes"),
        ((3, -1, -1), "3 axes"),
    ],
)
def test_a_header_that_lies_is_refused_before_allocation(tmp_path, method, shape, words):
    path = zip_of(tmp_path / "a.npz", {"a.npy": npy_claiming(shape, b"abc")}, method)
    assert allocated_while_refusing(path, "a", words) < 2**20


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_terabyte_claimed_by_header_and_directory_alike_is_refused(tmp_path, method):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.npy", npy_claiming((TERABYTE,)))
        header = archive.getinfo("a.npy").file_size
        archive.getinfo("a.npy").file_size = header + TERABYTE  # goes into the directory
        if method == zipfile.ZIP_STORED:
            archive.getinfo("a.npy").compress_size = header + TERABYTE
    words = () if method == zipfile.ZIP_STORED else ("1.0 TiB",)
    assert allocated_while_refusing(path, "a", *words) < 2**22


def test_a_claim_beyond_what_deflate_can_do_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "available_memory_bytes", lambda: 2**50)
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", npy_claiming((TERABYTE,)))
        archive.getinfo("a.npy").file_size += TERABYTE
    assert allocated_while_refusing(path, "a", "1.0 TiB", "that the file can hold") < 2**20


def test_a_zip_bomb_is_refused_before_it_unfolds(tmp_path, monkeypatch):
    size = 16 * 2**20
    path = save_npz(tmp_path, {"a": np.zeros(size, np.uint8)}, compressed=True)
    assert path.stat().st_size < size / 500
    monkeypatch.setattr(memory, "available_memory_bytes", lambda: 8 * 2**20)
    words = ("16.0 MiB", "at most 8.0 MiB", "store it uncompressed")
    assert allocated_while_refusing(path, "a", *words) < 2**22


def test_large_compressed_arrays_are_streamed(tmp_path):
    size = 12 * 2**20
    path = save_npz(tmp_path, {"a": np.zeros(size, np.uint8)}, compressed=True)
    archive = Archive(path)
    tracemalloc.start()
    assert archive.read("a").nbytes == size
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size <= peak < 1.3 * size


def test_an_encrypted_array_is_refused(tmp_path):
    path = zip_of(tmp_path / "a.npz", {"a.npy": npy_bytes(np.arange(3))})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(data))
    with pytest.raises(DataError) as error:
        Archive(path).map("a")
    assert one_sentence(str(error.value), path, "a", "encrypted")


@pytest.mark.parametrize(
    "start",
    [b"\x93NUMPY\x01\x00\xff\xff{", b"\x93NUMPY\x07\x00", b"plain text", b"", b"\x93NUM"],
    ids=["cut header", "version 7", "text", "nothing", "cut magic"],
)
def test_members_that_are_no_npy_are_listed_but_refused(tmp_path, start):
    path = zip_of(tmp_path / "a.npz", {"a.npy": start, "b.npy": npy_bytes(np.arange(3))})
    archive = Archive(path)
    assert archive.describe() == [("a", (), "unreadable"), ("b", (3,), "int64")]
    with pytest.raises(DataError) as error:
        archive.read("a")
    assert one_sentence(str(error.value), path, "a", "damage")


@pytest.mark.parametrize("compressed", [False, True])
def test_no_damage_raises_anything_but_a_refusal(tmp_path, compressed):
    path = save_npz(tmp_path, ARRAYS, compressed=compressed)
    whole = path.read_bytes()
    generator = random.Random(0)
    refusals = []
    for _ in range(100):
        data = bytearray(whole)
        for _ in range(generator.choice((1, 3, 20))):
            data[generator.randrange(len(data))] = generator.randrange(256)
        path.write_bytes(bytes(data))
        try:
            archive = Archive(path)
            for key in ARRAYS:
                archive.read(key)
        except DataError as error:
            refusals.append(str(error))
    assert len(refusals) > 50
    assert all(one_sentence(message, path) for message in refusals)


def test_available_memory_is_a_sane_number(tmp_path, monkeypatch):
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 2**20 < memory.available_memory_bytes() <= physical
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  900 kB\nMemFree:  100 kB\nMemAvailable:    300 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", meminfo)
    assert memory.available_memory_bytes() == 300 * 1024
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "absent")
    assert memory.available_memory_bytes() == physical
