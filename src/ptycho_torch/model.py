"""The LightningModule of the original design: settings in, generator and physics inside."""

from typing import Any

from ptycho_torch.checkpoint import Carried, packed, unpacked
from ptycho_torch.config_params import DataConfig, InferenceConfig, ModelConfig, TrainingConfig
from ptycho_torch.translation import Settings, frozen_config
from ptychopinn.errors import BundleError
from ptychopinn.generators import GeneratorSize, build_generator
from ptychopinn.generators.cnn import Cnn as UNet
from ptychopinn.model import PtychoModule
from ptychopinn.physics.diffraction import diffract, predict_counts
from ptychopinn.physics.likelihood import resolve_loss
from ptychopinn.training import Budget

__all__ = ["PtychoPINN_Lightning", "UNet", "diffract", "predict_counts", "resolve_loss"]


class PtychoPINN_Lightning(PtychoModule):  # noqa: N801 - the name of the original design
    """A generator of `ptychopinn` with its physics and loss, made from the settings alone.

    Args:
        model_config: What is trained.
        data_config: Its N and C give the size of the network.
        training_config: How it is trained.
        inference_config: How scans are reconstructed.

    Raises:
        ConfigError: A setting is unknown, or the network does not exist for this N.
    """

    loss_name = "train_loss_epoch"
    """What the mean training loss of an epoch is logged as."""
    val_loss_name = "val_loss"
    """What the validation loss is logged as."""

    def __init__(
        self,
        model_config: ModelConfig,
        data_config: DataConfig,
        training_config: TrainingConfig,
        inference_config: InferenceConfig,
    ) -> None:
        self.settings = Settings(data_config, model_config, training_config, inference_config)
        config = frozen_config(self.settings)
        size = GeneratorSize(data_config.N, data_config.C)
        super().__init__(build_generator(config.generator, size), config.training, self._done)
        self.config = config
        """The same settings as `ptychopinn` has them."""
        self.size = size
        """N and C."""
        self.budget: Budget | None = None
        """How much of the training is done; None before it begins."""
        self.carried: Carried | None = None
        """What inference needs of the training data; None before the training."""

    def _done(self) -> float:
        return self.budget.progress() if self.budget is not None else 0.0

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: Any, *args: Any, **named: Any) -> Any:
        """Read a checkpoint; plain values and tensors alone, whatever the caller says of it.

        Args:
            checkpoint_path: The file.
            *args: As `lightning.LightningModule.load_from_checkpoint` has them.
            **named: The same, and the four records of settings.
        """
        return super().load_from_checkpoint(
            checkpoint_path, *args, **{**named, "weights_only": True}
        )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put settings and data facts into the checkpoint, as plain values and tensors."""
        checkpoint["ptychopinn"] = packed(self.settings, self.carried)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take what inference needs of the training data.

        Raises:
            BundleError: The checkpoint was not written by this package.
        """
        if "ptychopinn" not in checkpoint:
            raise BundleError(
                "checkpoint: found no record of ptychopinn, wanted one that this package wrote; "
                "train again."
            )
        _, self.carried = unpacked(checkpoint["ptychopinn"])
