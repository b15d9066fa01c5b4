"""``ptychopinn study``."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jsonargparse import Namespace
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ptychopinn.errors import REFUSED
from ptychopinn.studies import Event, Outcome, StudyOptions, build_study, run_study

#: Heading, path of the figure, and how it is written; definitions stand above the figures.
_COLUMNS = (
    ("paper\nampl.\nSSIM", "paper.amplitude.ssim", ".3f"),
    ("paper\nampl.\nPSNR", "paper.amplitude.psnr_db", ".2f"),
    ("paper\nphase\nSSIM", "paper.phase.ssim", ".3f"),
    ("stand.\nampl.\nSSIM", "standard.amplitude.ssim", ".3f"),
    ("stand.\nphase\nSSIM", "standard.phase.ssim", ".3f"),
    ("FRC\n= 0.5\n1/px", "frc.half", ".3f"),
)


#: Characters in a line of the table where no terminal is narrower.
_WIDEST = 160


def run(parsed: Namespace, settings: dict[str, Any]) -> int:  # noqa: ARG001
    """Run a study, print its table, and say where everything is; 2 when a cell failed."""
    logging.getLogger("ptychopinn").setLevel(logging.WARNING)
    options = StudyOptions(
        full=parsed.full,
        architectures=_names(parsed.architectures),
        only=_names(parsed.only or ""),
        seed=parsed.seed,
    )
    study = build_study(parsed.name, options)
    folder = Path(parsed.output or f"out/study-{parsed.name}")
    with study_progress() as watch:
        outcome = run_study(
            study,
            folder,
            datasets=parsed.datasets,
            device=parsed.device,
            redraw=parsed.redraw,
            watch=watch,
        )
    print_table(outcome)
    for name, values in study.summarise(outcome).items():
        said = ", ".join(f"{method}: {value}" for method, value in values.items())
        print(f"{name}: {said}")
    for (case, method), sentence in outcome.missing.items():
        print(f"no result for {case}, {method}: {sentence}")
    print(f"results: {folder}/results.csv, results.json and {study.name}.png")
    failed = any(sentence.startswith("failed") for sentence in outcome.missing.values())
    return REFUSED if failed else 0


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


@contextmanager
def study_progress() -> Iterator[Callable[[Event], None]]:
    """Yield what `run_study` calls: a bar on a terminal, a line for each cell elsewhere."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda event: _say(console, event)
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("study", total=None)

        def watch(event: Event) -> None:
            done = event.number - (event.state == "running")
            label = f"{event.case}, {event.method}"
            bar.update(task, total=event.total, completed=done, description=label)
            _say(console, event)

        yield watch


def _say(console: Console, event: Event) -> None:
    """Print what became of a cell; nothing when it begins."""
    if event.state == "running":
        return
    text = f"{event.number}/{event.total} {event.case}, {event.method}: "
    if event.cell is None:
        text += event.sentence
    else:
        seconds = sum(event.cell.seconds.values())
        text += f"{event.state}, {seconds:.1f} s of training and reconstruction"
    console.print(text, markup=False, soft_wrap=True)


def print_table(outcome: Outcome) -> None:
    """Print the table of a study; where no terminal has an edge, names are not cut at one."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, _WIDEST))
    console.print(results_table(outcome))


def results_table(outcome: Outcome) -> Table:
    """Return a section for each case, with published figures of it above its own."""
    headings = [heading for heading, _, _ in _COLUMNS]
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    longest = max((len(name) + 2 for name in outcome.methods), default=0)
    table.add_column("", no_wrap=True, min_width=longest)
    for heading in (*headings, "train\n(s)", "image\n(s)"):
        table.add_column(heading)
    for case in outcome.cases:
        table.add_section()
        table.add_row(case, style="bold")
        published = outcome.published[case]
        if published:
            figures = (_written(published.get(path), form) for _, path, form in _COLUMNS)
            table.add_row("  published", *figures, style="dim")
        for method in outcome.methods:
            cell = outcome.cells.get((case, method))
            if cell is None:
                continue
            figures = (_written(cell.figure(path), form) for _, path, form in _COLUMNS)
            seconds = (f"{cell.seconds[key]:.1f}" for key in ("training", "reconstruction"))
            table.add_row(f"  {method}", *figures, *seconds)
    return table


def _written(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
