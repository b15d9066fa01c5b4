"""What a page says in words and numbers: the first glance, the verdict, the checks."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal

from ptychopinn.report.page.source import PageSource
from ptychopinn.report.tables import readable_value

Tone = Literal["good", "fair", "poor", "unknown"]

_TONES: dict[str, Tone] = {
    "use it": "good",
    "fine-tune for a minute": "fair",
    "check the probe or the positions": "poor",
}
_CHECK_TONES: dict[str, Tone] = {"pass": "good", "warn": "fair", "fail": "poor"}


@dataclass(frozen=True)
class Tile:
    """One number of the first glance."""

    value: str
    unit: str
    label: str
    meaning: str = ""


@dataclass(frozen=True)
class Verdict:
    """What to do with the image."""

    tone: Tone
    words: str
    score: float | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class CheckResult:
    """One check that was made before the reconstruction."""

    name: str
    tone: Tone
    verdict: str
    found: str
    remedy: str


def short_title(source: PageSource) -> str:
    """Return the name of the scan without its folders and suffix."""
    name = PurePath(source.title)
    return name.stem or source.title


def verdict(source: PageSource) -> Verdict:
    """Return the verdict on the image, or why there is none."""
    trust = source.provenance.get("trust")
    if isinstance(trust, dict):
        words = str(trust.get("verdict", "no verdict"))
        reasons = tuple(str(reason) for reason in trust.get("reasons", ()))
        return Verdict(_TONES.get(words, "unknown"), words, trust.get("score"), reasons)
    if source.image is None:
        return Verdict("unknown", "", None, ())
    why = "no halves of the data were reconstructed (--inference.checks true does)"
    return Verdict("unknown", "not judged", None, (why,))


def checks(source: PageSource) -> tuple[CheckResult, ...]:
    """Return the checks that were made before the run; those that failed first."""
    stored = source.provenance.get("checks")
    rows = (
        [entry for entry in stored if isinstance(entry, dict)] if isinstance(stored, list) else []
    )
    made = [_check(entry) for entry in rows]
    order = ("poor", "fair", "unknown", "good")
    return tuple(sorted(made, key=lambda check: order.index(check.tone)))


def _check(entry: dict[str, Any]) -> CheckResult:
    said = str(entry.get("verdict", "?"))
    return CheckResult(
        name=str(entry.get("name", "check")).replace("_", " "),
        tone=_CHECK_TONES.get(said, "unknown"),
        verdict=said,
        found=str(entry.get("found", "")),
        remedy=str(entry.get("remedy") or ""),
    )


def tiles(source: PageSource) -> tuple[Tile, ...]:
    """Return the numbers of the first glance."""
    return _image_tiles(source) if source.image is not None else _training_tiles(source)


def _image_tiles(source: PageSource) -> tuple[Tile, ...]:
    image, told = source.image, source.provenance
    if image is None:
        return ()
    count, n = len(image.positions_px), image.probe.shape[-1]
    made = [Tile(f"{count:,}".replace(",", " "), "", "patterns", f"{n} × {n} pixels each")]
    seconds = told.get("seconds")
    if isinstance(seconds, int | float) and seconds > 0:
        made.append(Tile(f"{seconds:.3g}", "s", "to reconstruct", str(told.get("generator", ""))))
        made.append(
            Tile(f"{count / seconds:.3g}", "/ s", "patterns per second", "stitching included")
        )
    frc = image.quality.get("half_data_frc_crossing")
    if frc:
        made.append(_resolution(frc, image.pixel_size_m))
    misfit = image.quality.get("held_out_misfit")
    if misfit is not None:
        made.append(
            Tile(f"{100 * misfit:.1f}", "%", "held-out misfit", "amplitudes, beyond photon noise")
        )
    photons = told.get("photons_per_pattern")
    if isinstance(photons, int | float):
        made.append(Tile(_photons(photons), "", "photons per pattern", "mean, good pixels"))
    return tuple(made)


def _resolution(cycles_per_px: float, pixel_m: float | None) -> Tile:
    if pixel_m is None:
        return Tile(
            f"{cycles_per_px:.3f}", "/ px", "halves agree up to", "cycles per pixel, half-bit"
        )
    value, unit = readable_value("x_m", pixel_m / cycles_per_px / 2).split(" ")
    return Tile(
        f"{float(value):.3g}", unit, "resolution", "half period, half-bit FRC of two halves"
    )


def _photons(count: float) -> str:
    if count < 1e4:
        return f"{count:.0f}"
    power = len(str(int(count))) - 1
    digits = str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{count / 10**power:.2g} · 10{digits}"


def _training_tiles(source: PageSource) -> tuple[Tile, ...]:
    told = source.provenance
    named = (
        ("patterns", "patterns", "trained on"),
        ("steps", "steps", "of the optimiser"),
        ("weights", "weights", "that were learned"),
    )
    made = [
        Tile(f"{told[key]:,}".replace(",", " "), "", label, meaning)
        for key, label, meaning in named
        if isinstance(told.get(key), int)
    ]
    if isinstance(told.get("seconds"), int | float):
        made.insert(
            1, Tile(f"{told['seconds']:.3g}", "s", "of training", str(told.get("generator", "")))
        )
    for name, label in (("train_loss", "training loss"), ("val_loss", "validation loss")):
        last = [row[name] for row in source.history if row.get(name) is not None]
        if last:
            made.append(Tile(f"{last[-1]:.4g}", "", label, "at the end"))
    return tuple(made)


def absent(source: PageSource) -> tuple[tuple[str, str], ...]:
    """Return what is not on the page, each with what would bring it there."""
    image = source.image
    if image is None:
        return ()
    said = []
    if image.half_data_frc is None:
        said.append(
            ("agreement of two halves, held-out deviance, trust", "--inference.checks true")
        )
    if image.phase_std is None:
        said.append(("uncertainty of every pixel", "--inference.uncertainty true"))
    if not source.comparison:
        said.append(("comparison with a reference", "ptychopinn evaluate"))
    if not source.history:
        said.append(("losses", "ptychopinn train SCAN"))
    return tuple(said)
