"""The key of a checkpoint: a digest over everything that decides what would be in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from xenlab.plan.model import Accel, LabPlan

# Goes up when xenlab itself changes what a saved lab holds.
FORMAT_VERSION = 1


class Level(StrEnum):
    """How far a lab had come when it was saved."""

    BARE = "bare"
    CONNECTED = "connected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredients:
    """All that goes into a saved lab, but for its keys, which are made for it.

    `boot_texts` are the files of the plan in the initrds, `machine_xml` the machine as libvirt
    would get it for a lab of no name: both hold the words that xenlab adds to command lines.
    `drivers` are the digests of what nodes load in place of the stock drivers; a bare lab has
    loaded none yet.
    """

    plan: LabPlan
    images_digest: str
    boot_texts: Mapping[str, str]
    machine_xml: str
    accel: Accel
    emulator: Path
    drivers: Mapping[str, str] = field(default_factory=dict)

    def digest(self, level: Level) -> str:
        """SHA-256 in hexadecimal digits; differs for the two levels."""
        content: dict[str, object] = {
            "format": FORMAT_VERSION,
            "plan": self.plan.content_digest(),
            "images": self.images_digest,
            "boot": dict(self.boot_texts),
            "machine": self.machine_xml,
            "accel": self.accel.value,
            "emulator": _describe_program(self.emulator),
            "host_cpu": _read_cpu_model(),
            "level": level.value,
        }
        if level is Level.CONNECTED and any(self.drivers.values()):
            content["drivers"] = dict(self.drivers)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _describe_program(path: Path) -> list[str | int]:
    """A package upgrade changes size or date; asking QEMU for its version takes longer."""
    status = path.resolve().stat()
    return [str(path), status.st_size, status.st_mtime_ns]


def _read_cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"
