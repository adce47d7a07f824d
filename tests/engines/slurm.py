"""A Slurm cluster of one node on this machine: munge, a controller and a node's daemon.

It needs Debian's packages slurmctld, slurmd, slurm-client and munge, and no accounting. Memory and
cores are what is said here, not what the machine has: nothing is measured on it.
"""

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.engines.servers import free_port, needed, stopped

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "srun", "scancel")
CONFIGURATION = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=2
OverTimeLimit=0
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=64000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@contextmanager
def cluster(folder: Path, cores: int = 4) -> Iterator[dict[str, str]]:
    """A running cluster with a partition `main`: what the environment needs to find it."""
    paths = needed(*PROGRAMS, modules=["snakemake_executor_plugin_slurm"])
    folder.chmod(0o755)  # munge asks that others may look up its socket
    for name in ("state", "spool"):
        (folder / name).mkdir()
    host = socket.gethostname().partition(".")[0]
    ports = {"controller": free_port(), "node": free_port()}
    slurm_conf = folder / "slurm.conf"
    slurm_conf.write_text(
        CONFIGURATION.format(host=host, user=getpass.getuser(), folder=folder, cores=cores, **ports)
    )
    # Snakemake's jobs forget SLURM_CONF before their srun.
    srun = folder / "bin/srun"
    srun.parent.mkdir()
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={slurm_conf} exec {paths["srun"]} "$@"\n')
    srun.chmod(0o755)
    folders = [srun.parent, Path(sys.executable).parent, os.environ["PATH"]]
    found = {"SLURM_CONF": str(slurm_conf), "PATH": os.pathsep.join(map(str, folders))}
    environment = os.environ | found
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    munge = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
    munge += [f"--socket={folder}/munge.socket", "--foreground", "--force"]
    commands = [
        [paths["munged"], *munge],
        [paths["slurmctld"], "-D", "-i", "-f", str(slurm_conf)],
        [paths["slurmd"], "-D", "-f", str(slurm_conf), "-N", host],
    ]
    daemons = []
    try:
        for command in commands:
            with (folder / f"{Path(command[0]).name}.out").open("w") as out:
                daemons.append(
                    subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
                )
            if command[0] == paths["munged"]:
                while not (folder / "munge.socket").exists():
                    time.sleep(0.1)
        _wait_for_the_node(environment, folder)
        yield found
    finally:
        if len(daemons) == len(commands):
            _end_all_jobs(environment)
        stopped(*reversed(daemons))


def _end_all_jobs(environment: dict[str, str]) -> None:
    """Cancel every job, and wait until their processes are gone, for a minute at most."""
    subprocess.run(["scancel", "--full", "--user", getpass.getuser()], env=environment)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        queue = ["squeue", "--noheader"]
        if not subprocess.run(queue, env=environment, capture_output=True, text=True).stdout:
            return
        time.sleep(0.5)


def _wait_for_the_node(environment: dict[str, str], folder: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        command = ["sinfo", "--noheader", "--format=%T"]
        said = subprocess.run(command, env=environment, capture_output=True, text=True).stdout
        if said.strip() == "idle":
            return
        time.sleep(0.5)
    logs = "".join(log.read_text() for log in sorted(folder.glob("slurm*.*o*")))
    raise TimeoutError(f"the node of {shutil.which('slurmd')} was not idle in 60 s:\n{logs}")
