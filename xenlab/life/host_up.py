"""HostBringUp: a lab on a Xen host that is there already: always cold, and its domUs alone."""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from xenlab.boot.bundle import render_host_root
from xenlab.errors import ConnectionLost, InputError, LabError, Unavailable, XenlabError
from xenlab.hypervisor.existing_host import ExistingHost
from xenlab.lab import Lab, attach_lab
from xenlab.life.artifacts import keep_failure
from xenlab.life.blame import blaming_kernels
from xenlab.life.boot import BOOT_BUDGET_S
from xenlab.life.connect import render_ping_argv
from xenlab.life.drivers import label_drivers, list_debug_files, load_drivers
from xenlab.life.evidence import NodeEvidence, read_evidence
from xenlab.life.host import make_directories
from xenlab.life.host_inventory import HostInventory
from xenlab.life.kernel_proof import list_build_ids
from xenlab.life.phases import Phases
from xenlab.life.removal import remove_whole_lab, render_farewell
from xenlab.life.request import UpRequest
from xenlab.plan.addresses import IPV4_SITE
from xenlab.plan.host import FIRST_NETWORK, HostPlan
from xenlab.plan.model import DOM0
from xenlab.registry.identity import ProcessIdentity
from xenlab.registry.record import LabRecord, LabState
from xenlab.together import on_all
from xenlab.topology.defaults import DOMU_OVERHEAD_MIB
from xenlab.traffic.vigil import keep_vigil
from xenlab.transport.keys import generate_keys
from xenlab.waiting import Deadline, wait_until

ORIGIN = "a host that was there"
CONNECTED = "connected"
# Root, the kernel's release, then every network device and IPv4 address there is.
LOOK = "id -u; uname -r; ls /sys/class/net; ip -o -4 addr"


@dataclass(slots=True, kw_only=True)
class HostBringUp:
    """One `up` under way; the lab's lock is held by the caller."""

    request: UpRequest
    host_plan: HostPlan
    phases: Phases
    deadline: Deadline = field(default_factory=lambda: Deadline.after(BOOT_BUDGET_S))

    def run(self) -> tuple[Lab, dict[str, NodeEvidence]]:
        """The lab, connected and pinged, and what its nodes say that they run.

        If anything fails, all that was made is removed.
        """
        record = self._new_record()
        with _removed_on_failure(record, self.phases), blaming_kernels(self.request.plan, record):
            return self._bring_up(record)

    def _new_record(self) -> LabRecord:
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
            accel="host",
            accel_reason=request.acceleration.reason,
            machine_uuid="",
            origin=ORIGIN,
            drivers_digest=request.drivers_digest,
            build_ids=list_build_ids(request.plan, request.images),
            debug_files=list_debug_files(request.plan, request.images),
            host=self.host_plan.address,
        )
        record.places.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        record.write()
        return record

    def _bring_up(self, record: LabRecord) -> tuple[Lab, dict[str, NodeEvidence]]:
        make_directories(record.places)
        lab = attach_lab(record)
        host = lab.machine
        assert isinstance(host, ExistingHost)
        with self.phases.run(f"take {host.name} in hand"):
            self._require_fit(host)
            HostInventory(lines=host.read_inventory(self.deadline)).keep(record.places.state)
            owner = f"lab {record.name} of {getpass.getuser()} at {socket.gethostname()}"
            host.claim(record.lab_id, owner, self.deadline)
        with self.phases.run("bring the images"):
            keys = generate_keys(record.places.keys)
            host.furnish(render_host_root(self.request.plan, self.request.images, keys),
                         self.deadline)  # fmt: skip
        with self.phases.run("create the domUs"):
            self._require_toolstack(lab)
            names = [domu.name for domu in self.request.plan.domus]
            lab.record = dataclasses.replace(record, domids=host.start(names, self.deadline))
            lab.record.write()
        with self.phases.run("ask the nodes what they run"), keep_vigil(lab):
            on_all(lambda node: self._await_node(lab, node), names)
            evidence = read_evidence(lab, self.deadline)
        return self._complete(lab), evidence

    def _require_fit(self, host: ExistingHost) -> None:
        """Nothing, or Unavailable with all that keeps a lab from using the host."""
        asked = host.shell(self.deadline).run_script(LOOK, deadline=self.deadline)
        user, release, *rest = asked.require_success().text.split()
        plan, kernel = self.request.plan, self.request.images.dom0_kernel.release
        problems = []
        if user != "0":
            problems.append("only root may use its toolstack")
        if release != kernel:
            problems.append(f"it runs Linux {release}, and dom0's kernel in the topology, which the"
                            f" modules are for, is {kernel}")  # fmt: skip
        problems += [
            f"it has a device {network.bridge} already: give network {network.name} another name"
            for network in plan.networks
            if network.bridge in rest
        ]
        ours = tuple(
            f"{IPV4_SITE}.{FIRST_NETWORK + number}." for number in range(len(plan.networks))
        )
        problems += [f"it has the address {word}, where the lab's would be"
                     for word in rest if word.startswith(ours) and "/" in word]  # fmt: skip
        if problems:
            raise Unavailable(f"{host.name} cannot be used: {'; '.join(problems)}")

    def _require_toolstack(self, lab: Lab) -> None:
        """Nothing, or Unavailable where our xl does not speak to that Xen, or has no room there."""
        dom0, host = lab.shell(DOM0, self.deadline), self.host_plan.address
        told = dom0.run(["xl", "info"], deadline=self.deadline)
        facts = dict(line.split(":", 1) for line in told.text.splitlines() if ":" in line)
        free = {key.strip(): value.strip() for key, value in facts.items()}.get("free_memory")
        if told.status != 0 or free is None:
            said = told.stderr.decode(errors="replace").strip()[-200:]
            raise Unavailable(
                f"the toolstack of {lab.plan.xen.suite} does not go with Xen on {host}: {said};"
                " name the suite with that Xen: `xen: {suite: ...}`"
            )
        needed_mib = sum(domu.memory_mib + DOMU_OVERHEAD_MIB for domu in lab.plan.domus)
        if int(free) < needed_mib:
            raise Unavailable(f"Xen on {host} has {free} MiB free, the domUs need {needed_mib}")
        listed = dom0.run(["xl", "list"], deadline=self.deadline).require_success().text
        there = {line.split()[0] for line in listed.splitlines()[1:]}
        taken = sorted(there & {domu.name for domu in lab.plan.domus})
        if taken:
            raise Unavailable(f"{host} has domains called {', '.join(taken)} already")

    def _await_node(self, lab: Lab, node: str) -> None:
        """Return when a domU answers over its vchan."""
        seen = ["nothing"]

        def connect() -> bool:
            try:
                return bool(lab.shell(node, self.deadline))
            except ConnectionLost as error:
                seen[0] = error.what
                return False

        wait_until(connect, f"{node} to answer", self.deadline, last_seen=lambda: seen[0])

    def _complete(self, lab: Lab) -> Lab:
        """From domUs that answer to vifs that are connected and pinged."""
        drivers = self.request.drivers
        lab.record = dataclasses.replace(
            lab.record, drivers=label_drivers(drivers),
            debug_files=list_debug_files(self.request.plan, self.request.images, drivers),
        )  # fmt: skip
        lab.record.write()
        with keep_vigil(lab):
            load_drivers(lab, drivers, self.phases, self.deadline, connected=False)
        with self.phases.run("ping"):
            on_all(lambda node: self._ping(lab, node), [domu.name for domu in lab.plan.domus])
        lab.record = dataclasses.replace(lab.record, level=CONNECTED, state=LabState.UP)
        lab.record.write()
        return lab

    def _ping(self, lab: Lab, node: str) -> None:
        for link in lab.plan.links():
            if link.source == node:
                argv = render_ping_argv(link)
                lab.shell(node).run(argv, deadline=self.deadline).require_success()


@contextlib.contextmanager
def _removed_on_failure(record: LabRecord, phases: Phases) -> Iterator[None]:
    """What failed is told first; what is left on the host then, beside it."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            phases.watcher.detail(render_farewell(record.name))
        if not isinstance(error, InputError | Unavailable):
            keep_failure(record, error)
        try:
            remove_whole_lab(record)
        except (LabError, Unavailable) as second:
            phases.watcher.warn(second.what)
            if isinstance(error, XenlabError):
                error.try_next = error.try_next or second.try_next
        raise
