"""The flat dictionary of the original: the only mutable global of the distribution.

Settings go into it (`ptycho.config.config.update_legacy_dict`) and stay there for scripts that look
them up; `ptychopinn` never reads it. What calls of the original hand on without an argument also
lives here: ``probe`` (`ptycho.probe`), ``intensity_scale``, and ``bundle``, the model that was
trained last in this process (`ptycho.model_manager.save`).
"""

from typing import Any

from ptycho.config.config import TrainingConfig, update_legacy_dict

#: Settings and what calls hand on, by name.
cfg: dict[str, Any] = {}
update_legacy_dict(cfg, TrainingConfig())


def get(key: str) -> Any:
    """Return a value.

    Raises:
        KeyError: Nothing of this name is there.
    """
    return cfg[key]


def set(key: str, value: Any) -> None:
    """Keep a value."""
    cfg[key] = value
