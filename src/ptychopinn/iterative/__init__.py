"""Iterative solvers that go on from a finished image: our own, and those of pty-chi.

    refined = go_on(scan, reconstruction, IterativeConfig(engine="lsqml", epochs=20)).made

`ENGINES` lists them. pty-chi is an optional extra; its frame is known to `handover` alone, its
options to `ptychi_options` alone.
"""

from ptychopinn.iterative.engines import ENGINES, Engine, solve
from ptychopinn.iterative.handover import Frame, Handover, hand_over, take_back
from ptychopinn.iterative.records import Epoch, GoneOn, Solution, Start, Watch
from ptychopinn.iterative.result import go_on

__all__ = [
    "ENGINES",
    "Engine",
    "Epoch",
    "Frame",
    "GoneOn",
    "Handover",
    "Solution",
    "Start",
    "Watch",
    "go_on",
    "hand_over",
    "solve",
    "take_back",
]
