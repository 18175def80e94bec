"""`xenlab status` at work: every lab as its record tells it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xenlab.cli.output import spell
from xenlab.errors import LabError
from xenlab.registry.places import state_dir
from xenlab.registry.record import LabRecord, list_lab_names, read_record
from xenlab.report.columns import render_columns

HEAD = ("LAB", "TOPOLOGY", "STATE", "LEVEL", "ACCELERATOR", "UPTIME", "NODES")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One lab; `record` is None for one whose record cannot be read."""

    name: str
    state: str
    record: LabRecord | None
    nodes: tuple[str, ...] = ()

    @property
    def uptime_s(self) -> float:
        """Seconds since it was begun."""
        return time.time() - self.record.created_unix_s if self.record else 0.0

    @property
    def row(self) -> tuple[str, ...]:
        """Its line in the table."""
        record = self.record
        if record is None:
            return (self.name, "?", self.state, "", "", "", "")
        alive = _render_duration(self.uptime_s) if record.alive else ""
        level = record.level or "-"
        nodes = ", ".join(self.nodes)
        return (self.name, record.topology, self.state, level, record.accel, alive, nodes)

    def as_json(self) -> dict[str, object]:
        """Its entry in the JSON document."""
        record = self.record
        if record is None:
            return {"lab": self.name, "state": self.state}
        domids = dict(record.domids)
        return {
            "lab": self.name,
            "topology": record.topology,
            "state": self.state,
            "level": record.level,
            "origin": record.origin,
            "accelerator": record.accel,
            "accelerator_reason": record.accel_reason,
            "transient": record.transient,
            "created_unix_s": record.created_unix_s,
            "uptime_s": round(self.uptime_s, 1),
            "creator_pid": record.creator.pid,
            "sandbox_pid": record.sandbox.pid if record.sandbox else None,
            "connect_uri": record.connect_uri or None,
            "logs": str(record.places.logs),
            "nodes": [{"name": name, "domid": domids.get(name, 0)} for name in self.nodes],
        }


def read_standing(*, full: bool) -> tuple[Standing, ...]:
    """Every lab; `full` asks libvirt for the state of each machine, which takes longer."""
    return tuple(_read(name, full=full) for name in list_lab_names())


def render_standing(labs: Sequence[Standing]) -> Iterator[str]:
    """The table, and below it what to do about labs that are not well."""
    yield from render_columns(HEAD, (lab.row for lab in labs))
    for lab in labs:
        if lab.state in {"died", "damaged"}:
            yield f"lab {lab.name} {lab.state}: its logs are in {state_dir() / 'labs' / lab.name};"
            yield f"  the next `up` sweeps it, and so does: {spell('xenlab gc')}"


def _read(name: str, *, full: bool) -> Standing:
    try:
        record = read_record(name)
    except LabError:
        record = None
    if record is None:
        return Standing(name=name, state="damaged", record=None)
    # The whole plan would take longer to read than all the rest of this command.
    plan = json.loads(record.plan_json)["plan"]
    outside = [plan["uplink"]["peer"]] if "uplink" in plan else []
    nodes = ("dom0", *(each["name"] for each in (*plan["domus"], *outside)))
    return Standing(name=name, state=_state(record, full=full), record=record, nodes=nodes)


def _state(record: LabRecord, *, full: bool) -> str:
    if not record.alive:
        return "died"
    if not full:
        return record.state.value
    from xenlab.lab import attach_lab

    try:
        lab = attach_lab(record)
    except LabError as error:
        return f"{record.state.value} ({error})"
    try:
        return f"{record.state.value} ({lab.machine.state()})"
    finally:
        lab.close()


def _render_duration(seconds: float) -> str:
    minutes, rest_s = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours}:{minutes:02}:{rest_s:02}"
