"""What a checkpoint carries besides weights, so that one file is enough; no pickle."""

import dataclasses
import pickle
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ptycho_torch.config_params import DataConfig, InferenceConfig, ModelConfig, TrainingConfig
from ptycho_torch.translation import Settings
from ptychopinn.bundle import package_versions
from ptychopinn.errors import BundleError

#: What damaged bytes make torch's reader of plain values raise.
_DAMAGE = (
    OSError,
    RuntimeError,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    AssertionError,
    struct.error,
    pickle.UnpicklingError,
)
_RECORDS = {
    "data": DataConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
    "inference": InferenceConfig,
}


@dataclass
class Carried:
    """What inference needs of the training data."""

    domain: str
    """``counts`` or ``amplitude``: what patterns hold."""
    mask: np.ndarray
    """(N, N) bool, True = good pixel; the same detector fills the same pixels in later."""
    probe: np.ndarray
    """(P, N, N) complex64, in sqrt(photons) per pixel."""
    pattern_counts: float
    """Mean photons of a pattern."""
    history: list[dict[str, Any]] = field(default_factory=list)
    """One row an epoch."""


def packed(settings: Settings, carried: Carried | None) -> dict[str, Any]:
    """Return settings and data facts as dictionaries, lists, numbers, text and tensors."""
    record: dict[str, Any] = {
        "versions": package_versions(),
        "settings": {name: _plain(getattr(settings, name)) for name in _RECORDS},
    }
    if carried is not None:
        record["data"] = {
            "domain": carried.domain,
            "mask": torch.from_numpy(carried.mask),
            "probe": torch.from_numpy(carried.probe),
            "pattern_counts": float(carried.pattern_counts),
            "history": carried.history,
        }
    return record


def unpacked(record: dict[str, Any]) -> tuple[Settings, Carried | None]:
    """Return what `packed` took.

    Raises:
        BundleError: A setting is unknown to this version.
    """
    try:
        settings = Settings(
            **{name: kind(**record["settings"][name]) for name, kind in _RECORDS.items()}
        )
        data = record.get("data")
        if data is None:
            return settings, None
        return settings, Carried(
            domain=data["domain"],
            mask=data["mask"].cpu().numpy(),
            probe=data["probe"].cpu().numpy(),
            pattern_counts=data["pattern_counts"],
            history=data["history"],
        )
    except (KeyError, TypeError) as error:
        raise BundleError(
            f"checkpoint: its record does not fit this version of ptychopinn ({error}); "
            "train again."
        ) from error


def read_settings(path: str | Path) -> Settings | None:
    """Return the settings in a checkpoint; None where it has none.

    Raises:
        BundleError: The file is no checkpoint, or holds more than plain values.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except _DAMAGE as error:
        reason = " ".join(str(error).splitlines()[:1]) or type(error).__name__
        raise BundleError(
            f"{path}: found no readable checkpoint ({reason}), wanted the "
            ".ckpt file of a training; load another one."
        ) from error
    record = checkpoint.get("ptychopinn") if isinstance(checkpoint, dict) else None
    return None if record is None else unpacked(record)[0]


def _plain(record: Any) -> dict[str, Any]:
    """Return a settings record as values that a checkpoint may hold; tuples become lists."""
    values = dataclasses.asdict(record)
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items()
    }
