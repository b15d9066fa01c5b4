"""A training run under the names that Ptychodus calls."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning

from ptycho_torch.api.config_manager import ConfigManager
from ptycho_torch.api.data import PtychoDataLoader
from ptycho_torch.api.ptycho_model import PtychoModel
from ptycho_torch.checkpoint import Carried
from ptycho_torch.datamodule import ScansDataModule
from ptycho_torch.translation import region_of_bounds, tell_what_has_no_effect
from ptychopinn.config import Config
from ptychopinn.data import MeasuredScan, normalise
from ptychopinn.device import resolve_device, use_threads
from ptychopinn.errors import ConfigError, TrainingError
from ptychopinn.generators import registration
from ptychopinn.io.atomic import made_folder
from ptychopinn.scan import Scan
from ptychopinn.training import Budget
from ptychopinn.training.checkpoint import LastCheckpoint
from ptychopinn.training.history import History
from ptychopinn.training.trainer import fit, make_trainer
from ptychopinn.training.truth import in_gauge


class Trainer:
    """One run of a model on the scans of a loader, on one device, in this process."""

    def __init__(self, model: PtychoModel, dataloader: PtychoDataLoader) -> None:
        module = model.model
        if registration(module.config.generator.name).steps == 0:
            raise TrainingError(
                f"model: generator '{module.config.generator.name}' has nothing to learn."
            )
        tell_what_has_no_effect(module.settings)
        use_threads(None)
        lightning.seed_everything(module.config.training.seed, verbose=False)
        self._module = module
        measured = [normalise(scan, module.config.physics) for scan in dataloader.scans]
        supervised = module.config.training.objective == "supervised"
        scans = [_with_gauge(m.scan) if supervised else m.scan for m in measured]
        self._data = ScansDataModule(scans, [_for_scan(module, scan) for scan in scans])
        accumulated = model.training_config.accum_steps
        steps = -(-len(self._data.train_dataloader()) // accumulated)
        self._budget = module.budget = Budget(module.config.training, steps, 1)
        self._history = History(self._budget)
        module.carried = _carried(measured, self._history)
        folder = made_folder(Path(dataloader.output_dir or ".") / "checkpoints")
        self._checkpoint = LastCheckpoint(folder / "last.ckpt")
        self._trainer = make_trainer(
            resolve_device(module.config.training.device),
            folder.parent,
            [self._budget, self._history, self._checkpoint],
            progress=False,
            logger=False,
            gradient_clip_val=module.config.training.gradient_clip,
            accumulate_grad_batches=accumulated,
        )

    @classmethod
    def _from_lightning(
        cls,
        model: PtychoModel,
        dataloader: PtychoDataLoader,
        config_manager: ConfigManager,  # noqa: ARG003 - the model holds the same records
        orchestration: str = "lightning",
    ) -> "Trainer":
        """Prepare a run.

        Raises:
            ConfigError: The orchestration is unknown, or supervised training has no true object.
            DataError: The scans cannot be trained on.
        """
        _require_lightning(orchestration)
        return cls(model, dataloader)

    def train(
        self,
        orchestration: str = "lightning",
        experiment_name: str = "",  # noqa: ARG002 - nothing keeps experiments by name
    ) -> None:
        """Train for all epochs; the checkpoint is written after each.

        Raises:
            TrainingError: The loss is no longer finite, or memory ran out.
        """
        _require_lightning(orchestration)
        fit(self._trainer, self._module, self._data, self._checkpoint.path, resume=False)


def _require_lightning(orchestration: str) -> None:
    if orchestration.casefold() != "lightning":
        raise ConfigError(
            f"orchestration: {orchestration!r} is unknown; wanted 'lightning'. Records of runs by "
            "MLflow: ptychopinn train SCAN --logger mlflow."
        )


def _with_gauge(scan: Scan) -> Scan:
    """Return a scan whose truth is in the gauge of its probe."""
    if scan.truth is None:
        raise ConfigError(
            f"{scan.name}: supervised training wants the true object, found none (objectGuess is "
            "constant, or smaller than the scan); reconstruct the product first, then write it "
            "with 'Export Training Data...', or train without truth (Unsupervised)."
        )
    return in_gauge(scan)


def _for_scan(module: Any, scan: Scan) -> Config:
    """Return the settings with the region that the bounds cut out of this scan."""
    low, high = scan.positions_px.min(axis=0), scan.positions_px.max(axis=0)
    region = region_of_bounds(module.settings.data, tuple(low.tolist()), tuple(high.tolist()))
    config: Config = module.config
    return replace(config, data=replace(config.data, region=region))


def _carried(measured: list[MeasuredScan], history: History) -> Carried:
    """Return what inference needs, of the first scan; the history fills as the run goes on."""
    first = measured[0]
    return Carried(
        domain=first.scan.domain,
        mask=first.scan.mask,
        probe=first.scan.probe,
        pattern_counts=first.pattern_counts,
        history=history.rows,
    )
