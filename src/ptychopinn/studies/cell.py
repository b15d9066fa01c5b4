"""One cell of a study: a method trained, applied and judged, or read from where it was kept."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ptychopinn.bundle import BUNDLE_NAME, Bundle, load_bundle, package_versions, save_bundle
from ptychopinn.config import Config
from ptychopinn.errors import DataError
from ptychopinn.evaluation import Comparison, compare
from ptychopinn.inference import reconstruct
from ptychopinn.scan import Reconstruction, Scan
from ptychopinn.studies.dataset_cache import DatasetCache, settings_hash
from ptychopinn.studies.methods import (
    reconstruct_zero_shot,
    shipped_digest,
    uses_shipped_weights,
    with_group_size,
)
from ptychopinn.studies.outcome import CELL_FORMAT, Cell
from ptychopinn.studies.records import Case, Method
from ptychopinn.studies.split import TestPart, training_part
from ptychopinn.training import CHECKPOINT_NAME, train

_LOG = logging.getLogger(__name__)

#: Settings that change how fast an answer comes, and not which.
_NOT_RESULTS = {
    "training": ("device", "threads", "num_workers", "logger"),
    "inference": ("device", "threads", "cache_mb", "batch_size", "compile"),
}


@dataclass(frozen=True)
class Workplace:
    """Where a study keeps what it makes, and what it works on."""

    folder: Path
    """Of the study."""
    datasets: DatasetCache
    device: str = "auto"

    def model(self, method: Method, key: str) -> Path:
        """Return the folder of a training."""
        return self.folder / "models" / f"{method.name}-{key}"

    def cell(self, method: Method, key: str) -> Path:
        """Return the file of a cell."""
        return self.folder / "cells" / f"{method.name}-{key}.json"


def training_settings(case: Case, method: Method) -> dict[str, Any] | None:
    """Return everything that the weights of a method depend on; None when it has none.

    Raises:
        ConfigError: The method wants weights that do not come with the package.
    """
    shipped = shipped_digest() if uses_shipped_weights(method) else None
    if method.kind != "trained":
        return None if shipped is None else {"shipped": shipped}
    config = with_group_size(method, case.group_size).to_dict()
    return {
        "scan": case.train.to_dict(),
        "patterns": case.training_patterns,
        "shipped": shipped,
        **_that_matter(config, ("data", "physics", "generator", "training")),
    }


def cell_settings(case: Case, method: Method) -> dict[str, Any]:
    """Return everything that the figures of a cell depend on, and not the name of its case.

    Cases that differ only in what a method does not use share its cell.
    """
    config = with_group_size(method, case.group_size).to_dict()
    return {
        "format": CELL_FORMAT,
        "version": package_versions()["ptychopinn"],
        "kind": method.kind,
        "training": training_settings(case, method),
        "test": case.test.to_dict(),
        **({} if case.test_patterns is None else {"test_patterns": case.test_patterns}),
        **_that_matter(config, ("physics", "generator", "inference")),
    }


def _that_matter(config: dict[str, Any], sections: tuple[str, ...]) -> dict[str, Any]:
    return {
        section: {
            key: value
            for key, value in config[section].items()
            if key not in _NOT_RESULTS.get(section, ())
        }
        for section in sections
    }


def find_cell(case: Case, method: Method, place: Workplace) -> Cell | None:
    """Return the cell if it was finished under the same settings.

    Raises:
        ConfigError: The method cannot be used.
    """
    key = settings_hash(cell_settings(case, method))
    return Cell.read(place.cell(method, key), key)


def run_cell(case: Case, method: Method, place: Workplace) -> Cell:
    """Train if need be, reconstruct of the test scan what the case wants, judge and keep it.

    Raises:
        PtychoError: Whatever stands in the way.
    """
    settings = cell_settings(case, method)
    key = settings_hash(settings)
    config = _on_device(with_group_size(method, case.group_size), place.device)
    test = TestPart.of(place.datasets.scan(case.test), case.test_patterns)
    bundle = _trained(case, method, config, place) if method.kind == "trained" else None
    result = _reconstructed(test.scan, method, bundle, config)
    comparison = _judged(result, test)
    cell = Cell(
        settings_hash=key,
        settings=settings,
        method=method.name,
        figures=_figures(comparison),
        seconds={
            "training": float(bundle.statistics["seconds"]) if bundle else 0.0,
            "reconstruction": float(result.provenance["seconds"]),
        },
        steps=int(bundle.statistics["steps"]) if bundle else 0,
        removed=comparison.alignment.to_dict(),
        versions=package_versions(),
        path=place.cell(method, key),
    )
    cell.write(_images(comparison, test))
    return cell


def _on_device(config: Config, device: str) -> Config:
    return replace(
        config,
        training=replace(config.training, device=device),
        inference=replace(config.inference, device=device),
    )


def _trained(case: Case, method: Method, config: Config, place: Workplace) -> Bundle:
    """Return the bundle of a training: kept, continued from its checkpoint, or made anew."""
    folder = place.model(method, settings_hash(training_settings(case, method)))
    if (folder / BUNDLE_NAME).exists():
        return load_bundle(folder / BUNDLE_NAME)
    scan = training_part(place.datasets.scan(case.train), case.training_patterns)
    checkpoint = folder / CHECKPOINT_NAME
    bundle = train(scan, config, folder, resume=checkpoint.exists())
    save_bundle(folder / BUNDLE_NAME, bundle)
    checkpoint.unlink(missing_ok=True)
    return bundle


def _reconstructed(
    scan: Scan, method: Method, bundle: Bundle | None, config: Config
) -> Reconstruction:
    if method.kind == "shipped":
        return reconstruct_zero_shot(scan, config)
    return reconstruct(scan, bundle, config)


def _judged(result: Reconstruction, test: TestPart) -> Comparison:
    if test.scan.truth is None:
        raise DataError(f"{test.scan.name}: a study wants a scan with its truth.")
    return compare(result.object, test.scan.truth, weight=test.weight, region=test.region)


def _figures(comparison: Comparison) -> dict[str, Any]:
    """Return the figures by definition; their names never leave it open which."""
    whole = comparison.to_dict()
    return {
        "standard": whole["metrics"],
        "paper": whole["paper"],
        "frc": {name: crossing["cycles_per_px"] for name, crossing in _crossings(whole)},
    }


def _crossings(whole: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return list(whole["frc"]["crossings"].items())


def _images(comparison: Comparison, test: TestPart) -> dict[str, np.ndarray]:
    """Cut image and truth to the region that is judged, the same for every method."""
    rows = np.flatnonzero(test.weight.any(axis=1))
    columns = np.flatnonzero(test.weight.any(axis=0))
    first = max(int(test.region.y[0]), int(rows[0]))
    cut = (slice(first, int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
    truth = test.scan.truth
    if truth is None:
        raise DataError(f"{test.scan.name}: a study wants a scan with its truth.")
    return {
        "image": comparison.alignment.image[cut].astype(np.complex64),
        "reference": truth[cut].astype(np.complex64),
        "weight": test.weight[cut].astype(np.float32),
    }
