"""Bringing a lab up: from a checkpoint where one fits, cold where none does."""

from __future__ import annotations

import contextlib
import dataclasses
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from xenlab.boot.bundle import write_bundle, write_restored
from xenlab.checkpoint.key import Ingredients, Level
from xenlab.checkpoint.store import Checkpoint, CheckpointStore
from xenlab.errors import InputError, LabError, StaleCode
from xenlab.hypervisor.machine import Machine
from xenlab.images.lab_images import LabImages
from xenlab.lab import Lab
from xenlab.life import standby
from xenlab.life.artifacts import keep_failure
from xenlab.life.blame import PING, blaming_drivers, blaming_kernels
from xenlab.life.boot import BOOT_BUDGET_S, BootWatch
from xenlab.life.drivers import label_drivers, list_debug_files, load_drivers
from xenlab.life.evidence import NodeEvidence
from xenlab.life.host import Host, make_directories, start_host
from xenlab.life.kernel_proof import list_build_ids
from xenlab.life.machines import Machines
from xenlab.life.phases import Phases
from xenlab.life.removal import remove_whole_lab, render_farewell
from xenlab.life.request import UpRequest
from xenlab.life.saving import (
    checkpoint_store,
    lay_out_checkpoint,
    memory_path,
    prune_checkpoints,
    save_if_new,
)
from xenlab.plan.model import DOM0, Accel
from xenlab.registry.identity import ProcessIdentity
from xenlab.registry.record import LabRecord, LabState
from xenlab.together import on_all
from xenlab.traffic.vigil import keep_vigil
from xenlab.transport.keys import generate_keys
from xenlab.waiting import Deadline

COLD_BOOT = "cold boot"


@dataclass(slots=True, kw_only=True)
class BringUp:
    """One `up` under way; the lab's lock is held by the caller."""

    request: UpRequest
    phases: Phases
    deadline: Deadline = field(default_factory=lambda: Deadline.after(BOOT_BUDGET_S))
    _evidence: dict[str, NodeEvidence] = field(default_factory=dict)

    def run(self) -> tuple[Lab, dict[str, NodeEvidence]]:
        """The lab, connected and pinged, and what its nodes say that they run.

        If anything fails, all that was made is removed.
        """
        request = self.request
        images, ingredients = request.images, request.ingredients
        record = self._new_record(ingredients)
        with _removed_on_failure(record, self.phases), blaming_kernels(request.plan, record):
            lab = self._restore_best(record, ingredients, images)
            lab = lab or self._boot_soundly(record, images)
            return self._complete(lab, ingredients), self._evidence

    def _new_record(self, ingredients: Ingredients) -> LabRecord:
        request = self.request
        record = LabRecord(
            name=request.name,
            lab_id=uuid.uuid4().hex,
            state=LabState.STARTING,
            transient=request.transient,
            creator=ProcessIdentity.own(),
            created_unix_s=time.time(),
            topology=request.plan.topology_name,
            plan_json=request.plan.to_json(),
            accel=request.acceleration.accel.value,
            accel_reason=request.acceleration.reason,
            machine_uuid=str(request.choose_machine_uuid(ingredients)),
            connect_uri=request.connect_uri,
            drivers_digest=request.drivers_digest,
            build_ids=list_build_ids(request.plan, request.images),
            debug_files=list_debug_files(request.plan, request.images),
        )
        record.places.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        record.write()
        return record

    def _restore_best(
        self, record: LabRecord, ingredients: Ingredients, images: LabImages
    ) -> Lab | None:
        """The lab from the furthest checkpoint that is whole; the damaged ones are put aside."""
        store = checkpoint_store(record.places)
        for checkpoint in self._candidates(store, ingredients):
            try:
                with self.phases.run(f"restore the {checkpoint.facts.level} checkpoint"):
                    lab = self._restore(record, checkpoint, images)
                return self._wake(lab)
            except LabError as error:
                self.phases.watcher.warn(f"checkpoint thrown away: {error}")
                store.quarantine(checkpoint)
                self._stop_host(record)
        return None

    def _candidates(self, store: CheckpointStore, ingredients: Ingredients) -> Iterator[Checkpoint]:
        if self.request.cold or self.request.connect_uri:
            return
        levels = [Level.CONNECTED, Level.BARE]
        for level in levels[levels.index(self.request.start_from) :]:
            found = store.find(ingredients.digest(level))
            if found is not None:
                yield found

    def _restore(self, record: LabRecord, checkpoint: Checkpoint, images: LabImages) -> Lab:
        places = record.places
        make_directories(places)
        with ThreadPoolExecutor(max_workers=1) as pool:
            checking = pool.submit(checkpoint.verify)
            lay_out_checkpoint(checkpoint, places)
            write_restored(self.request.plan, images, places.boot)
            path = memory_path(checkpoint, places)
            host = self._start_host(record)
            record = dataclasses.replace(
                host.record, machine_uuid=checkpoint.facts.machine_uuid,
                domids=checkpoint.facts.domids, level=checkpoint.facts.level.value,
                origin=f"{checkpoint.facts.level} checkpoint",
            )  # fmt: skip
            self._machines(record, checkpoint.facts.machine_name).restore(host.connection, path)
            checking.result()  # nobody has spoken to the machine yet
        return self._take(Host(record=record, connection=host.connection))

    def _boot_soundly(self, record: LabRecord, images: LabImages) -> Lab:
        """The lab from power-on; once more where nothing was at fault but the emulator."""
        try:
            return self._boot(record, images)
        except StaleCode as error:
            self.phases.watcher.warn(f"booted anew: {error}")
            keep_failure(record, error)
            self._stop_host(record)
            self.deadline = Deadline.after(BOOT_BUDGET_S)
            return self._boot(record, images)

    def _boot(self, record: LabRecord, images: LabImages) -> Lab:
        """The lab from power-on, bare."""
        places = record.places
        make_directories(places)
        with self.phases.run("start libvirtd and the machine"):
            keys = generate_keys(places.keys)
            write_bundle(self.request.plan, images, keys, places.boot)
            host = self._start_host(record)
            record = dataclasses.replace(host.record, level=Level.BARE.value, origin=COLD_BOOT)
            self._machines(record, f"xenlab-{record.name}").start(host.connection)
        lab = self._take(Host(record=record, connection=host.connection))
        watch = BootWatch(lab=lab, phases=self.phases, deadline=self.deadline)
        self.deadline = watch.wait_for_all()
        with self.phases.run("ask the nodes what they run"):
            domids = standby.read_domids(lab, self.deadline)
            lab.record = dataclasses.replace(lab.record, domids=domids)
            self._evidence = standby.read_evidence(lab, self.deadline)
        return lab

    def _wake(self, lab: Lab) -> Lab:
        """A restored lab, its nodes answering with the right time; pinged if it is connected."""
        with self.phases.run("wake the nodes"):
            standby.awaken_nodes(lab, self.deadline)
            self._evidence = standby.read_evidence(lab, self.deadline)
        if lab.record.level == Level.CONNECTED:
            with self.phases.run(PING):
                standby.ping_peers(lab, self.deadline)
        return lab

    def _complete(self, lab: Lab, ingredients: Ingredients) -> Lab:
        """From whatever level the lab has to connected and pinged; saved where that is new."""
        if lab.record.origin == COLD_BOOT:
            self._save(lab, ingredients, Level.BARE)
        bare = lab.record.level == Level.BARE
        drivers = self.request.drivers
        if drivers and bare:
            with self.phases.run("greet the nodes"):  # while the drivers are built
                lab.shell(DOM0, self.deadline)
                on_all(partial(lab.shell, deadline=self.deadline), lab.plan.domain_names)
        lab.record = dataclasses.replace(
            lab.record, drivers=label_drivers(drivers),
            debug_files=list_debug_files(self.request.plan, self.request.images, drivers),
        )  # fmt: skip
        if drivers:
            lab.record.write()  # whoever tells of a crash of theirs reads it
        with keep_vigil(lab):
            load_drivers(lab, drivers, self.phases, self.deadline, connected=not bare)
        if bare:
            lab.record = dataclasses.replace(lab.record, level=Level.CONNECTED.value)
            with self.phases.run(PING), blaming_drivers(lab, self.request.drivers, PING):
                standby.ping_peers(lab, self.deadline)
            self._save(lab, ingredients, Level.CONNECTED)
        lab.record = dataclasses.replace(lab.record, state=LabState.UP)
        lab.record.write()
        return lab

    def _save(self, lab: Lab, ingredients: Ingredients, level: Level) -> None:
        if self.request.may_save(level):
            key = ingredients.digest(level)
            save_if_new(lab, key, level, self.phases, self.deadline)
            prune_checkpoints(lab.places, self.request.checkpoint_limit_bytes)

    def _start_host(self, record: LabRecord) -> Host:
        kvm = self.request.acceleration.accel is Accel.KVM
        return start_host(record, kvm=kvm, deadline=self.deadline)

    @staticmethod
    def _stop_host(record: LabRecord) -> None:
        """End what a failed restore left running; directories are made anew by the next try."""
        remove_whole_lab(record)
        record.places.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        record.write()

    def _machines(self, record: LabRecord, name: str) -> Machines:
        accel = self.request.acceleration.accel
        return Machines(plan=self.request.plan, record=record, accel=accel, name=name)

    def _take(self, host: Host) -> Lab:
        """The lab of a host whose machine runs."""
        host.record.write()
        return Lab(
            record=host.record,
            plan=self.request.plan,
            places=host.record.places,
            connection=host.connection,
            machine=Machine.find(host.connection, host.record.machine_uuid),
        )


@contextlib.contextmanager
def _removed_on_failure(record: LabRecord, phases: Phases) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            phases.watcher.detail(render_farewell(record.name))
        if not isinstance(error, InputError):  # a patch that does not compile is no lab's failure
            keep_failure(record, error)
        remove_whole_lab(record)
        raise
