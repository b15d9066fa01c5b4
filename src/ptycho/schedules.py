"""The original's names of learning rate schedules, as those of `ptychopinn`."""

from typing import Any

from ptychopinn.errors import ConfigError, did_you_mean

_SCHEDULES = {
    "Default": "warmup_cosine",
    "Cosine": "warmup_cosine",
    "CosineAnnealing": "warmup_cosine",
    "WarmupCosine": "warmup_cosine",
    "Exponential": "exponential",
    "ReduceLROnPlateau": "plateau",
}


def schedule_named(scheduler: str) -> Any:
    """Return the schedule that a name of the original means.

    Raises:
        ConfigError: The name is unknown.
    """
    if scheduler not in _SCHEDULES:
        raise ConfigError(
            f"scheduler: unknown value {scheduler!r}; {did_you_mean(scheduler, _SCHEDULES)}"
        )
    return _SCHEDULES[scheduler]


def warmup_fraction(warmup_epochs: int, epochs: int) -> float:
    """Return the share of the training in which the rate rises; a twentieth where none is asked."""
    return min(0.5, warmup_epochs / max(1, epochs)) or 0.05
