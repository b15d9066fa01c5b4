import dataclasses
import json

import numpy as np
import pytest

from ptychopinn.bundle import Bundle, trained_ranges
from ptychopinn.cli.reconstruct import describe_trust
from ptychopinn.data import DescriptorRanges, ScanDescriptors
from ptychopinn.inference import assess, reconstruct
from tests.conftest import make_scan
from tests.inference.test_reconstruct import pie
from tests.test_bundle import make_bundle

USUAL = ScanDescriptors(64, 1, 1e6, 0.3, 0.4, 0.7, 8, 0)
RANGES = DescriptorRanges.from_many([USUAL, dataclasses.replace(USUAL, photons_per_pattern=1e4)])
UNUSUAL = dataclasses.replace(USUAL, overlap=0.4)


def figures(misfit, photon=0.01, frc=0.3):
    return {
        "held_out_misfit": misfit,
        "held_out_photon_misfit": photon,
        "half_data_frc_crossing": frc,
    }


CASES = {
    "right": (figures(0.03), USUAL, "use it"),
    "real scan that is a good image": (figures(0.105, 0.03), USUAL, "use it"),
    "positions off by half a pixel": (figures(0.117), USUAL, "use it"),
    "poor": (figures(0.15), USUAL, "fine-tune for a minute"),
    "wrong": (figures(0.21), USUAL, "check the probe or the positions"),
    "halves agree on it": (figures(0.5, frc=0.5), USUAL, "check the probe or the positions"),
    "noise": (figures(0.23, 0.2), USUAL, "use it"),
    "starved, right": (figures(0.3, 0.21), USUAL, "fine-tune for a minute"),
    "starved": (figures(0.92, 0.75), USUAL, "fine-tune for a minute"),
    "blurred": (figures(0.03, frc=0.02), USUAL, "fine-tune for a minute"),
    "unusual, right": (figures(0.03), UNUSUAL, "use it"),
    "unusual, poor": (figures(0.1), UNUSUAL, "fine-tune for a minute"),
    "unusual, wrong": (figures(0.25), UNUSUAL, "fine-tune for a minute"),
    "unusual, hopeless": (figures(0.35), UNUSUAL, "check the probe or the positions"),
}


@pytest.mark.parametrize("what", CASES)
def test_verdicts(what):
    quality, scan, verdict = CASES[what]
    found = assess(quality, scan, RANGES)
    assert found.verdict == verdict
    assert 0 <= found.score <= 1
    unusual = [reason for reason in found.reasons if "overlap lies 3.0 widths outside" in reason]
    assert len(unusual) == (scan is UNUSUAL)
    line = describe_trust(json.loads(json.dumps(found.to_dict())))
    assert line.startswith(f"verdict: {verdict} (trust {found.score:.2f}: ")
    assert "\n" not in line


def test_the_score_falls_with_everything_that_is_wrong():
    best = assess(figures(0.03), USUAL, RANGES).score
    for worse in (
        assess(figures(0.17), USUAL, RANGES),
        assess(figures(0.03, frc=0.04), USUAL, RANGES),
        assess(figures(0.03), UNUSUAL, RANGES),
        assess(figures(0.9, 0.9), USUAL, RANGES),
    ):
        assert worse.score < 0.6 * best
    assert best > 0.95
    assert assess(figures(0.03), UNUSUAL).score == best  # nothing was trained


def test_halves_that_share_no_pixels_are_judged_by_their_misfit():
    unresolved = assess({"held_out_misfit": 0.03, "held_out_photon_misfit": 0.01}, USUAL)
    assert unresolved.verdict == "use it"


def test_ranges_of_a_bundle():
    bundle: Bundle = make_bundle("unrolled")
    assert trained_ranges(None) is None
    assert trained_ranges(bundle) is None
    kept = {**bundle.statistics, "descriptor_ranges": json.loads(json.dumps(RANGES.to_dict()))}
    assert trained_ranges(dataclasses.replace(bundle, statistics=kept)) == RANGES


def test_a_reconstruction_is_judged():
    scan = make_scan(32, photons=1e6)
    right = reconstruct(scan, None, pie(30))
    assert right.provenance["trust"]["verdict"] == "use it"
    assert right.quality["trust_score"] > 0.9
    y = np.arange(32)[:, None] - 16
    bent = (scan.probe * np.exp(0.02j * y**2)).astype(np.complex64)
    wrong = reconstruct(dataclasses.replace(scan, probe=bent), None, pie(30))
    assert wrong.provenance["trust"]["verdict"] == "check the probe or the positions"
    assert wrong.quality["trust_score"] < 0.5


@pytest.mark.parametrize(
    ("checks", "patterns", "why", "remedy"),
    [
        (False, 63, "the checks are off", "without --checks false"),
        (True, 3, "3 patterns are too few", "with pie 4 patterns or more"),
    ],
)
def test_a_result_without_checks_says_why_and_how_to_get_a_verdict(checks, patterns, why, remedy):
    scan = make_scan(32).select(np.arange(patterns))
    trust = reconstruct(scan, None, pie(2, checks=checks)).provenance["trust"]
    assert (trust["score"], trust["verdict"]) == (None, "not checked")
    line = describe_trust(json.loads(json.dumps(trust)))
    assert line.startswith(f"verdict: not checked ({why}")
    assert remedy in line
