"""The LightningModule: a generator, the physics behind it, and a loss, all handed in."""

import math
from collections.abc import Callable
from typing import Any

import lightning
import torch

from ptychopinn.canvases import merge_in_view, predict_patches, reconstruct_batch
from ptychopinn.config import TrainingConfig
from ptychopinn.errors import TrainingError
from ptychopinn.generators import CanvasGenerator, Generator
from ptychopinn.physics.likelihood import resolve_loss
from ptychopinn.physics.regularisers import mean_deviation, total_variation
from ptychopinn.physics.supervision import truth_error
from ptychopinn.physics.view import BatchView
from ptychopinn.processes import ALONE, Processes, current
from ptychopinn.refinement import LearnedScan
from ptychopinn.scan import PatternBatch


def split_group(
    batch: PatternBatch, share: float, rng: torch.Generator, processes: Processes = ALONE
) -> tuple[torch.Tensor, torch.Tensor]:
    """Hold back some patterns of every group, from the half that is nearest to its centre.

    Those are surrounded by patterns that stay, so that a good object must predict them.

    Args:
        batch: Groups whose patterns are sorted by distance from the centre.
        share: Of the patterns to hold back; at least one is.
        rng: Source of the choice.
        processes: Of several, each has its own part of the groups, all equally many.

    Returns:
        The numbers of those that stay, (B, C - held), and of those held back, (B, held).
    """
    groups, size = batch.counts.shape[:2]
    held = min(max(1, round(share * size)), (size + 1) // 2)
    inner = max(held, size // 2)
    # The choice for all processes, so that it does not depend on how many there are.
    chance = torch.rand(groups * processes.count, inner, generator=rng)
    order = torch.argsort(chance[groups * processes.index :][:groups], dim=1)
    outside = torch.arange(inner, size).expand(groups, -1)
    out = order[:, :held].to(batch.counts.device)
    keep = torch.cat([order[:, held:], outside], dim=1).to(batch.counts.device)
    return keep, out


class PtychoModule(lightning.LightningModule):
    """Self-supervised training: the object must predict the patterns. Or supervised: be the truth.

    Self-supervised, a generator of patches sees a group and is judged on the same patterns through
    the merged object; a generator of canvases is judged on patterns of the group that it was not
    given. Supervised, patches are judged one by one and canvases as a whole; see `truth_error`.

    Probe and positions, where they are refined, follow the loss of all patterns of a group with
    the object held still, and the generator its own with probe and positions held still. Through
    the generator they learned worse (docs/decisions.md).

    Args:
        generator: Any registered generator.
        training: Loss, regularisers, optimiser, schedule.
        progress: Share of the training that is done, in [0, 1]; the schedules follow it.
        learned_scan: Probe and positions that self-supervised training refines; None = they stay.
    """

    def __init__(
        self,
        generator: Generator,
        training: TrainingConfig,
        progress: Callable[[], float],
        learned_scan: LearnedScan | None = None,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.learned_scan = learned_scan
        self.training_config = training
        self._loss = resolve_loss(training.loss)
        self._progress = progress

    def forward(self, batch: PatternBatch) -> torch.Tensor:
        """Return (B, H, W) complex canvases."""
        return reconstruct_batch(self.generator, BatchView(batch))

    def _judge(self, batch: PatternBatch, rng: torch.Generator) -> tuple[torch.Tensor, Any]:
        """Return the loss of a batch and the canvas that it was computed from."""
        view = BatchView(batch)
        if self.training_config.objective == "supervised":
            loss, canvas = self._judge_by_truth(view)
            return loss, (canvas, view.illumination)
        judged = view
        share = self.training_config.held_out
        if isinstance(self.generator, CanvasGenerator) and share and batch.counts.shape[1] > 2:
            keep, out = split_group(batch, share, rng, current())
            canvas = self.generator(view.select(keep))
            judged = view.select(out)
        else:
            canvas = reconstruct_batch(self.generator, view)
        loss = self._loss(judged.predict(canvas), judged.batch.counts, batch.mask)
        return loss, (canvas, view.illumination)

    def _judge_by_truth(self, view: BatchView) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the distance from the truth and the canvas.

        Canvas generators see all patterns: a truth, unlike patterns, holds no noise to repeat.
        """
        truth = view.batch.truth
        if truth is None:
            raise TrainingError("supervised training wants batches with the true object.")
        if isinstance(self.generator, CanvasGenerator):
            canvas = self.generator(view)
            return truth_error(canvas, truth, view.illumination), canvas
        patches = predict_patches(self.generator, view)
        return truth_error(patches, view.extract(truth), view.weight), merge_in_view(patches, view)

    def _refined(self, batch: PatternBatch) -> tuple[PatternBatch, PatternBatch]:
        """Return the batch with probe and positions as they are now, and the same held still."""
        if self.learned_scan is None:
            return batch, batch
        batch = self.learned_scan(batch)
        still = batch._replace(probe=batch.probe.detach(), fractions=batch.fractions.detach())
        return batch, still

    def _loss_of_scan(self, batch: PatternBatch, canvas: torch.Tensor) -> torch.Tensor:
        """Return the loss of all patterns with the object held still: it moves what is refined."""
        if self.learned_scan is None:
            return canvas.real.new_zeros(())
        predicted = BatchView(batch).predict(canvas.detach())
        return self._loss(predicted, batch.counts, batch.mask)

    def _regularisation(self, canvas: torch.Tensor, illumination: torch.Tensor) -> torch.Tensor:
        settings = self.training_config
        total = canvas.real.new_zeros(())
        if settings.tv_weight:
            total = total + settings.tv_weight * total_variation(canvas, illumination)
        if settings.mean_deviation_weight:
            total = total + settings.mean_deviation_weight * mean_deviation(canvas, illumination)
        return total

    def training_step(self, batch: PatternBatch, index: int) -> torch.Tensor:  # noqa: ARG002
        """Return the loss of a batch; random choices depend on seed and step alone."""
        rng = torch.Generator().manual_seed(
            self.training_config.seed * 1_000_003 + self.global_step
        )
        refined, still = self._refined(batch)
        loss, (canvas, illumination) = self._judge(still, rng)
        if not torch.isfinite(loss):
            raise TrainingError(self._cause_of_nan(batch, canvas))
        self.log(
            "train_loss",
            loss,
            on_step=True,
            on_epoch=True,
            batch_size=len(batch.counts),
            sync_dist=current().count > 1,
        )
        loss = loss + self._regularisation(canvas, illumination)
        return loss + self._loss_of_scan(refined, canvas)

    def validation_step(self, batch: PatternBatch, index: int) -> None:
        """Log the loss of groups that are not trained on, with the same patterns held back."""
        _, still = self._refined(batch)
        loss, _ = self._judge(still, torch.Generator().manual_seed(index))
        self.log("val_loss", loss, batch_size=len(batch.counts))

    def _cause_of_nan(self, batch: PatternBatch, canvas: torch.Tensor) -> str:
        """Say in one sentence where a loss that is not finite came from."""
        when = f"training stopped at step {self.global_step}"
        bad = ~torch.isfinite(torch.where(batch.mask > 0, batch.counts, 0.0))
        if bad.any():
            return (
                f"{when}: the measured counts hold {int(bad.sum())} values that are not finite; "
                "mark those pixels as bad (bad_pixels) or remove the patterns."
            )
        if not torch.isfinite(torch.view_as_real(batch.probe)).all():
            return f"{when}: the probe holds values that are not finite; give another one."
        for name, value in self.named_parameters():
            if not torch.isfinite(value).all():
                return (
                    f"{when}: the weights '{name}' are no longer finite; lower --learning-rate "
                    f"(now {self.training_config.learning_rate:g}) or --gradient-clip."
                )
        what = "the object" if not torch.isfinite(torch.view_as_real(canvas)).all() else "the loss"
        return (
            f"{when}: {what} is no longer finite although data and weights are; lower "
            f"--learning-rate (now {self.training_config.learning_rate:g})."
        )

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip weights and refined scan each by themselves: a probe far off slows no network."""
        if self.learned_scan is None:
            super().configure_gradient_clipping(
                optimizer, gradient_clip_val, gradient_clip_algorithm
            )
        elif gradient_clip_val is not None:
            for part in (self.generator, self.learned_scan):
                torch.nn.utils.clip_grad_norm_(part.parameters(), gradient_clip_val)

    def configure_optimizers(self) -> Any:
        """Return optimiser and schedule by name; plateau follows the validation loss."""
        settings = self.training_config
        groups = self.generator.parameter_groups(settings.learning_rate)
        if self.learned_scan is not None:
            # The last group is the generator's, whose rate the history shows.
            groups = [*self.learned_scan.parameter_groups(settings.learning_rate), *groups]
        decay = settings.weight_decay
        makers: dict[str, Callable[[], torch.optim.Optimizer]] = {
            "adam": lambda: torch.optim.Adam(groups, lr=settings.learning_rate, weight_decay=decay),
            "adamw": lambda: torch.optim.AdamW(
                groups, lr=settings.learning_rate, weight_decay=decay
            ),
            "sgd": lambda: torch.optim.SGD(
                groups, lr=settings.learning_rate, weight_decay=decay, momentum=0.9
            ),
        }
        optimiser = makers[settings.optimiser]()
        if settings.schedule == "plateau":
            plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
                optimiser, factor=settings.decay, patience=5
            )
            return {
                "optimizer": optimiser,
                "lr_scheduler": {"scheduler": plateau, "monitor": "val_loss", "strict": False},
            }
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda _: self._rate_factor())
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _rate_factor(self) -> float:
        """Return the learning rate as a share of its maximum, at the present progress."""
        settings, done = self.training_config, min(1.0, self._progress())
        if settings.schedule == "exponential":
            return settings.decay ** (10 * done)
        if settings.schedule == "warmup_cosine":
            if done < settings.warmup_fraction:
                return 0.02 + 0.98 * done / settings.warmup_fraction
            rest = (done - settings.warmup_fraction) / (1 - settings.warmup_fraction)
            return 0.01 + 0.99 * (1 + math.cos(math.pi * rest)) / 2
        return 1.0
