"""What makes a run the same run: the settings that rule it, and the scan that it learns from."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ptychopinn.config import Config, PretrainingConfig, UnrolledConfig
from ptychopinn.scan import Scan

#: Settings that may change when a run goes on: how long it takes, where, and what is told of it.
_LIMITS = {"epochs", "max_steps", "max_seconds", "steps"}
_FREE = _LIMITS | {"device", "threads", "num_workers", "logger", "report"}
#: Files whose contents are looked at instead: they may have been moved.
_FILES = {"probe", "mask", "truth"}
#: Evenly spread patterns that stand for all of them.
_SAMPLE = 64

#: What a run depends on, as text by name.
Fingerprint = dict[str, str]


def training_fingerprint(scan: Scan, config: Config) -> Fingerprint:
    """Return what a training on a scan depends on.

    Args:
        scan: As it was read, with its truth where the training asks for it.
        config: Settings, those of the generator as they rule.
    """
    settings = config.to_dict()
    del settings["inference"]
    return {**_settings(settings), **_scan(scan)}


def pretraining_fingerprint(settings: PretrainingConfig, generator: UnrolledConfig) -> Fingerprint:
    """Return what a training on synthetic scans depends on."""
    return _settings({"pretraining": settings.to_dict(), "unrolled": generator.to_dict()})


def differences(kept: Mapping[str, Any], wanted: Fingerprint) -> list[str]:
    """Return, as clauses, what is not as it was; nothing when both are the same run."""
    return [
        f"{name} was {kept.get(name, 'not there')} and is {wanted.get(name, 'not there')}"
        for name in sorted(kept.keys() | wanted.keys())
        if kept.get(name) != wanted.get(name)
    ]


def _settings(sections: Mapping[str, Any]) -> Fingerprint:
    return {
        name: str(value)
        for name, value in _leaves(sections, "")
        if name.rpartition(".")[2] not in _FREE and name not in {f"data.{f}" for f in _FILES}
    }


def _leaves(settings: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _scan(scan: Scan) -> Fingerprint:
    chosen = np.unique(np.linspace(0, scan.n_patterns - 1, _SAMPLE).astype(int))
    arrays = {
        "patterns": scan.counts(chosen),
        "positions": np.asarray(scan.positions_px, dtype=np.float64),
        "probe": scan.probe,
        "mask": scan.mask,
    }
    if scan.truth is not None:
        arrays["truth"] = scan.truth
    size = f"{scan.n_patterns} patterns of {scan.n} x {scan.n}"
    return {"scan": size, **{f"scan.{name}": _mark(array) for name, array in arrays.items()}}


def _mark(array: np.ndarray) -> str:
    """Return a short mark of the contents of an array."""
    return f"#{hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:8]}"
