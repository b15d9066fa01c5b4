"""The file of a bundle: a zip sealed by the hash of its bytes, read within bounds.

The seal finds damage, not forgery: whoever can change a bundle can seal it anew. So nothing that a
sealed file claims is believed either.
"""

import hashlib
import io
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ptychopinn.errors import BundleError
from ptychopinn.io.memory import available_memory_bytes
from ptychopinn.io.refusal import bytes_in_words, said_briefly

#: Name of a bundle in its folder; historical, it is a zip and holds no HDF5.
BUNDLE_NAME = "wts.h5.zip"
#: The members of a bundle.
MEMBERS = ("manifest.json", "weights.safetensors", "arrays.safetensors")
#: No bundle has more bytes than this, packed or unpacked.
LARGEST_BUNDLE = 2**31
#: JSON takes about thirty times its size in memory; a history of 10,000 epochs has 2 MB.
LARGEST_MANIFEST = 2**23

#: What a bundle may inflate to: this, and so many times its size. Weights hardly shrink at all.
_INFLATED_BYTES = 2**26
_INFLATED_RATIO = 100
_SEAL = "sha256:"
#: Bytes of a seal, at the end of the file.
SEAL_LENGTH = len(_SEAL) + 64
_ENCRYPTED = 0x1
#: What damaged or hostile bytes make zipfile and the decompressors raise.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    RuntimeError,
    OSError,
)


def sealed_zip(contents: Sequence[bytes]) -> bytes:
    """Return a zip of the members whose comment is the hash of every byte before the comment."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in zip(MEMBERS, contents, strict=True):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
        archive.comment = b"?" * SEAL_LENGTH
    return seal(buffer.getvalue()[:-SEAL_LENGTH])


def seal(body: bytes) -> bytes:
    """Return a zip, without its comment, with its hash behind it."""
    return body + (_SEAL + hashlib.sha256(body).hexdigest()).encode()


def read_members(path: Path) -> dict[str, bytes]:
    """Return the members of a bundle by name.

    Args:
        path: The file, its folder, or the folder into which a program unpacked it.

    Raises:
        BundleError: It is missing, no bundle, damaged, changed, or larger than any bundle.
    """
    if path.is_dir():
        if not (path / BUNDLE_NAME).exists() and all((path / name).exists() for name in MEMBERS):
            return _read_unpacked(path)
        path = path / BUNDLE_NAME
    with _failures_told(path):
        whole = _read_bounded(path, LARGEST_BUNDLE)
    _require_seal(path, whole)
    try:
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            infos = [_usable(archive, name, path) for name in MEMBERS]
            _require_sizes(path, [info.file_size for info in infos], len(whole))
            return {info.filename: archive.read(info) for info in infos}
    except BundleError:
        raise
    except _DAMAGE as error:
        raise BundleError(
            f"{path}: found damage in the zip ({said_briefly(error)}), wanted a whole bundle; copy "
            "it again from where it was made, or train again."
        ) from error


def _read_unpacked(folder: Path) -> dict[str, bytes]:
    """Return the members of a bundle that a program unpacked; the golden answer vouches for it."""
    with _failures_told(folder):
        sizes = [(folder / name).stat().st_size for name in MEMBERS]
        _require_sizes(folder, sizes, LARGEST_BUNDLE)
        return {
            name: _read_bounded(folder / name, size)
            for name, size in zip(MEMBERS, sizes, strict=True)
        }


@contextmanager
def _failures_told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else said_briefly(error)
        raise BundleError(
            f"{path}: the bundle cannot be read ({reason}); give the {BUNDLE_NAME} that "
            "'ptychopinn train' wrote."
        ) from error


def _read_bounded(path: Path, most: int) -> bytes:
    """Read a regular file of no more than this many bytes, and no more than there is memory."""
    if path.exists() and not path.is_file():
        raise BundleError(
            f"{path}: found a device or pipe, wanted the file that 'ptychopinn train' wrote; name "
            "that one."
        )
    size = path.stat().st_size
    if size > min(most, available_memory_bytes()):
        raise BundleError(
            f"{path}: found {bytes_in_words(size)}, wanted at most "
            f"{bytes_in_words(min(most, available_memory_bytes()))}, more than any bundle has or "
            "this machine can hold; name another file."
        )
    with path.open("rb") as file:
        return file.read(size)


def _require_seal(path: Path, whole: bytes) -> None:
    body, found = whole[:-SEAL_LENGTH], whole[-SEAL_LENGTH:]
    if not found.startswith(_SEAL.encode()):
        raise BundleError(
            f"{path}: this is no whole ptychopinn bundle (its seal is missing); it was cut off, "
            "or another program wrote it: train again or copy it again."
        )
    if whole != seal(body):
        raise BundleError(
            f"{path}: the bundle was changed after it was written (its seal does not match); copy "
            "it again from where it was made, or train again."
        )


def _usable(archive: zipfile.ZipFile, name: str, path: Path) -> zipfile.ZipInfo:
    """Return the entry of a member that is there and can be read without a password."""
    try:
        info = archive.getinfo(name)
    except KeyError as error:
        raise BundleError(
            f"{path}: the bundle lacks '{name}'; found {', '.join(archive.namelist()[:12])}."
        ) from error
    if info.flag_bits & _ENCRYPTED:
        raise BundleError(f"{path}: '{name}' is encrypted, wanted plain data; train again.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BundleError(
            f"{path}: '{name}' is packed by method {info.compress_type}, wanted stored or deflated "
            "data; pack it anew or train again."
        )
    return info


def _require_sizes(path: Path, sizes: Sequence[int], packed: int) -> None:
    """Refuse claims that no bundle makes, before anything is allocated."""
    most = min(LARGEST_BUNDLE, _INFLATED_BYTES + _INFLATED_RATIO * packed, available_memory_bytes())
    if sum(sizes) > most or sizes[0] > LARGEST_MANIFEST:
        raise BundleError(
            f"{path}: the members claim {bytes_in_words(sum(sizes))} (of them {MEMBERS[0]} "
            f"{bytes_in_words(sizes[0])}), wanted at most {bytes_in_words(most)} (of them "
            f"{bytes_in_words(LARGEST_MANIFEST)}); name another file, or train again."
        )
