"""The ranking of orientations, as it is shown."""

from dataclasses import dataclass
from typing import Literal

from ptychopinn.preflight.twin import twin_of
from ptychopinn.symmetry import ORIENTATIONS, orientation_name

Decision = Literal["clear", "twins", "unclear"]


@dataclass(frozen=True)
class Hypothesis:
    """One way in which patterns may stand to positions, tried."""

    orientation: str
    """What has to be done to the patterns (`--orientation`)."""
    scan_axes: str
    """What has to be done to the positions (`--scan-axes`)."""
    deviance: float
    """Poisson deviance per pixel on held-out patterns."""
    behind: float
    """Standard errors by which it is worse than the best; 0 for the best."""
    worse_on: int
    """Held-out patterns that it explains worse than the best does."""
    gradient_misfit: float | None
    """How badly the mean momenta are a gradient (`momentum`); None = not known."""


@dataclass(frozen=True)
class OrientationRanking:
    """All hypotheses, and what can be said."""

    hypotheses: tuple[Hypothesis, ...]
    """Eight, the best first."""
    decision: Decision
    """clear: the first leads beyond doubt. twins: it leads, but not over its twin, half a turn of
    the detector away, which makes the conjugate image. unclear: no winner."""
    patterns: int
    """Patterns that were reconstructed from."""
    held_out: int
    """Patterns that were judged."""
    expected: float
    """Deviance per pixel that photon noise alone would leave."""

    @property
    def best(self) -> Hypothesis:
        """The hypothesis with the smallest deviance."""
        return self.hypotheses[0]

    @property
    def twin(self) -> Hypothesis:
        """The hypothesis that half a turn of the detector makes of the best."""
        wanted = orientation_name(twin_of(ORIENTATIONS[self.best.orientation]))
        return next(one for one in self.hypotheses if one.orientation == wanted)

    @property
    def margin(self) -> float:
        """Standard errors by which the best leads."""
        return self.hypotheses[1].behind
