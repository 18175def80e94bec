"""Saving a running lab as a checkpoint, and laying a checkpoint's files out for a new lab."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from xenlab.cache.disk import find_lack_of_room
from xenlab.checkpoint.key import Level
from xenlab.checkpoint.store import Checkpoint, CheckpointFacts, CheckpointStore
from xenlab.hypervisor.console import ConsoleLog
from xenlab.hypervisor.daemon_user import DaemonUser
from xenlab.lab import Lab
from xenlab.life.machines import save_machines
from xenlab.life.phases import Phases
from xenlab.life.standby import zero_free_memory
from xenlab.plan.model import LabPlan
from xenlab.registry.places import LabPlaces
from xenlab.registry.record import list_living_labs
from xenlab.verdict.console import scan_console
from xenlab.verdict.fault_table import Category
from xenlab.waiting import Deadline

# What kernels tell of when a busy host did not let them run. A warning that a kernel gives in every
# boot keeps nothing from being saved: it would be there in the next one too.
STALLS = frozenset(
    {Category.SOFT_LOCKUP, Category.HARD_LOCKUP, Category.RCU_STALL, Category.HUNG_TASK}
)


def checkpoint_store(places: LabPlaces) -> CheckpointStore:
    """The store of this cache."""
    return CheckpointStore(root=places.cache / "checkpoints")


def find_lack(lab: Lab) -> str:
    """What keeps a checkpoint of the lab from being saved: too little room; empty if nothing."""
    store = checkpoint_store(lab.places)
    store.root.mkdir(mode=0o711, parents=True, exist_ok=True)
    outside_mib = lab.plan.uplink.peer.memory_mib if lab.plan.uplink else 0
    return find_lack_of_room(store.root, lab.plan.machine.memory_mib + outside_mib << 20)


def find_stall(plan: LabPlan, places: LabPlaces) -> str:
    """The stall that a console tells of, and would tell of in every lab from it; empty if none."""
    for node in plan.node_names:
        for fault in scan_console(node, ConsoleLog(path=places.console_log(node)).read()):
            if fault.category in STALLS:
                return f"its consoles would tell every lab of a {fault}"
    return ""


def find_prunable_checkpoints(store: CheckpointStore, limit_bytes: int) -> tuple[Path, ...]:
    """Those to go for the limit; none of a lab that lives, or that is coming up just now."""
    machines = frozenset(record.machine_uuid for record in list_living_labs())
    return store.find_prunable(limit_bytes, machines)


def prune_checkpoints(places: LabPlaces, limit_bytes: int) -> None:
    """Hold the checkpoints to their limit."""
    store = checkpoint_store(places)
    for directory in find_prunable_checkpoints(store, limit_bytes):
        store.discard(directory)


def save_if_new(lab: Lab, key: str, level: Level, phases: Phases, deadline: Deadline) -> None:
    """Save the lab as it stands unless that is there already.

    Where there is no room, or something stalled, it says so instead.
    """
    if checkpoint_store(lab.places).find(key) is not None:
        return
    stall = find_stall(lab.plan, lab.places)
    if stall:
        phases.watcher.warn(f"no {level} checkpoint: {stall}")
        return
    lack = find_lack(lab)
    if lack:
        phases.watcher.warn(f"no {level} checkpoint: {lack}; try: xenlab gc")
        return
    with phases.run(f"save the {level} checkpoint"):
        zero_free_memory(lab, deadline)
        save_checkpoint(lab, key, level)


def save_checkpoint(lab: Lab, key: str, level: Level) -> None:
    """Save the lab as it stands; it runs on. Closes the control connections first.

    A connection that is open while the memory is written would be saved half: its end in dom0 would
    hold the vchan of a restored domU for ever.
    """
    lab.disconnect()
    store = checkpoint_store(lab.places)
    with store.new(key) as part:
        DaemonUser.choose().own(part)
        save_machines(lab, part / "memory")
        _copy_folder(lab.places.keys, part / "keys")
        logs = part / "logs"
        logs.mkdir()
        for node in lab.plan.node_names:
            shutil.copyfile(lab.places.console_log(node), logs / f"{node}.console.log")
        facts = CheckpointFacts(
            level=level,
            topology=lab.plan.topology_name,
            machine_uuid=lab.record.machine_uuid,
            machine_name=lab.machine.name,
            domids=lab.record.domids,
            created_unix_s=time.time(),
        )
        store.publish(part, key, facts)


def lay_out_checkpoint(checkpoint: Checkpoint, places: LabPlaces) -> None:
    """Give a new lab the saved one's keys and the consoles' text so far."""
    _copy_folder(checkpoint.directory / "keys", places.keys)
    user = DaemonUser.choose()
    for source in (checkpoint.directory / "logs").iterdir():
        target = places.logs / source.name
        shutil.copyfile(source, target)
        user.own(target)


def memory_path(checkpoint: Checkpoint, places: LabPlaces) -> str:
    """The saved memory as the lab's daemon sees it."""
    memories = checkpoint.directory.glob(f"{checkpoint.memory.name}*")
    DaemonUser.choose().own(checkpoint.directory, *memories)
    return places.inside(Path(checkpoint.memory))


def _copy_folder(source: Path, target: Path) -> None:
    """Copy the files of a folder; unlike copytree's, the error of a full disk is that error."""
    target.mkdir(mode=0o700)
    for path in source.iterdir():
        shutil.copy(path, target)
