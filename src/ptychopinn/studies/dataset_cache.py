"""Simulated scans on disk, made once for all studies that want them."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ptychopinn.config import SimulationConfig
from ptychopinn.io import read_scan_npz, write_scan_npz
from ptychopinn.scan import Scan
from ptychopinn.simulation import simulate


def settings_hash(settings: Any) -> str:
    """Return 16 hexadecimal digits that change with any of the plain settings."""
    text = json.dumps(settings, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class DatasetCache:
    """A folder of scans, each named by the settings that it was made with.

    A scan appears whole or not at all, so that a file which is there can be used.
    """

    folder: Path

    def path(self, settings: SimulationConfig) -> Path:
        """Return where the scan of these settings lies or will lie."""
        key = settings_hash(settings.to_dict())
        return self.folder / f"{settings.object}-{settings.probe}-{key}.npz"

    def scan(self, settings: SimulationConfig) -> Scan:
        """Return a scan, made now when it is not there yet; its patterns stay on disk."""
        place = self.path(settings)
        if not place.exists():
            write_scan_npz(place, simulate(settings))
        return read_scan_npz(place)
