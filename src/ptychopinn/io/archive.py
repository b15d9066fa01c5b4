"""Arrays of an NPZ archive, read without pickle and without believing what a header claims.

An NPZ file is a zip of NPY files. Every array announces its size three times: in the NPY header,
in the zip directory, and by the bytes that are there. Nothing is allocated before the three agree
and the memory is known to suffice. An array that is stored without compression can be mapped: it
stays on disk, and only what is used is read.
"""

import io
import lzma
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from ptychopinn.errors import DataError
from ptychopinn.io.frame_source import RawFrames
from ptychopinn.io.memory import require_memory
from ptychopinn.io.refusal import (
    bytes_in_words,
    missing,
    refusal,
    require_file,
    said_briefly,
)

#: What damaged or hostile bytes make zipfile, the decompressors and the NPY parser raise.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    tokenize.TokenError,
    SyntaxError,
    TypeError,
    KeyError,
    EOFError,
    ValueError,
    OverflowError,
    RuntimeError,
    MemoryError,
    OSError,
)
_READABLE_KINDS = "biufcSU"
_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
#: NumPy parses no longer header; reading more would let a header fill the memory.
_LONGEST_HEADER = 10_000 + 12
_LARGEST_RANK = 32
_LARGEST_AXIS = 2**48
#: Deflate cannot shrink data further than 1032 to 1.
_LARGEST_DEFLATE_RATIO = 1100
_CHUNK_BYTES = 2**20
_LOCAL_HEADER = struct.Struct("<4s22xHH")


@dataclass(frozen=True)
class Member:
    """What the header of one array of the archive says."""

    shape: tuple[int, ...]
    """Shape as stored."""
    dtype: np.dtype
    """Type of the elements."""
    fortran_order: bool
    """True when the first axis varies fastest."""
    header_bytes: int
    """Length of the NPY header, in bytes."""

    @property
    def nbytes(self) -> int:
        """Bytes that the elements take."""
        return math.prod(self.shape) * self.dtype.itemsize


class Archive:
    """The arrays of one NPZ file by key; headers are read when it is made, data when asked for.

    Refuses a file that is missing, not a zip, or truncated. An array that cannot be read (Python
    objects, damage, a size that does not add up) is refused when it is asked for, so that an
    archive with one such array beside good ones is still of use.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        require_file(path)
        self._members: dict[str, Member] = {}
        self._refusals: dict[str, DataError] = {}
        with self._opened() as archive:
            self._infos = {
                name.removesuffix(".npy"): archive.getinfo(name)
                for name in archive.namelist()
                if name.endswith(".npy")
            }
            for key, info in self._infos.items():
                self._examine(archive, key, info)

    def keys(self) -> list[str]:
        """Return the keys in the order of the file."""
        return list(self._infos)

    def __contains__(self, key: str) -> bool:
        return key in self._infos

    def member(self, key: str) -> Member:
        """Return shape and type of an array; refuses a missing or unreadable one."""
        if key not in self:
            raise missing(self.path, key, self.keys())
        if key in self._refusals:
            raise self._refusals[key]
        return self._members[key]

    def describe(self) -> list[tuple[str, tuple[int, ...], str]]:
        """Return key, shape and type of every array, also of those that `read` refuses."""
        return [
            (key, self._members[key].shape, str(self._members[key].dtype))
            if key in self._members
            else (key, (), "unreadable")
            for key in self.keys()
        ]

    def read(self, key: str) -> np.ndarray:
        """Return an array in memory, as stored; refuses damage, and more than there is memory."""
        member = self.member(key)
        require_memory(
            self.path, key, member.nbytes, "store it uncompressed (numpy.savez), to be mapped"
        )
        with self._damage_refused(key), self._opened() as archive:
            flat = np.empty(math.prod(member.shape), dtype=member.dtype)
            with archive.open(self._infos[key]) as file:
                file.read(member.header_bytes)
                _fill(flat, file)
            return flat.reshape(member.shape, order="F" if member.fortran_order else "C")

    def map(self, key: str) -> np.ndarray:
        """Return an array that stays on disk when it is stored uncompressed, else as `read` does.

        A mapped array is read-only, and its checksum is not verified, for that would read it.
        """
        member = self.member(key)
        info = self._infos[key]
        if info.compress_type != zipfile.ZIP_STORED or member.nbytes == 0:
            return self.read(key)
        with self._damage_refused(key):
            return np.memmap(
                self.path,
                dtype=member.dtype,
                mode="r",
                offset=self._data_offset(info) + member.header_bytes,
                shape=member.shape,
                order="F" if member.fortran_order else "C",
            )

    def frames(self, key: str) -> RawFrames | None:
        """Return where the frames of an array (..., rows, columns) lie on disk.

        None when they do not lie there one after the other: compressed, or the first axis fastest.
        """
        member = self.member(key)
        info = self._infos[key]
        plain = info.compress_type == zipfile.ZIP_STORED and not member.fortran_order
        if not plain or len(member.shape) < 3 or member.nbytes == 0:
            return None
        with self._damage_refused(key):
            return RawFrames(
                path=str(self.path),
                frames=math.prod(member.shape[:-2]),
                frame_shape=(member.shape[-2], member.shape[-1]),
                dtype=member.dtype,
                offset=self._data_offset(info) + member.header_bytes,
            )

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        with self._damage_refused(""), zipfile.ZipFile(self.path) as archive:
            yield archive

    @contextmanager
    def _damage_refused(self, key: str) -> Iterator[None]:
        try:
            yield
        except DataError:
            raise
        except _DAMAGE as error:
            raise refusal(
                self.path,
                key,
                f"damage ({said_briefly(error)})",
                "an intact NPZ file",
                "copy or make the file again",
            ) from error

    def _examine(self, archive: zipfile.ZipFile, key: str, info: zipfile.ZipInfo) -> None:
        """Note what the header of an array says, and why the array is refused if it is."""
        try:
            with self._damage_refused(key):
                self._members[key] = _read_header(archive, info)
                self._require_usable(key, self._members[key], info)
        except DataError as error:
            self._refusals[key] = error

    def _require_usable(self, key: str, member: Member, info: zipfile.ZipInfo) -> None:
        if member.dtype.kind not in _READABLE_KINDS:
            raise refusal(
                self.path,
                key,
                f"elements of type {member.dtype}",
                "plain numbers (Python objects are never unpickled)",
                "save it as a plain array",
            )
        absurd = len(member.shape) > _LARGEST_RANK or any(
            not 0 <= size < _LARGEST_AXIS for size in member.shape
        )
        if absurd:
            raise refusal(
                self.path,
                key,
                f"a header that claims {len(member.shape)} axes, one of {max(member.shape)}",
                "the shape of a real array",
                "make the file again",
            )
        self._require_honest_size(key, member, info)

    def _require_honest_size(self, key: str, member: Member, info: zipfile.ZipInfo) -> None:
        """Compare what the array claims with the zip directory, and that with the bytes there."""
        present = info.file_size - member.header_bytes
        if member.nbytes != present:
            raise refusal(
                self.path,
                key,
                f"a header that claims {bytes_in_words(member.nbytes)} over "
                f"{bytes_in_words(present)} of data",
                "equal sizes",
                "copy or make the file again",
            )
        ratio = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: _LARGEST_DEFLATE_RATIO}
        bound = info.compress_size * ratio.get(info.compress_type, math.inf)
        if info.file_size > bound or info.compress_size > self.path.stat().st_size:
            raise refusal(
                self.path,
                key,
                f"a claim of {bytes_in_words(info.file_size)} in "
                f"{bytes_in_words(info.compress_size)} of a file of "
                f"{bytes_in_words(self.path.stat().st_size)}",
                "a size that the file can hold",
                "copy or make the file again",
            )

    def _data_offset(self, info: zipfile.ZipInfo) -> int:
        """Return where a stored member begins in the file, from its local header."""
        with self.path.open("rb") as file:
            file.seek(info.header_offset)
            signature, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        if signature != b"PK\x03\x04":
            raise zipfile.BadZipFile("no local header")
        return info.header_offset + _LOCAL_HEADER.size + name_bytes + extra_bytes


def _read_header(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    with archive.open(info) as file:
        start = io.BytesIO(file.read(_LONGEST_HEADER))
    version = np.lib.format.read_magic(start)
    if version not in _HEADER_READERS:
        raise ValueError(f"NPY version {version} is not known")
    shape, fortran_order, dtype = _HEADER_READERS[version](start)
    return Member(tuple(shape), dtype, fortran_order, start.tell())


def _fill(flat: np.ndarray, file: IO[bytes]) -> None:
    """Read as many bytes as the array holds: all there are, so the checksum is verified."""
    target = flat.view(np.uint8) if flat.nbytes else np.empty(0, np.uint8)
    position = 0
    while position < len(target):
        chunk = file.read(min(_CHUNK_BYTES, len(target) - position))
        if not chunk:
            raise EOFError("the data end early")
        target[position : position + len(chunk)] = np.frombuffer(chunk, np.uint8)
        position += len(chunk)
