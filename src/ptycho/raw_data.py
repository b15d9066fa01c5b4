"""A scan under its original names, and its groups as the original lays them out."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ptycho.grouped_data import lay_out
from ptychopinn.config import DataConfig
from ptychopinn.data import group_patterns
from ptychopinn.errors import DataError
from ptychopinn.io import read_scan, write_scan_npz
from ptychopinn.io.complex_array import is_constant
from ptychopinn.io.frame import frame_of_object, frame_of_scan, require_positions
from ptychopinn.io.measurement import Measurement, as_scan
from ptychopinn.scan import Scan

#: More samples than this are groups in all, fewer are groups around each pattern.
MOST_PER_PATTERN = 16
_POSITIONS = "xcoords, ycoords"


@dataclass(frozen=True)
class RawData:
    """What was measured; `ptychopinn.scan.Scan` under the names of the original."""

    scan: Scan
    """The same for `ptychopinn`."""
    xcoords: np.ndarray
    """(K,) float64 columns of the positions as they were given, in pixels of the object."""
    ycoords: np.ndarray
    """(K,) float64 rows."""
    scan_index: np.ndarray
    """(K,) int64; patterns of different scans never share a group."""

    @classmethod
    def from_file(cls, path: str | Path) -> "RawData":
        """Read a scan of any format that `ptychopinn.read_scan` knows.

        Raises:
            DataError: What the reader refuses.
        """
        scan = read_scan(path)
        y, x = scan.positions_px.T
        return cls(scan, x.copy(), y.copy(), _scan_index(scan))

    @classmethod
    def from_coords_without_pc(
        cls,
        xcoords: np.ndarray,
        ycoords: np.ndarray,
        diff3d: np.ndarray,
        probeGuess: np.ndarray,
        scan_index: np.ndarray,
        objectGuess: np.ndarray | None = None,
    ) -> "RawData":
        """Take arrays; positions mean the middle (N - 1) / 2 of a window, as Ptychodus says them.

        Args:
            xcoords: (K,) columns in pixels of the object.
            ycoords: (K,) rows.
            diff3d: (K, N, N) photon counts, or amplitudes (decided by type and integer test).
            probeGuess: (P, N, N), (N, N) or (N, N, 1).
            scan_index: (K,) integers.
            objectGuess: (H, W) object that the positions index; None = a canvas about the scan.

        Raises:
            DataError: The arrays do not belong together or cannot be used.
        """
        positions = np.stack([ycoords, xcoords], axis=1).astype(np.float64)
        patterns = np.asarray(diff3d)
        n = _side(patterns, len(positions))
        require_positions("RawData", _POSITIONS, positions, n)
        centre_pixels = np.round(positions + n // 2 - (n - 1) / 2, 6)
        frame, truth = frame_of_scan(centre_pixels, n), None
        if objectGuess is not None:
            guess = np.asarray(objectGuess)
            frame = frame_of_object("RawData", _POSITIONS, centre_pixels, n, guess.shape)
            usable = frame.on_object and np.isfinite(guess).all() and not is_constant(guess)
            truth = guess.astype(np.complex64) if usable else None
        found = Measurement(
            path="RawData",
            patterns=patterns,
            patterns_key="diff3d",
            frame=frame,
            probe=np.asarray(probeGuess),
            probe_key="probeGuess",
            truth=truth,
            scan_index=np.asarray(scan_index, np.int64),
        )
        columns, rows = positions[:, 1].copy(), positions[:, 0].copy()
        scan = as_scan(found, DataConfig())
        return cls(scan, columns, rows, _scan_index(scan))

    @cached_property
    def diff3d(self) -> np.ndarray:
        """(K, N, N) patterns as stored, in memory."""
        return np.asarray(self.scan.patterns[:])

    @property
    def probeGuess(self) -> np.ndarray:  # noqa: N802 - the name of the original
        """(P, N, N) complex64."""
        return self.scan.probe

    @property
    def objectGuess(self) -> np.ndarray | None:  # noqa: N802 - the name of the original
        """(H, W) complex64 object where it is known."""
        return self.scan.truth

    def to_file(self, path: str | Path) -> None:
        """Write the scan as NPZ.

        Raises:
            OutputError: It cannot be written; nothing is left half-written.
        """
        write_scan_npz(path, self.scan)

    def generate_grouped_data(
        self,
        N: int,
        K: int = 4,
        nsamples: int = 1,
        seed: int | None = None,
        gridsize: int = 1,
    ) -> dict[str, Any]:
        """Group neighbouring patterns; see `ptycho.grouped_data.lay_out` for keys and shapes.

        Args:
            N: Side of a pattern; that of the data.
            K: Nearest neighbours that the others of a group are drawn from.
            nsamples: Up to 16: groups around each pattern, so that every pattern is in one; more:
                groups in all, which may exceed the number of patterns.
            seed: Of what is drawn; None = 0.
            gridsize: Patterns in a group are gridsize squared.

        Raises:
            DataError: The patterns have another side, or a group is larger than the scan.
        """
        if self.scan.n != N:
            raise DataError(
                f"{self.scan.name}: diff3d: found patterns of {self.scan.n} x {self.scan.n} "
                f"pixels, wanted N = {N}; set N to {self.scan.n}."
            )
        per_pattern = nsamples <= MOST_PER_PATTERN
        groups = group_patterns(
            np.stack([self.ycoords, self.xcoords], axis=1),
            gridsize**2,
            nsamples * self.scan.n_patterns if per_pattern else nsamples,
            neighbours=K,
            scan_index=self.scan_index,
            rng=np.random.default_rng(seed or 0),
        )
        return lay_out(self.scan, (self.xcoords, self.ycoords), groups.indices)


def _side(patterns: np.ndarray, positions: int) -> int:
    """Return N of patterns (K, N, N), one for each position."""
    square = patterns.ndim == 3 and patterns.shape[1] == patterns.shape[2]
    if not square or len(patterns) != positions:
        raise DataError(
            f"RawData: diff3d: found shape {patterns.shape} and {positions} positions, wanted "
            f"square patterns ({positions}, N, N); crop them, or remove those without a partner."
        )
    return int(patterns.shape[1])


def _scan_index(scan: Scan) -> np.ndarray:
    """Return (K,) int64, which scan of the file each pattern belongs to; zeros where it is one."""
    if scan.scan_index is None:
        return np.zeros(scan.n_patterns, dtype=np.int64)
    return scan.scan_index
