"""What torchrun and Slurm say of several processes."""

import pytest

from ptychopinn.errors import ConfigError
from ptychopinn.launcher import announced, as_torchrun_says, timeout_s

STEP = {
    "SLURM_JOB_ID": "4711",
    "SLURM_STEP_ID": "0",
    "SLURM_NTASKS": "8",
    "SLURM_STEP_NUM_TASKS": "4",
    "SLURM_STEP_NUM_NODES": "2",
    "SLURM_PROCID": "3",
    "SLURM_LOCALID": "1",
    "SLURM_NODEID": "1",
}
MEETING = {"MASTER_ADDR": "node1", "MASTER_PORT": "2000"}


def test_one_process_when_nobody_says_otherwise():
    assert announced({}) == 1
    assert announced({"WORLD_SIZE": "3"}) == 3


def test_a_step_of_slurm_becomes_what_torchrun_says():
    assert announced({**STEP, **MEETING}) == 4
    assert as_torchrun_says({**STEP, **MEETING}) == {
        "WORLD_SIZE": "4",
        "RANK": "3",
        "LOCAL_RANK": "1",
        "LOCAL_WORLD_SIZE": "2",
        "GROUP_RANK": "1",
        **MEETING,
    }


def test_on_one_node_the_place_to_meet_is_known():
    told = as_torchrun_says({**STEP, "SLURM_STEP_NUM_NODES": "1"})
    assert told["MASTER_ADDR"] == "127.0.0.1"
    assert 1024 < int(told["MASTER_PORT"]) < 65536
    assert told["LOCAL_WORLD_SIZE"] == "4"


def test_several_nodes_must_be_told_where_to_meet():
    with pytest.raises(ConfigError, match=r"MASTER_ADDR: is not set.*scontrol"):
        as_torchrun_says(STEP)
    with pytest.raises(ConfigError, match="4 tasks on 3 nodes"):
        as_torchrun_says({**STEP, **MEETING, "SLURM_STEP_NUM_NODES": "3"})


def test_the_script_of_a_job_is_one_process():
    script = {name: value for name, value in STEP.items() if "STEP" not in name}
    assert announced({**script, "SLURM_PROCID": "0"}) == 1


def test_torchrun_inside_a_step_is_believed():
    inside = {**STEP, **MEETING, "WORLD_SIZE": "2", "RANK": "1"}
    assert announced(inside) == 2
    assert as_torchrun_says(inside) == {}


@pytest.mark.parametrize("value", ["", "two", "-1", "0"])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ConfigError, match="WORLD_SIZE: found"):
        announced({"WORLD_SIZE": value})
    with pytest.raises(ConfigError, match="PTYCHOPINN_TIMEOUT: found"):
        timeout_s({"PTYCHOPINN_TIMEOUT": value})
    with pytest.raises(ConfigError, match="SLURM_STEP_NUM_TASKS: found"):
        announced({**STEP, "SLURM_STEP_NUM_TASKS": value})


def test_the_timeout_can_be_set():
    assert timeout_s({}) == 600
    assert timeout_s({"PTYCHOPINN_TIMEOUT": "20"}) == 20
