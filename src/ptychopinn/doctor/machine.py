"""The machine as torch sees it: accelerator, threads, memory, disk."""

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from ptychopinn.io.refusal import bytes_in_words


@dataclass(frozen=True)
class Machine:
    """What a computation has to work with."""

    system: str
    """Operating system and architecture."""
    python: str
    """Version of Python."""
    executable: str
    """Where that Python is."""
    accelerator: str | None
    """What ``--device auto`` takes beside the processor; None = nothing."""
    why_none: str | None
    """Why there is no accelerator; None = there is one."""
    cores: int
    """Processor cores of the machine."""
    allowed_cores: int
    """Cores that this process may run on."""
    torch_threads: int
    """Threads that torch takes when it is not told."""
    omp_num_threads: str | None
    """The environment variable that tells it."""
    memory_bytes: int | None
    """Memory of the machine; None = not known here."""
    free_memory_bytes: int | None
    """Memory that is free or easily freed; None = not known here."""
    folder: str
    """Working folder."""
    free_disk_bytes: int
    """Free space there."""

    def describe(self) -> dict[str, str]:
        """Return what a table shows, by row."""
        omp = self.omp_num_threads
        told = f"OMP_NUM_THREADS={omp}" if omp else "OMP_NUM_THREADS is not set"
        return {
            "system": self.system,
            "python": f"{self.python}, {self.executable}",
            "accelerator": self.accelerator or f"none: {self.why_none}",
            "cores": f"{self.allowed_cores} of {self.cores} for this process",
            "threads": f"{self.torch_threads} by torch; {told}",
            "memory": self._memory_in_words(),
            "disk": f"{bytes_in_words(self.free_disk_bytes)} free at {self.folder}",
        }

    def _memory_in_words(self) -> str:
        if self.memory_bytes is None or self.free_memory_bytes is None:
            return "not known on this system"
        free, total = map(bytes_in_words, (self.free_memory_bytes, self.memory_bytes))
        return f"{free} free of {total}"


def look_at_machine(folder: str | Path = ".") -> Machine:
    """Return what there is; nothing is changed and nothing is computed.

    Args:
        folder: Where results would go.
    """
    accelerator, why_none = find_accelerator()
    cores = os.cpu_count() or 1
    memory, free = _memory()
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        executable=sys.executable,
        accelerator=accelerator,
        why_none=why_none,
        cores=cores,
        allowed_cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores,
        torch_threads=torch.get_num_threads(),
        omp_num_threads=os.environ.get("OMP_NUM_THREADS"),
        memory_bytes=memory,
        free_memory_bytes=free,
        folder=str(Path(folder).resolve()),
        free_disk_bytes=shutil.disk_usage(folder).free,
    )


def find_accelerator() -> tuple[str | None, str | None]:
    """Return the name of the accelerator, or why there is none."""
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        more = torch.cuda.device_count() - 1
        others = f" and {more} more" if more else ""
        return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB{others}", None
    if torch.backends.mps.is_available():
        return "Apple GPU (only when asked for: --device mps)", None
    return None, _why_no_accelerator()


def _why_no_accelerator() -> str:
    if torch.version.cuda is None and torch.version.hip is None:
        return (
            f"torch {torch.__version__} is a build without GPU support; where there is a GPU, "
            "install the build for it (https://pytorch.org/get-started)"
        )
    if os.environ.get("CUDA_VISIBLE_DEVICES", None) in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides every GPU; unset it"
    if not Path("/dev/nvidia0").exists() and torch.version.cuda is not None:
        return "this machine shows no NVIDIA GPU (/dev/nvidia0); in a container, ask for it"
    return (
        f"torch was built for {torch.version.cuda or torch.version.hip}, but no GPU answers; the "
        "driver may be too old for it (nvidia-smi shows its version)"
    )


def _memory() -> tuple[int | None, int | None]:
    """Return bytes of memory, in all and free, where the system tells."""
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total = page * os.sysconf("SC_PHYS_PAGES")
        free = page * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None, None
    return total, _available() or free


def _available() -> int | None:
    """Return what Linux calls available: free, or easily freed."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    sizes = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(sizes[0]) * 1024 if sizes else None
