"""LabRecord: what is known of one lab, on disk before anything of it exists."""

from __future__ import annotations

import dataclasses
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from xenlab.errors import LabError
from xenlab.registry.identity import ProcessIdentity
from xenlab.registry.places import LabPlaces, require_lab_name, state_dir

SCHEMA_VERSION = 1
EMULATED = "tcg"  # of `accel`, xenlab.topology.model.Accel


class LabState(StrEnum):
    """How far a lab has come."""

    STARTING = "starting"
    UP = "up"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabRecord:
    """One lab: its names, its plan as JSON text, and the processes that own it.

    `creator` is the xenlab process that brings it up (and, with `transient`, must outlive it);
    `sandbox` is the first process of its sandbox once there is one. `drivers` names each node's
    driver under test, and is empty where all are stock. `debug_files` are a node, a module of it
    and the file with that module's debug info. `build_ids` are each node and the build id of the
    kernel that it was told to boot. `host` is the Xen host that it uses in place of a machine: what
    it has there outlives every process here.
    """

    name: str
    lab_id: str
    state: LabState
    transient: bool
    creator: ProcessIdentity
    created_unix_s: float
    topology: str
    plan_json: str
    accel: str
    accel_reason: str
    machine_uuid: str
    level: str = ""
    origin: str = ""
    sandbox: ProcessIdentity | None = None
    domids: tuple[tuple[str, int], ...] = ()
    connect_uri: str = ""
    drivers: tuple[tuple[str, str], ...] = ()
    drivers_digest: str = ""
    debug_files: tuple[tuple[str, str, str], ...] = ()
    host: str = ""
    build_ids: tuple[tuple[str, str], ...] = ()

    def debug_files_of(self, node: str) -> dict[str, Path]:
        """The files with debug info for what a node runs, by module."""
        return {module: Path(path) for owner, module, path in self.debug_files if owner == node}

    @property
    def on_emulated_cpu(self) -> bool:
        """Whether QEMU emulates the CPU that Xen runs on."""
        return self.accel == EMULATED

    @property
    def places(self) -> LabPlaces:
        """The lab's directories."""
        return LabPlaces.of(self.name, lab_id=self.lab_id)

    @property
    def alive(self) -> bool:
        """Whether the lab can be used or is being brought up by a living process."""
        if self.state is LabState.STARTING or self.transient:
            return self.creator.alive
        elsewhere = self.connect_uri or self.host
        return bool(elsewhere) or (self.sandbox is not None and self.sandbox.alive)

    def write(self) -> None:
        """Put the record on disk, durable before the next step is taken."""
        path = self.places.state / "record.json"
        part = path.with_suffix(".part")
        content = {"schema_version": SCHEMA_VERSION, **dataclasses.asdict(self)}
        with part.open("w") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)


def read_record(name: str) -> LabRecord | None:
    """The record of a lab by name; None if there is no such lab. LabError if it is damaged."""
    path = state_dir() / "labs" / require_lab_name(name) / "record.json"
    try:
        return _parse_record(json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LabError(
            f"{path}: not a lab record: {error}", try_next=f"xenlab down {name}"
        ) from error


def list_lab_names() -> tuple[str, ...]:
    """The names of all labs with a directory, whatever their state."""
    root = state_dir() / "labs"
    if not root.is_dir():
        return ()
    return tuple(sorted(path.name for path in root.iterdir() if path.is_dir()))


def list_living_labs() -> tuple[LabRecord, ...]:
    """The records of the labs that are up or being brought up; damaged ones are of none."""
    found = []
    for name in list_lab_names():
        with suppress(LabError):
            record = read_record(name)
            if record is not None and record.alive:
                found.append(record)
    return tuple(found)


def _parse_record(content: dict[str, Any]) -> LabRecord:
    if content.pop("schema_version") != SCHEMA_VERSION:
        raise ValueError("written by another version of xenlab")
    sandbox = content.pop("sandbox")
    return LabRecord(
        **{
            **content,
            "state": LabState(content["state"]),
            "creator": ProcessIdentity(**content["creator"]),
            "sandbox": ProcessIdentity(**sandbox) if sandbox else None,
            "domids": tuple((name, int(domid)) for name, domid in content["domids"]),
            "debug_files": tuple(
                (node, str(module), str(path))
                for node, module, path in content.get("debug_files", ())
            ),
            "drivers": tuple((node, str(name)) for node, name in content.get("drivers", ())),
            "build_ids": tuple((node, str(one)) for node, one in content.get("build_ids", ())),
        }
    )
