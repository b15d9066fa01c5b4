"""The studies by name."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ptychopinn.errors import ConfigError, did_you_mean
from ptychopinn.studies import data_efficiency, dose, grid_lines, lines, transfer
from ptychopinn.studies.records import Study, StudySize


@dataclass(frozen=True)
class Entry:
    """A study before its size and methods are chosen."""

    build: Callable[[StudySize, tuple[str, ...], int], Study]
    """From size, architectures and seed."""
    laptop: StudySize
    """Minutes on two cores."""
    full: StudySize
    """For a GPU."""


STUDIES = {
    "grid-lines": Entry(grid_lines.build, grid_lines.LAPTOP, grid_lines.FULL),
    "lines": Entry(lines.build, lines.LAPTOP, lines.FULL),
    "data-efficiency": Entry(data_efficiency.build, data_efficiency.LAPTOP, data_efficiency.FULL),
    "dose": Entry(dose.build, dose.LAPTOP, dose.FULL),
    "transfer": Entry(transfer.build, transfer.LAPTOP, transfer.FULL),
}


@dataclass(frozen=True)
class StudyOptions:
    """What a user may choose of a study."""

    full: bool = False
    """The size for a GPU."""
    architectures: tuple[str, ...] = ("cnn", "unrolled")
    """Registered generators to train."""
    only: tuple[str, ...] = ()
    """Names of methods or cases; the others are left out. None = all."""
    seed: int = 0
    """Of scans, weights and groups."""
    size: StudySize | None = None
    """Another size than the two."""


_DEFAULTS = StudyOptions()


def study_names() -> list[str]:
    """Return the names of all studies."""
    return list(STUDIES)


def build_study(name: str, options: StudyOptions = _DEFAULTS) -> Study:
    """Return a study, ready to run.

    Raises:
        ConfigError: An unknown study, architecture, method or case; the known ones are listed.
    """
    if name not in STUDIES:
        raise ConfigError(
            f"study: '{name}' is unknown; {did_you_mean(name, STUDIES)} Known: "
            f"{', '.join(STUDIES)}."
        )
    entry = STUDIES[name]
    size = options.size or (entry.full if options.full else entry.laptop)
    study = entry.build(size, options.architectures, options.seed)
    return _reduced(study, options.only)


def _reduced(study: Study, only: tuple[str, ...]) -> Study:
    """Keep the methods, and the cases, that are named; all of a kind when none of it is."""
    methods = {method.name for method in study.methods}
    cases = {case.name for case in study.cases}
    for name in only:
        if name not in methods | cases:
            raise ConfigError(
                f"only: '{name}' is neither a method nor a case of '{study.name}'; methods: "
                f"{', '.join(m.name for m in study.methods)}; cases: "
                f"{', '.join(c.name for c in study.cases)}."
            )
    chosen = set(only)
    return replace(
        study,
        methods=tuple(m for m in study.methods if not chosen & methods or m.name in chosen),
        cases=tuple(c for c in study.cases if not chosen & cases or c.name in chosen),
    )
