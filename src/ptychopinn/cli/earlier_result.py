"""The result of an earlier run: its image, how its scan was read, and where the scan lies."""

from dataclasses import dataclass, replace
from pathlib import Path

from ptychopinn.cli.page import PRODUCT_NAME
from ptychopinn.config import Config, DataConfig
from ptychopinn.errors import DataError
from ptychopinn.io import read_product, read_scan
from ptychopinn.scan import Reconstruction, Scan

_SETTINGS = "config.yaml"


@dataclass(frozen=True)
class EarlierResult:
    """A folder of results, or a product alone."""

    place: Path
    """The folder or file that was named."""
    config: Config
    """Its config.yaml; the defaults where there is none."""
    made: Reconstruction
    """Its image."""

    @property
    def name(self) -> str:
        """What it is called in tables: its folder, or its file without the ending."""
        whole = self.place.resolve()
        return whole.stem if whole.is_file() and whole.name != PRODUCT_NAME else _folder(whole).name

    @property
    def scan_path(self) -> Path | None:
        """Where its scan lies: as its command named it, seen from here or from a folder above."""
        named = self.made.provenance.get("scan")
        if not named:
            return None
        above = (Path(), *self.place.resolve().parents, self.place.resolve())
        return next((p for p in (folder / str(named) for folder in above) if p.exists()), None)

    def read_scan(self, path: str | None = None) -> Scan:
        """Read its scan as it was read for it.

        Args:
            path: Where the scan lies; None = where the result says.

        Raises:
            DataError: The scan is not found, or cannot be read.
        """
        place = path or self.scan_path
        if place is None:
            named = self.made.provenance.get("scan", "no scan")
            raise DataError(
                f"{self.place}: found '{named}' as the scan of this result, which is not there, "
                "wanted its file; name it with --scan FILE."
            )
        return read_scan(place, _as_read(self.config.data))


def open_result(path: str | Path) -> EarlierResult:
    """Open a folder of results, or a product.

    Raises:
        DataError: There is no product, or it cannot be read.
        ConfigError: Its config.yaml cannot be read.
    """
    place = Path(path)
    product = place / PRODUCT_NAME if place.is_dir() else place
    if place.is_dir() and not product.exists():
        raise DataError(
            f"{place}: found no {PRODUCT_NAME} in this folder, wanted the folder of a run; name "
            "one that ptychopinn reconstruct wrote."
        )
    settings = _folder(product) / _SETTINGS
    config = Config.load(settings) if settings.exists() else Config()
    return EarlierResult(place, config, read_product(product))


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _as_read(data: DataConfig) -> DataConfig:
    """Leave out what a scan needs no more once there is an image: a probe from elsewhere."""
    gone = data.probe is not None and not Path(data.probe).exists()
    return replace(data, probe=None) if gone else data
