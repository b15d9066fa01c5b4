"""What a page is made of."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ptychopinn.scan import Reconstruction


@dataclass(frozen=True)
class PageSource:
    """Everything that a page tells; what is None or empty is left out and named at its end."""

    title: str
    """Name of the scan or of the training."""
    image: Reconstruction | None = None
    """What was reconstructed; None for a training."""
    probe: np.ndarray | None = None
    """(P, N, N) complex probe of a training; that of the image counts where there is one."""
    start_probe: np.ndarray | None = None
    """(P, N, N) complex probe before the training refined it."""
    history: list[dict[str, Any]] = field(default_factory=list)
    """Rows of the training, as `draw_losses` takes them."""
    settings: dict[str, Any] = field(default_factory=dict)
    """All settings, nested."""
    provenance: dict[str, Any] = field(default_factory=dict)
    """Plain values: command, versions, files with hashes, seconds, trust, checks."""
    comparison: dict[str, Any] = field(default_factory=dict)
    """Figures against a reference, as `Comparison.to_dict` gives them."""

    @property
    def shown_probe(self) -> np.ndarray | None:
        """The probe of the image, or of the training."""
        return self.probe if self.image is None else self.image.probe

    @property
    def first_probe(self) -> np.ndarray | None:
        """The probe before it was refined, where it was."""
        return self.start_probe if self.image is None else self.image.start_probe
