"""What this installation has, what it lacks, and whether it works; for ``ptychopinn doctor``."""

from ptychopinn.doctor.machine import Machine, look_at_machine
from ptychopinn.doctor.parts import OPTIONAL, REQUIRED, FoundPart, find_parts
from ptychopinn.doctor.self_test import SelfTest, try_out

__all__ = [
    "OPTIONAL",
    "REQUIRED",
    "FoundPart",
    "Machine",
    "SelfTest",
    "find_parts",
    "look_at_machine",
    "try_out",
]
