"""UpRequest: what `up` was asked for, after every choice is made."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xenlab.boot.overlay import render_dom0_files, render_domu_files, render_outside_files
from xenlab.checkpoint.key import Ingredients, Level
from xenlab.checkpoint.limit import DEFAULT_LIMIT_BYTES
from xenlab.checkpoint.store import CheckpointStore
from xenlab.hypervisor.acceleration import Acceleration
from xenlab.hypervisor.domain_xml import render_domain_xml
from xenlab.hypervisor.machine_xml import MachineIdentity
from xenlab.hypervisor.peer_xml import render_peer_xml
from xenlab.images.lab_images import LabImages
from xenlab.kernel.driver import Driver
from xenlab.life.later import Later
from xenlab.plan.model import Iommu, LabPlan
from xenlab.registry.places import LabPlaces, cache_dir
from xenlab.transport.process import which

EMULATOR = "qemu-system-x86_64"
MACHINE_UUIDS = uuid.UUID("6f0b8a52-3c1e-5d0b-9a57-6b1e6c6f78a1")  # name space of our machines
NOWHERE = LabPlaces(name="lab", state=Path("/lab"), run=Path("/run"), cache=Path("/cache"))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpRequest:
    """The lab to bring up, and from where.

    `cold` neither uses nor makes checkpoints; `start_from` is the furthest level to start from, and
    to save; after one is saved, older ones go until all are within `checkpoint_limit_bytes`.
    `drivers` are those of all nodes if any is not the stock one, and none otherwise; they may be
    under way still. Their digest is that of the choice.
    """

    name: str
    plan: LabPlan
    acceleration: Acceleration
    images: LabImages
    transient: bool = False
    cold: bool = False
    start_from: Level = Level.CONNECTED
    connect_uri: str = ""
    checkpoint_limit_bytes: int = DEFAULT_LIMIT_BYTES
    drivers: Mapping[str, Driver] = field(default_factory=dict)
    drivers_digest: str = ""

    def choose_machine_uuid(self, ingredients: Ingredients) -> uuid.UUID:
        """That of every lab with such a checkpoint; one of its own beside others in a libvirtd."""
        if self.connect_uri:
            return uuid.uuid4()
        return uuid.uuid5(MACHINE_UUIDS, ingredients.digest(Level.BARE))

    def may_save(self, level: Level) -> bool:
        """Whether a lab that came to this level may be saved as a checkpoint.

        QEMU cannot: `non-migratable device: amd-iommu` (hw/i386/amd_iommu.c, vmstate_amdvi_sysbus).
        """
        wanted = level is Level.BARE or self.start_from is Level.CONNECTED
        savable = self.plan.machine.iommu is not Iommu.AMD
        return wanted and savable and not self.cold and not self.connect_uri

    @property
    def ingredients(self) -> Ingredients:
        """What goes into its checkpoints."""
        plan = self.plan
        texts = {**render_dom0_files(plan), **render_domu_files(plan)}
        texts |= {f"peer/{name}": text for name, text in render_outside_files(plan).items()}
        nobody = MachineIdentity(domain_name="machine", uuid="", lab_id="")
        accel = self.acceleration.accel
        xml = render_domain_xml(plan, NOWHERE, nobody, accel)
        if plan.uplink:
            xml += render_peer_xml(plan, plan.uplink, NOWHERE, nobody, accel)
        return Ingredients(
            plan=plan,
            images_digest=self.images.digest,
            boot_texts=texts,
            machine_xml=xml,
            accel=accel,
            emulator=Path(which(EMULATOR)),
            drivers=Later(lambda node: self.drivers[node].digest, tuple(self.drivers)),
        )


def find_checkpoint(request: UpRequest) -> Path | None:
    """The directory of the request's connected checkpoint, if it is there and may be used."""
    if request.cold or request.connect_uri:
        return None
    store = CheckpointStore(root=cache_dir() / "checkpoints")
    found = store.find(request.ingredients.digest(Level.CONNECTED))
    return found.directory if found else None
