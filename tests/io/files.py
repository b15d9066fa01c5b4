"""Small files for the tests of readers, right ones and wrong ones."""

import io
import zipfile
from pathlib import Path

import numpy as np

N = 8
K = 6


def complex_noise(*shape: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)


def scan_arrays(n: int = N, k: int = K, **changes) -> dict[str, np.ndarray]:
    """Arrays of a good scan; a change to None removes the key."""
    rng = np.random.default_rng(1)
    arrays = {
        "diff3d": rng.poisson(20, (k, n, n)).astype(np.uint16),
        "xcoords": rng.uniform(n // 2, n // 2 + 12, k),
        "ycoords": rng.uniform(n // 2, n // 2 + 9, k),
        "probeGuess": complex_noise(n, n),
    }
    arrays.update(changes)
    return {key: value for key, value in arrays.items() if value is not None}


def save_npz(folder: Path, arrays: dict[str, np.ndarray], *, compressed: bool = False) -> Path:
    path = folder / "scan.npz"
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return path


def npy_bytes(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array)
    return file.getvalue()


def npy_claiming(shape: tuple[int, ...], data: bytes = b"", descr: str = "|u1") -> bytes:
    """An NPY file whose header says what it likes."""
    file = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + data


def zip_of(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def one_sentence(message: str, path: Path, *parts: str) -> bool:
    """Tell whether a refusal names the file, found, wanted and next step, and these parts."""
    assert message.startswith(f"{path}: "), message
    body = message.removeprefix(f"{path}: ")
    found, wanted, step = body.find("found "), body.find(", wanted "), body.rfind("; ")
    assert -1 < found < wanted < step, message
    assert "\n" not in body, message
    assert body.endswith("."), message
    assert ". " not in body, message
    for part in parts:
        assert part in message, f"'{part}' is not in: {message}"
    return True
