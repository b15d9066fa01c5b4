"""Rounds of trials: all eight orientations under the same rules, so that they can be compared."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from ptychopinn.preflight.excerpt import Excerpt
from ptychopinn.preflight.ranking import Decision
from ptychopinn.preflight.trial import Trial, try_turns
from ptychopinn.preflight.twin import UNDECIDED, self_conjugate_share, twin_of
from ptychopinn.symmetry import ORIENTATIONS, STORED, Turn, orientation_name

#: A winner leads by this many standard errors of the held-out deviance,
LEAST_MARGIN = 4.0
#: and by this share of the deviance: what rounding makes is no margin.
LEAST_SHARE = 0.005
#: The probe of the file is taken to be turned where that leaves less than this share of the
#: deviance; a rough guess, nearly the same from all sides, gains less (measured: 5 %).
_PROBE_GAIN = 0.7


@dataclass(frozen=True)
class Round:
    """The best trial of every orientation, and the side of the probe that it was seen from."""

    trials: dict[str, Trial]
    sides: dict[str, Turn]

    @property
    def order(self) -> list[str]:
        """Orientations, the best first."""
        return sorted(self.trials, key=lambda name: float(self.trials[name].deviance.mean()))

    @property
    def best(self) -> Trial:
        """The trial with the smallest deviance."""
        return self.trials[self.order[0]]

    def decision(self, piece: Excerpt) -> Decision:
        """Say whether the first leads, and over its twin as well."""
        order = self.order
        twin = orientation_name(twin_of(ORIENTATIONS[order[0]]))
        others = [name for name in order[1:] if name != twin]
        if not told_apart(self.trials[others[0]], self.best):
            return "unclear"
        own_twin = self_conjugate_share(piece.probe) >= UNDECIDED
        decided = not own_twin and told_apart(self.trials[twin], self.best)
        return "clear" if decided else "twins"


def behind(trial: Trial, best: Trial) -> float:
    """Return by how many standard errors a trial is worse than the best, pattern by pattern."""
    worse = trial.deviance - best.deviance
    error = float(worse.std(ddof=1)) / math.sqrt(len(worse))
    return float(worse.mean()) / error if error > 0 else 0.0


def told_apart(trial: Trial, best: Trial) -> bool:
    """Whether a trial is worse than the best beyond noise and rounding."""
    lead = float((trial.deviance - best.deviance).mean())
    enough = lead > LEAST_SHARE * float(best.deviance.mean())
    return enough and behind(trial, best) >= LEAST_MARGIN


def stored_probe_round(piece: Excerpt, device: torch.device) -> Round:
    """Try all orientations with the probe as stored.

    Once it may follow the patterns, which a rough guess needs, and once it stays, which a good one
    deserves: few patterns with a free probe go astray. The rule that explains more counts.
    """
    rounds = [_round(piece, [STORED], device, refine_probe=free) for free in (True, False)]
    return min(rounds, key=lambda one: float(one.best.deviance.mean()))


def every_side_round(piece: Excerpt, device: torch.device) -> Round:
    """Try all orientations with the probe, which stays, seen from all eight sides."""
    return _round(piece, ORIENTATIONS.values(), device, refine_probe=False)


def _round(
    piece: Excerpt, sides: Iterable[Turn], device: torch.device, *, refine_probe: bool
) -> Round:
    trials: dict[str, Trial] = {}
    chosen: dict[str, Turn] = {}
    for side in sides:
        for name, turn in ORIENTATIONS.items():
            made = try_turns(piece, turn, side, refine_probe=refine_probe, device=device)
            if name not in trials or made.deviance.mean() < trials[name].deviance.mean():
                trials[name], chosen[name] = made, side
    return Round(trials, chosen)


def probe_side(piece: Excerpt, patterns: Turn, device: torch.device) -> Turn:
    """Return from which side the probe of the file is seen, where that is plain."""
    trials = {
        name: try_turns(piece, patterns, side, refine_probe=False, device=device)
        for name, side in ORIENTATIONS.items()
    }
    best = min(trials, key=lambda name: float(trials[name].deviance.mean()))
    if not told_apart(trials["stored"], trials[best]):
        return STORED
    gained = _unexplained(trials[best]) / max(_unexplained(trials["stored"]), 1e-12)
    return ORIENTATIONS[best] if gained < _PROBE_GAIN else STORED


def _unexplained(trial: Trial) -> float:
    return max(0.0, float((trial.deviance - trial.expected).mean()))
