"""A whole study: cell after cell, each kept when it is done, then tables and figure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ptychopinn.errors import ConfigError, PtychoError, TrainingError
from ptychopinn.io.atomic import require_folder_place
from ptychopinn.studies.cell import Workplace, find_cell, run_cell
from ptychopinn.studies.dataset_cache import DatasetCache
from ptychopinn.studies.outcome import Cell, Outcome
from ptychopinn.studies.records import Case, Method, Study
from ptychopinn.studies.tables import write_tables


@dataclass(frozen=True)
class Event:
    """Something happened to a cell."""

    number: int
    """Of the cell, from 1."""
    total: int
    case: str
    method: str
    state: Literal["running", "done", "kept", "missing"]
    cell: Cell | None = None
    sentence: str = ""
    """Why a cell is missing."""


def run_study(
    study: Study,
    folder: str | Path,
    *,
    datasets: str | Path | None = None,
    device: str = "auto",
    redraw: bool = False,
    watch: Callable[[Event], None] = lambda _: None,
) -> Outcome:
    """Run what is not there yet, and write results.csv, results.json and the figure.

    A cell that was finished under the same settings is not run again, and a training that was
    stopped goes on from its checkpoint: after Ctrl-C or a kill the same call continues.

    Args:
        study: What to compare.
        folder: For everything that the study makes.
        datasets: Folder of simulated scans, which studies may share; None = below `folder`.
        device: Where networks run.
        redraw: Run nothing; tables and figure from the cells that are there.
        watch: Called before and after each cell.

    Raises:
        TrainingError: Interrupted; the sentence says how to go on.
        OutputError: The folder cannot be written.
    """
    target = Path(folder)
    require_folder_place(target)
    scans = Path(datasets) if datasets is not None else target / "datasets"
    place = Workplace(target, DatasetCache(scans), device)
    outcome = empty_outcome(study)
    plan = [(case, method) for case in study.cases for method in study.methods]
    for number, (case, method) in enumerate(plan, start=1):
        before = Event(number, len(plan), case.name, method.name, "running")
        event = _one(case, method, place, before, watch, redraw=redraw)
        if event.cell is not None:
            outcome.cells[case.name, method.name] = event.cell
        else:
            outcome.missing[case.name, method.name] = event.sentence
        watch(event)
    write_tables(target, outcome, study.summarise(outcome))
    study.draw(outcome, target / f"{study.name}.png")
    return outcome


def empty_outcome(study: Study) -> Outcome:
    """Return an outcome without cells, which knows what the cases stand for."""
    return Outcome(
        study=study.name,
        cases=tuple(case.name for case in study.cases),
        methods=tuple(method.name for method in study.methods),
        values={case.name: case.values for case in study.cases},
        published={case.name: case.published for case in study.cases},
    )


def _one(
    case: Case,
    method: Method,
    place: Workplace,
    event: Event,
    watch: Callable[[Event], None],
    *,
    redraw: bool,
) -> Event:
    """Find or run one cell; what cannot be done is said and does not stop the others."""
    try:
        kept = find_cell(case, method, place)
        if kept is not None:
            return replace(event, state="kept", cell=kept)
        if redraw:
            return replace(event, state="missing", sentence="not run yet")
        watch(event)
        return replace(event, state="done", cell=run_cell(case, method, place))
    except KeyboardInterrupt as error:
        raise _interrupted(event) from error
    except PtychoError as error:
        if isinstance(error.__cause__, SystemExit):  # Ctrl-C, as Lightning passes it on
            raise _interrupted(event) from error
        word = "unavailable" if isinstance(error, ConfigError) else "failed"
        return replace(event, state="missing", sentence=f"{word}: {error}")


def _interrupted(event: Event) -> TrainingError:
    return TrainingError(
        f"the study was interrupted in cell {event.number} of {event.total} ({event.case}, "
        f"{event.method}); the cells before it are kept: go on with the same command."
    )
