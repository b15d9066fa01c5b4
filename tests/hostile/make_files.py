"""Writes the hostile files beside this script; each is what its name says.

Usage: python -m tests.hostile.make_files
"""

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

import h5py
import numpy as np

from ptychopinn import bundle as bundles
from ptychopinn.io.bundle_file import sealed_zip
from tests.io.files import npy_bytes, npy_claiming, zip_of
from tests.test_bundle import make_bundle

FILES = Path(__file__).parent / "files"


class _Command:
    """Unpickled, it would run a command."""

    def __reduce__(self):
        return (exec, ("open('/tmp/ptychopinn-was-here', 'w').close()",))


def _arrays(**changes: bytes) -> dict[str, bytes]:
    good = {
        "diff3d.npy": npy_bytes(np.ones((4, 8, 8), np.uint16)),
        "xcoords.npy": npy_bytes(np.arange(4.0)),
        "ycoords.npy": npy_bytes(np.arange(4.0)),
        "probeGuess.npy": npy_bytes(np.ones((8, 8), np.complex64)),
    }
    return {**good, **{f"{name}.npy": data for name, data in changes.items()}}


def npz_files() -> None:
    terabyte = (2**34, 8, 8)
    zip_of(FILES / "terabyte.npz", _arrays(diff3d=npy_claiming(terabyte)))
    (FILES / "terabyte.npy").write_bytes(npy_claiming(terabyte))
    objects = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        objects, {"descr": "|O", "fortran_order": False, "shape": (4,)}
    )
    pickled = objects.getvalue() + pickle.dumps(np.array([_Command()] * 4, dtype=object))
    zip_of(FILES / "pickle.npz", _arrays(xcoords=pickled))
    zip_of(FILES / "bomb.npz", _arrays(diff3d=b"\0" * 2**25), zipfile.ZIP_DEFLATED)
    whole = zip_of(FILES / "cut.npz", _arrays()).read_bytes()
    (FILES / "cut.npz").write_bytes(whole[: len(whole) // 2])
    long_header = b"\x93NUMPY\x02\x00" + (2**32 - 1).to_bytes(4, "little") + b"{" * 64
    zip_of(FILES / "long_header.npz", _arrays(diff3d=long_header))
    deep = b"\x93NUMPY\x01\x00" + (4096).to_bytes(2, "little") + b"(" * 4096
    zip_of(FILES / "deep_header.npz", _arrays(diff3d=deep))
    (FILES / "empty.npz").write_bytes(b"")


def heap_loop(path: Path) -> None:
    """A text in a heap whose next place is its own: the library goes round for ever."""
    with h5py.File(path, "w") as file:
        file.attrs["comments"] = "a text of any length"
        file["patterns"] = np.ones((4, 8, 8), np.uint16)
    data = bytearray(path.read_bytes())
    size = data.index(b"GCOL") + 24
    data[size : size + 8] = (2**64 - 16).to_bytes(8, "little")
    path.write_bytes(bytes(data))


def text_of_gigabytes(path: Path) -> None:
    """A text that claims 4 GB, which the library takes before it looks."""
    with h5py.File(path, "w") as file:
        file["entry_1/definition"] = "NXptycho"
    data = bytearray(path.read_bytes())
    length = data.index(struct.pack("<IQ", len("NXptycho"), data.index(b"GCOL")))
    data[length : length + 4] = b"\xff" * 4
    path.write_bytes(bytes(data))


def hdf5_files() -> None:
    with h5py.File(FILES / "terabyte.h5", "w") as file:
        file.create_dataset("patterns", (2**22, 512, 512), "u2", chunks=(1, 512, 512))
        file["probe_position_x_px"] = np.arange(4.0)
        file["probe_position_y_px"] = np.arange(4.0)
    with h5py.File(FILES / "link_loop.h5", "w") as file:
        file["patterns"] = h5py.SoftLink("/patterns")
        file["probe_position_x_px"] = h5py.ExternalLink("link_loop.h5", "/probe_position_x_px")
    with h5py.File(FILES / "group_loop.cxi", "w") as file:
        entry = file.create_group("entry_1")
        entry["entry_1"] = entry
        file["entry_1/data_1"] = entry
    heap_loop(FILES / "heap_loop.h5")
    text_of_gigabytes(FILES / "text_of_gigabytes.h5")
    whole = (FILES / "link_loop.h5").read_bytes()
    (FILES / "cut.h5").write_bytes(whole[:100])


def bundle_files() -> None:
    good = FILES / "good.h5.zip"
    bundles.save_bundle(good, make_bundle())
    with zipfile.ZipFile(good) as archive:
        manifest, weights, arrays = (archive.read(name) for name in archive.namelist())
    data = bytearray(good.read_bytes())
    data[len(data) // 2] ^= 1
    (FILES / "changed_byte.h5.zip").write_bytes(bytes(data))
    claims = (2**60).to_bytes(8, "little") + weights[8:]
    deep = b"[" * 100_000 + b"]" * 100_000
    odd = json.loads(manifest)
    odd["size"] = {"n": 2**40, "group_size": 2**40}
    odd["config"]["generator"]["unrolled"]["width"] = 10**9
    for name, contents in {
        "terabyte": (manifest, claims, arrays),
        "deep": (deep, weights, arrays),
        "no_json": (b"\xff\xfe", weights, arrays),
        "absurd_sizes": (json.dumps(odd).encode(), weights, arrays),
    }.items():
        (FILES / f"{name}.h5.zip").write_bytes(sealed_zip(contents))
    zip_of(FILES / "out_of_archive.h5.zip", {"../../outside": b"x", "manifest.json": manifest})
    good.unlink()


def setting_files() -> None:
    laughs = ["a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        laughs.append(f"{name}: &{name} [{', '.join(['*' + before] * 9)}]")
    (FILES / "laughs.yaml").write_text("\n".join(laughs) + "\ngenerator: *i\n")
    (FILES / "deep.yaml").write_text("generator: " + "[" * 5000 + "]" * 5000)
    (FILES / "not_utf8.yaml").write_bytes(b"generator: \xff\xfe\x00")
    (FILES / "code.yaml").write_text("!!python/object/apply:os.system ['touch /tmp/was-here']\n")


def main() -> None:
    FILES.mkdir(exist_ok=True)
    for make in (npz_files, hdf5_files, bundle_files, setting_files):
        make()


if __name__ == "__main__":
    main()
