"""The original's names of networks, as those of the generators of `ptychopinn`."""

from ptychopinn.errors import ConfigError, did_you_mean
from ptychopinn.generators import generator_names

#: The same network under the original's name.
_ALIASES = {"neuralop_uno": "uno"}
#: Networks that are not here, and the nearest that is: a spectral encoder with a convolutional
#: decoder.
_NEAREST = {"hybrid_resnet": "hybrid", "stable_hybrid": "hybrid"}


def registered_name(architecture: str) -> str:
    """Return the generator that a name of the original means.

    Raises:
        ConfigError: The name is unknown; the known ones are listed.
    """
    names = generator_names()
    name = {**_ALIASES, **_NEAREST}.get(architecture, architecture)
    if name not in names:
        known = sorted([*names, *_ALIASES, *_NEAREST])
        raise ConfigError(
            f"architecture: '{architecture}' is unknown; {did_you_mean(architecture, known)} "
            f"Known: {', '.join(known)}."
        )
    return name


def told_of_architecture(architecture: str) -> str | None:
    """Return one sentence where another network takes the place of the one that was named."""
    if architecture not in _NEAREST:
        return None
    return f"architecture = {architecture!r} is not here; '{_NEAREST[architecture]}' is trained."
