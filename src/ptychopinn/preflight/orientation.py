"""How the detector stands to the axes of a scan: all eight ways tried, and a winner, or none."""

from ptychopinn.device import resolve_device
from ptychopinn.preflight.excerpt import excerpt
from ptychopinn.preflight.momentum import GradientMisfit, gradient_misfit, momenta_of
from ptychopinn.preflight.ranking import Hypothesis, OrientationRanking
from ptychopinn.preflight.rounds import (
    Round,
    behind,
    every_side_round,
    probe_side,
    stored_probe_round,
)
from ptychopinn.scan import Scan
from ptychopinn.symmetry import ORIENTATIONS, STORED, Turn, orientation_name, scan_axes_name


def rank_orientations(scan: Scan, *, device: str = "auto") -> OrientationRanking:
    """Rank the eight ways in which the detector can stand to the axes of the scan.

    About 100 neighbouring patterns, cut to where the light is, are reconstructed under each
    hypothesis, with the probe of the file and with one that follows the patterns from there;
    patterns that were held out are predicted, and their likelihood ranks. Turning patterns and
    positions alike changes nothing but the side that the image is seen from, so eight hypotheses
    cover all 64 turns and mirrors of both.

    The probe of a file belongs to neither of them for certain. It is tried from all eight sides
    under the winner (under all hypotheses, where there is no winner yet); where one side leaves
    far less unexplained than the stored one, patterns and positions are both brought into the
    frame of the probe, otherwise positions stay as stored.

    Args:
        scan: What was measured, zero frequency in the middle.
        device: auto, cpu, cuda, cuda:1 or mps.

    Raises:
        DataError: Too few patterns, or no light.

    Cannot tell: a joint turn of patterns and positions, if the probe looks the same from all
    sides; an orientation from its twin (`twin`), if the probe is nearly its own conjugate, as in
    focus: then the decision is ``twins``; the conjugate of everything, which a probe of the other
    sign convention makes: the image then is the conjugate seen from behind; a zero frequency moved
    by a pixel or by half the detector, which is a phase ramp, or a chequerboard of signs, over the
    object.
    """
    piece = excerpt(scan)
    place = resolve_device(device)
    made = stored_probe_round(piece, place)
    decision, seen_from = made.decision(piece), STORED
    if decision == "unclear":
        every = every_side_round(piece, place)
        if every.decision(piece) != "unclear":
            made, decision = every, every.decision(piece)
            seen_from = made.sides[made.order[0]]
    else:
        seen_from = probe_side(piece, ORIENTATIONS[made.order[0]], place)
    momenta = gradient_misfit(piece.positions_px, momenta_of(piece.counts))
    held_out = int(piece.held_out.sum())
    return OrientationRanking(
        hypotheses=tuple(_hypothesis(name, made, seen_from, momenta) for name in made.order),
        decision=decision,
        patterns=len(piece.held_out) - held_out,
        held_out=held_out,
        expected=float(made.best.expected.mean()),
    )


def _hypothesis(
    name: str, made: Round, seen_from: Turn, momenta: GradientMisfit | None
) -> Hypothesis:
    """Say what a trial means for patterns and positions in the frame of the probe."""
    back, turn = seen_from.inverse, ORIENTATIONS[name]
    trial = made.trials[name]
    return Hypothesis(
        orientation=orientation_name(back.after(turn)),
        scan_axes=scan_axes_name(back),
        deviance=float(trial.deviance.mean()),
        behind=behind(trial, made.best) if trial is not made.best else 0.0,
        worse_on=int((trial.deviance > made.best.deviance).sum()),
        gradient_misfit=None if momenta is None else momenta.of(turn),
    )
