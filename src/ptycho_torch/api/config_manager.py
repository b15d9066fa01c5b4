"""The five records of a run, together."""

from typing import Any

from ptycho_torch.config_params import (
    DataConfig,
    DatagenConfig,
    InferenceConfig,
    ModelConfig,
    TrainingConfig,
)
from ptycho_torch.translation import Settings
from ptychopinn.errors import ConfigError


class ConfigManager:
    """Holds the settings; a record that is not given has its defaults."""

    def __init__(
        self,
        data_config: DataConfig | None = None,
        model_config: ModelConfig | None = None,
        training_config: TrainingConfig | None = None,
        inference_config: InferenceConfig | None = None,
        datagen_config: DatagenConfig | None = None,
    ) -> None:
        self.data_config = data_config or DataConfig()
        self.model_config = model_config or ModelConfig()
        self.training_config = training_config or TrainingConfig()
        self.inference_config = inference_config or InferenceConfig()
        self.datagen_config = datagen_config or DatagenConfig()

    @property
    def settings(self) -> Settings:
        """The four records that rule a model."""
        return Settings(
            self.data_config, self.model_config, self.training_config, self.inference_config
        )

    @classmethod
    def from_loaded_model(cls, ptycho_model: Any) -> "ConfigManager":
        """Take the settings that a model was trained with."""
        return cls(
            ptycho_model.data_config,
            ptycho_model.model_config,
            ptycho_model.training_config,
            ptycho_model.inference_config,
        )

    def validate_arch_compatibility(self, ptycho_model: Any) -> None:
        """Refuse a network that these settings do not describe.

        Raises:
            ConfigError: N, C or the generator's settings differ.
        """
        module = ptycho_model.model
        here = type(module)(
            model_config=self.model_config,
            data_config=self.data_config,
            training_config=self.training_config,
            inference_config=self.inference_config,
        )
        for what in ("size", "config.generator"):
            found, wanted = (_get(part, what) for part in (module, here))
            if found != wanted:
                raise ConfigError(f"model: found {found}, wanted {wanted}; load its own settings.")


def _get(module: Any, what: str) -> Any:
    for name in what.split("."):
        module = getattr(module, name)
    return module
