"""The engines by name."""

from collections.abc import Callable
from dataclasses import dataclass

from ptychopinn.config import IterativeConfig
from ptychopinn.device import use_threads
from ptychopinn.errors import ConfigError, did_you_mean
from ptychopinn.iterative.pie_engine import solve_with_pie
from ptychopinn.iterative.ptychi_engine import load_ptychi, solve_with_ptychi
from ptychopinn.iterative.records import Solution, Start, Watch


@dataclass(frozen=True)
class Engine:
    """An iterative solver."""

    summary: str
    """What it is, with its source."""
    solve: Callable[[Start, IterativeConfig, Watch | None], Solution]
    """Runs it."""
    prepare: Callable[[], object] = lambda: None
    """Refuses, before anything is read, when what it needs is missing."""


def _of_ptychi(summary: str) -> Engine:
    return Engine(f"{summary} (pty-chi)", solve_with_ptychi, load_ptychi)


ENGINES = {
    "pie": Engine("ordered-subset PIE with momentum, our own; needs nothing", solve_with_pie),
    "lsqml": _of_ptychi("least squares maximum likelihood, Odstrcil et al. 2018"),
    "rpie": _of_ptychi("regularised PIE, Maiden et al. 2017"),
    "epie": _of_ptychi("extended PIE, Maiden & Rodenburg 2009"),
    "autodiff": _of_ptychi("gradient descent by automatic differentiation"),
    "dm": _of_ptychi("difference map, Thibault et al. 2009; starts its exit waves anew"),
    "raar": _of_ptychi("relaxed averaged alternating reflections; starts its exit waves anew"),
}


def engine(name: str) -> Engine:
    """Return an engine.

    Raises:
        ConfigError: No such engine; the nearest name is given.
    """
    if name not in ENGINES:
        raise ConfigError(f"iterative.engine: '{name}' is unknown; {did_you_mean(name, ENGINES)}")
    return ENGINES[name]


def solve(start: Start, settings: IterativeConfig, watch: Watch | None = None) -> Solution:
    """Run the engine that the settings name.

    Args:
        start: Image and scan.
        settings: Engine, epochs, what is refined.
        watch: Called after every epoch.
    """
    use_threads(settings.threads)
    chosen = engine(settings.engine)
    chosen.prepare()
    return chosen.solve(start, settings, watch)
