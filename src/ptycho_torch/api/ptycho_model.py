"""A model with its settings."""

from pathlib import Path
from typing import Any

from ptycho_torch.api.config_manager import ConfigManager
from ptycho_torch.checkpoint import read_settings
from ptycho_torch.config_params import DataConfig, InferenceConfig, ModelConfig, TrainingConfig


class PtychoModel:
    """The settings of a model, and the LightningModule once there is one."""

    def __init__(
        self,
        model_config: ModelConfig,
        data_config: DataConfig,
        training_config: TrainingConfig,
        inference_config: InferenceConfig,
    ) -> None:
        self.model_config = model_config
        self.data_config = data_config
        self.training_config = training_config
        self.inference_config = inference_config
        self.model: Any = None
        """The LightningModule; assigned from outside when it was loaded."""

    @classmethod
    def _new_model(cls, model: type, config_manager: ConfigManager) -> "PtychoModel":
        """Build a new model of a class."""
        records = {
            "model_config": config_manager.model_config,
            "data_config": config_manager.data_config,
            "training_config": config_manager.training_config,
            "inference_config": config_manager.inference_config,
        }
        made = cls(**records)  # type: ignore[arg-type]
        made.model = model(**records)
        return made

    @staticmethod
    def _extract_configs_from_checkpoint(
        path: str | Path,
    ) -> tuple[
        DataConfig | None, ModelConfig | None, TrainingConfig | None, InferenceConfig | None
    ]:
        """Return the settings in a checkpoint; None where it has none.

        Raises:
            BundleError: The file is no checkpoint.
        """
        found = read_settings(path)
        if found is None:
            return None, None, None, None
        return found.data, found.model, found.training, found.inference
