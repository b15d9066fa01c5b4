"""The engines of pty-chi, given our arrays and asked for theirs.

pty-chi is not imported before it is needed: it takes seconds, and many users will not have it.
"""

import importlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import torch

from ptychopinn.config import IterativeConfig
from ptychopinn.device import resolve_device
from ptychopinn.errors import ConfigError
from ptychopinn.iterative.handover import Handover, hand_over, object_of, take_back
from ptychopinn.iterative.ptychi_options import task_options
from ptychopinn.iterative.records import Epoch, Solution, Start, Watch

#: The command that installs pty-chi.
INSTALL = "pip install 'ptychopinn[ptychi]'"


def load_ptychi() -> ModuleType:
    """Return the module `ptychi.api` of pty-chi.

    Raises:
        ConfigError: It is not installed, or does not import; the sentence has the command.
    """
    try:
        importlib.import_module("ptychi.api.task")
        return importlib.import_module("ptychi.api")
    except (ImportError, RuntimeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise ConfigError(
            f"iterative.engine: this engine is pty-chi's, which does not import here ({reason}); "
            f"install it with {INSTALL}, or take --engine pie, which needs nothing."
        ) from error


def solve_with_ptychi(start: Start, settings: IterativeConfig, watch: Watch | None) -> Solution:
    """Run an engine of pty-chi from an image.

    Args:
        start: All patterns are read into memory.
        settings: Engine, epochs, steps; see `ptychi_options.RECIPES`.
        watch: Called after every epoch.

    Raises:
        ConfigError: pty-chi is missing, or cannot use the device.

    Tested: tests/iterative/test_ptychi_engine.py, where pty-chi is installed.
    """
    began = time.monotonic()
    api = load_ptychi()
    device = resolve_device(settings.device).type
    if device not in ("cpu", "cuda"):
        raise ConfigError(f"iterative.device: pty-chi works on cpu or cuda, not on {device}.")
    given = hand_over(start)
    epochs: list[Epoch] = []
    with _left_as_found(), _task(api, settings, given, device) as task:
        for number in range(1, settings.epochs + 1):
            task.run(1)
            loss = float(task.reconstructor.loss_tracker.table["loss"].iloc[-1])
            epochs.append(Epoch(number, time.monotonic() - began, loss))
            if watch is not None:
                watch(epochs[-1], lambda: object_of(_array(task, "object")))
        found = [_array(task, name) for name in ("object", "probe", "probe_positions")]
    image, probe, positions = take_back(given, *found)
    scan = start.scan
    return Solution(
        object=image,
        probe=probe if settings.refine_probe else scan.probe,
        positions_px=positions if settings.refine_positions != "none" else scan.positions_px,
        epochs=tuple(epochs),
        library={"ptychi": importlib.import_module("ptychi").__version__},
    )


def _task(api: ModuleType, settings: IterativeConfig, given: Handover, device: str) -> Any:
    tasks = importlib.import_module("ptychi.api.task")
    return tasks.PtychographyTask(
        task_options(api, settings, given, device),
        diffraction_data=given.patterns,
        object_data=given.object,
        probe_data=given.probe,
        probe_position_y_px=given.positions_px[:, 0],
        probe_position_x_px=given.positions_px[:, 1],
        valid_pixel_mask=given.mask,
    )


def _array(task: Any, name: str) -> np.ndarray:
    return np.array(task.get_data_to_cpu(name, as_numpy=True))


@contextmanager
def _left_as_found() -> Iterator[None]:
    """Undo what pty-chi sets for the whole process: device, number type, what it says."""
    number_type = torch.get_default_dtype()
    loggers = [logging.getLogger(name) for name in ("ptychi", "")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        torch.set_default_device(None)
        torch.set_default_dtype(number_type)
