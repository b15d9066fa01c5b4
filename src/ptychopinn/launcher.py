"""What the environment says of several processes: how many, which one this is, where they meet.

torchrun says it in RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT;
srun in variables of its own, which become these. Nobody else needs to know who started what.
"""

import os
from collections.abc import Mapping

from ptychopinn.errors import ConfigError

#: Seconds that a process waits for the others, at the start and in every sum over all.
TIMEOUT_VARIABLE = "PTYCHOPINN_TIMEOUT"
_TIMEOUT_S = 600
#: Ports that Slurm jobs on one machine share out by their numbers.
_FIRST_PORT, _PORTS = 20_000, 20_000


def announced(environment: Mapping[str, str] = os.environ) -> int:
    """Return how many processes share the work, as far as the environment tells; 1 without any.

    Raises:
        ConfigError: A variable is no number.
    """
    if "WORLD_SIZE" in environment:
        return _number(environment, "WORLD_SIZE", least=1)
    # The script of a job sees the tasks of the job too, but only srun starts several of it.
    started = "SLURM_STEP_ID" in environment or "MASTER_ADDR" in environment
    if not started or "SLURM_PROCID" not in environment:
        return 1
    return _number(environment, _tasks(environment), least=1)


def as_torchrun_says(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that torchrun sets, from those of Slurm where it did not start us.

    Raises:
        ConfigError: Several nodes do not know where to meet, or have different numbers of tasks.
    """
    if "WORLD_SIZE" in environment:
        return {}
    count = _number(environment, _tasks(environment))
    nodes = _nodes(environment)
    if nodes > 1 and "MASTER_ADDR" not in environment:
        raise ConfigError(
            f"MASTER_ADDR: is not set, wanted the first of the {nodes} nodes of this Slurm job, "
            "where its processes meet; before srun write export MASTER_ADDR=$(scontrol show "
            'hostnames "$SLURM_JOB_NODELIST" | head -n 1)'
        )
    if count % nodes:
        raise ConfigError(
            f"SLURM_NTASKS: found {count} tasks on {nodes} nodes, wanted as many on each; give "
            "--ntasks-per-node."
        )
    job = _number(environment, "SLURM_JOB_ID") if "SLURM_JOB_ID" in environment else 0
    return {
        "WORLD_SIZE": str(count),
        "RANK": str(_number(environment, "SLURM_PROCID")),
        "LOCAL_RANK": str(_number(environment, "SLURM_LOCALID")),
        "LOCAL_WORLD_SIZE": str(count // nodes),
        "GROUP_RANK": environment.get("SLURM_NODEID", "0"),
        "MASTER_ADDR": environment.get("MASTER_ADDR", "127.0.0.1"),
        "MASTER_PORT": environment.get("MASTER_PORT", str(_FIRST_PORT + job % _PORTS)),
    }


def timeout_s(environment: Mapping[str, str] = os.environ) -> int:
    """Return the seconds that a process waits for another.

    Raises:
        ConfigError: The variable is no number above 0.
    """
    if TIMEOUT_VARIABLE not in environment:
        return _TIMEOUT_S
    return _number(environment, TIMEOUT_VARIABLE, least=1)


def _tasks(environment: Mapping[str, str]) -> str:
    """Return the name of the variable with the number of tasks of this step, or of the job."""
    return "SLURM_STEP_NUM_TASKS" if "SLURM_STEP_NUM_TASKS" in environment else "SLURM_NTASKS"


def _nodes(environment: Mapping[str, str]) -> int:
    """Return on how many machines the tasks are."""
    for name in ("SLURM_STEP_NUM_NODES", "SLURM_NNODES"):
        if name in environment:
            return _number(environment, name, least=1)
    return 1


def _number(environment: Mapping[str, str], name: str, least: int = 0) -> int:
    found = environment.get(name)
    if found is None or not found.isdecimal() or int(found) < least:
        raise ConfigError(
            f"{name}: found {found!r} in the environment, wanted a whole number of at least "
            f"{least}; start with torchrun or srun, which set it."
        )
    return int(found)
