"""Training data of a folder, or the arrays of one scan."""

from datetime import datetime
from enum import Enum
from pathlib import Path

import numpy as np

from ptycho_torch.api.config_manager import ConfigManager
from ptycho_torch.scans import PlacedScan, read_folder, require_size, scan_of_arrays
from ptychopinn.io.atomic import made_folder
from ptychopinn.scan import Scan


class DataloaderFormats(Enum):
    """How data are fed; every way is the same here."""

    LIGHTNING = "lightning_only_module"
    TENSORDICT = "tensordict"
    DATALOADER = "dataloader"


class PtychoDataLoader:
    """The scans of a folder for training.

    Args:
        data_dir: Folder with one NPZ scan or more; nothing is written there.
        config_manager: Its N must be that of the scans.
        data_format: Any.
        output_dir: Where the folder of the run is made, with a name of its own.

    Raises:
        DataError: No scan is there, it cannot be read, or has another N.
        OutputError: The folder of the run cannot be made.
    """

    def __init__(
        self,
        data_dir: str | Path,
        config_manager: ConfigManager,
        data_format: DataloaderFormats = DataloaderFormats.LIGHTNING,
        output_dir: str | Path | None = None,
    ) -> None:
        self.config_manager = config_manager
        self.data_format = data_format
        self.scans: list[Scan] = read_folder(data_dir)
        for scan in self.scans:
            require_size(scan, config_manager.data_config.N)
        self.output_dir = None if output_dir is None else run_folder(Path(output_dir))
        """Folder of this run, made."""

    @staticmethod
    def from_np(
        diff_patterns: np.ndarray,
        probe: np.ndarray,
        positions: np.ndarray,
        config_manager: ConfigManager,
    ) -> "ScanArrays":
        """Take the arrays of one scan for inference; they are not changed.

        Args:
            diff_patterns: (K, N, N) photon counts.
            probe: (P, N, N) complex.
            positions: (K, 2) (y, x), middles of the windows, in pixels of the object.
            config_manager: Settings of the model.
        """
        return ScanArrays(diff_patterns, probe, positions, config_manager)


class ScanArrays:
    """The arrays of one scan, until the model that reads them is known."""

    def __init__(
        self,
        diff_patterns: np.ndarray,
        probe: np.ndarray,
        positions: np.ndarray,
        config_manager: ConfigManager,
    ) -> None:
        self._arrays = (diff_patterns, probe, positions)
        self._n = config_manager.data_config.N

    def placed(self, domain: str) -> PlacedScan:
        """Return the scan in the frame of the object.

        Raises:
            DataError: The arrays cannot be used, or have another N than the settings.
        """
        made = scan_of_arrays(*self._arrays, domain)
        require_size(made.scan, self._n)
        return made


def run_folder(parent: Path) -> Path:
    """Make the folder ``run_<date>_<time>`` of a run; a second one of a second gets a number.

    Raises:
        OutputError: It cannot be made.
    """
    name = f"run_{datetime.now():%Y%m%d_%H%M%S}"
    made_folder(parent)
    number = 1
    while True:
        place = parent / (name if number == 1 else f"{name}_{number}")
        try:
            place.mkdir()
        except FileExistsError:
            number += 1
        else:
            return place
