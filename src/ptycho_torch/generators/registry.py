"""Generators by name, as models that are ready to train."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ptycho.architectures import registered_name
from ptycho_torch.model import PtychoPINN_Lightning
from ptycho_torch.translation import Settings, tell_what_has_no_effect


@dataclass(frozen=True)
class ResolvedGenerator:
    """A generator that exists."""

    name: str
    """Its registered name."""

    def build_model(self, pt_configs: Mapping[str, Any]) -> PtychoPINN_Lightning:
        """Build a new model around it.

        Args:
            pt_configs: ``model_config``, ``data_config``, ``training_config`` and
                ``inference_config``; the architecture of the first is replaced by this one.
        """
        tell_what_has_no_effect(_settings(pt_configs))
        model_config = replace(pt_configs["model_config"], architecture=self.name)
        return PtychoPINN_Lightning(
            model_config=model_config,
            data_config=pt_configs["data_config"],
            training_config=pt_configs["training_config"],
            inference_config=pt_configs["inference_config"],
        )


def resolve_generator(config: Any) -> ResolvedGenerator:
    """Return the generator that settings name.

    Args:
        config: A record with ``architecture``, or one whose ``model`` has it.

    Raises:
        ConfigError: The name is unknown; the known ones are listed.
    """
    return ResolvedGenerator(registered_name(getattr(config, "model", config).architecture))


def _settings(pt_configs: Mapping[str, Any]) -> Settings:
    parts = ("data_config", "model_config", "training_config", "inference_config")
    return Settings(*(pt_configs[part] for part in parts))
