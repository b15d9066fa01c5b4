"""What each engine of pty-chi is told: its options, from the settings of a run."""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from ptychopinn.config import IterativeConfig
from ptychopinn.errors import ConfigError
from ptychopinn.iterative.handover import Handover

#: Most pixels that a position moves along an axis in one epoch.
LONGEST_STEP_PX = 0.5


@dataclass(frozen=True)
class Recipe:
    """How an engine is used; steps are relative to what the engine itself calls a whole one."""

    options: str
    """Class of its options in `ptychi.api`."""
    step: float
    """Of object and probe."""
    batch_size: int = 32
    """Patterns in a step."""
    position_step: float | None = None
    """Of positions; None = it does not move them."""
    updates: dict[str, Any] | None = None
    """Further options of object and probe."""
    whole_scan: bool = False
    """True when every epoch is one step with all patterns, gone through in chunks."""


#: Steps and batches were chosen among a handful, nine epochs of a measured scan each.
RECIPES = {
    "lsqml": Recipe("LSQMLOptions", step=1.0, position_step=0.3),
    "rpie": Recipe("RPIEOptions", step=0.5, position_step=0.3, updates={"alpha": 0.5}),
    "epie": Recipe("EPIEOptions", step=0.5, position_step=0.3, updates={"alpha": 1.0}),
    "autodiff": Recipe("AutodiffPtychographyOptions", step=0.3, position_step=1.0),
    "dm": Recipe("DMOptions", step=1.0, whole_scan=True),
    "raar": Recipe("RAAROptions", step=1.0, whole_scan=True),
}


def task_options(api: ModuleType, settings: IterativeConfig, given: Handover, device: str) -> Any:
    """Return the options of a run as `ptychi.api.task.PtychographyTask` takes them.

    Args:
        api: The module `ptychi.api`.
        settings: Of the run; its engine is one of `RECIPES`.
        given: What is handed over.
        device: ``cpu`` or ``cuda``.

    Raises:
        ConfigError: Positions are to move by an engine, or in a way, that has no such thing.
    """
    recipe = RECIPES[settings.engine]
    made = getattr(api, recipe.options)()
    made.data_options.fft_shift = False  # the zero frequency is in the corner already
    step = settings.step or recipe.step
    for options in (made.object_options, made.probe_options):
        options.optimizer = api.Optimizers.SGD
        options.step_size = step
        for name, value in (recipe.updates or {}).items():
            setattr(options, name, value)
    made.probe_options.optimizable = settings.refine_probe
    made.object_options.position_origin_coords = list(given.frame.origin_px)
    made.object_options.determine_position_origin_coords_by = (
        api.ObjectPosOriginCoordsMethods.SPECIFIED
    )
    _set_positions(made.probe_position_options, settings, recipe)
    _set_reconstructor(api, made.reconstructor_options, settings, len(given.patterns), device)
    return made


def _set_positions(options: Any, settings: IterativeConfig, recipe: Recipe) -> None:
    kind = settings.refine_positions
    options.optimizable = kind != "none"
    if kind == "none":
        return
    if kind == "affine" or recipe.position_step is None:
        raise ConfigError(
            f"iterative.refine_positions: '{kind}' is not what engine '{settings.engine}' can do; "
            "take --engine pie, or --engine lsqml with --refine-positions points."
        )
    options.step_size = recipe.position_step
    options.correction_options.update_magnitude_limit = LONGEST_STEP_PX


def _set_reconstructor(
    api: ModuleType, options: Any, settings: IterativeConfig, patterns: int, device: str
) -> None:
    batch_size = settings.batch_size or RECIPES[settings.engine].batch_size
    options.batch_size = min(batch_size, patterns)
    if RECIPES[settings.engine].whole_scan:
        options.batch_size, options.chunk_length = patterns, min(batch_size, patterns)
    if hasattr(options, "rescale_probe_intensity_in_first_epoch"):
        # The probe has the power of the patterns already.
        options.rescale_probe_intensity_in_first_epoch = False
    options.num_epochs = settings.epochs
    options.random_seed = settings.seed
    options.default_device = api.Devices.GPU if device == "cuda" else api.Devices.CPU
