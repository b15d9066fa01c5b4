"""Which patterns of a scan may be used: the key to an honest holdout."""

import numpy as np

from ptychopinn.errors import ConfigError, DataError, did_you_mean
from ptychopinn.scan import Scan

_HALVES = {"top": (0, -1), "bottom": (0, 1), "left": (1, -1), "right": (1, 1)}
_FORMS = (
    "all, top, bottom, left, right, y:0:240,x:10:90 (canvas px, either may be left out), random:0.5"
)


def _half(positions: np.ndarray, axis: int, side: int) -> np.ndarray:
    middle = (positions[:, axis].min() + positions[:, axis].max()) / 2
    lower = positions[:, axis] < middle
    return lower if side < 0 else ~lower


def _bound(text: str, default: float, region: str) -> float:
    try:
        return float(text) if text else default
    except ValueError as error:
        raise ConfigError(f"data.region: '{text}' in '{region}' is not a number.") from error


def _box(positions: np.ndarray, region: str) -> np.ndarray:
    inside = np.ones(len(positions), dtype=bool)
    for part in region.split(","):
        pieces = part.strip().split(":")
        if len(pieces) != 3 or pieces[0] not in ("y", "x"):
            raise ConfigError(f"data.region: '{part}' is not understood; write one of: {_FORMS}.")
        values = positions[:, 0 if pieces[0] == "y" else 1]
        low = _bound(pieces[1], -np.inf, region)
        high = _bound(pieces[2], np.inf, region)
        inside &= (values >= low) & (values < high)
    return inside


def _random(count: int, region: str, seed: int) -> np.ndarray:
    share = _bound(region.partition(":")[2], np.nan, region)
    if not 0 < share <= 1:
        raise ConfigError(f"data.region: '{region}' wants a share between 0 and 1, as random:0.5.")
    chosen = np.zeros(count, dtype=bool)
    size = max(1, round(share * count))
    chosen[np.random.default_rng(seed).permutation(count)[:size]] = True
    return chosen


def select_region(scan: Scan, region: str, seed: int = 0) -> np.ndarray:
    """Return the sorted indices of the patterns whose position lies in a region.

    Args:
        scan: The whole scan.
        region: ``all``; a half of the scan's extent (``top``, ``bottom``, ``left``, ``right``);
            a box in canvas pixels such as ``y:0:240,x:100:``, lower bound included; or
            ``random:0.5``, a random share.
        seed: For the random share.

    Raises:
        ConfigError: The text is not understood.
        DataError: No pattern lies in the region.
    """
    positions = scan.positions_px
    if region == "all":
        chosen = np.ones(len(positions), dtype=bool)
    elif region in _HALVES:
        chosen = _half(positions, *_HALVES[region])
    elif region.startswith("random"):
        chosen = _random(len(positions), region, seed)
    elif ":" in region:
        chosen = _box(positions, region)
    else:
        raise ConfigError(
            f"data.region: '{region}' is not understood; "
            f"{did_you_mean(region, [*_HALVES, 'all', 'random'])} Write one of: {_FORMS}."
        )
    if not chosen.any():
        low, high = positions.min(axis=0), positions.max(axis=0)
        raise DataError(
            f"{scan.name}: region '{region}' holds no pattern; the positions run from "
            f"y = {low[0]:.0f} to {high[0]:.0f} and x = {low[1]:.0f} to {high[1]:.0f} px."
        )
    return np.flatnonzero(chosen)
