"""`xenlab up --dry-run` at work: what would be done, and the same machine for QEMU by hand."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from xenlab.boot.bundle import write_bundle
from xenlab.cli.output import STDOUT, echo_lines, render_document, write_text
from xenlab.errors import InputError
from xenlab.hypervisor.domain_xml import render_domain_xml
from xenlab.hypervisor.machine_xml import MachineIdentity
from xenlab.hypervisor.qemu_argv import console_file, render_qemu_argv
from xenlab.images.lab_images import provide_images
from xenlab.kernel.driver import STOCK
from xenlab.kernel.packaged import PackagedKernel
from xenlab.kernel.workshop import open_workshop
from xenlab.life.boot import READY
from xenlab.life.by_hand import render_steps, take_free_port
from xenlab.life.order import IMAGES_BUDGET_S, Undertaking, UpOrder
from xenlab.life.phases import Phases
from xenlab.life.summary import PLAIN
from xenlab.plan.codec import encode
from xenlab.plan.command_lines import (
    render_dom0_command_line,
    render_domu_command_line,
    render_peer_command_line,
    render_xen_command_line,
)
from xenlab.plan.model import DOM0, UPLINK, Accel, LabPlan
from xenlab.registry.places import PLAIN_PATH, LabPlaces, cache_dir
from xenlab.report.columns import render_columns
from xenlab.report.progress import open_progress
from xenlab.transport.keys import generate_keys
from xenlab.waiting import Deadline

HEAD = ("NODE", "KIND", "KERNEL", "DRIVER", "VCPUS", "MEMORY", "VIFS")

# A lab that is not made has no id, and no number of its own for libvirt.
NOBODY = MachineIdentity(
    domain_name="", uuid="00000000-0000-0000-0000-000000000000", lab_id="0" * 8
)


def rehearse(order: UpOrder, bundle: str | None, json_path: str | None) -> int:
    """Show the plan and change nothing; with a bundle folder, write there what would be booted.

    InputError for all that `xenlab up` would refuse before it begins, the user's files too.
    """
    with contextlib.closing(open_progress(sys.stderr)) as progress:
        undertaking = Undertaking(order=order, phases=Phases(watcher=progress))
    plan, lab = undertaking.plan, undertaking.lab_name
    chosen = {node: choice.name for node, choice in undertaking.drivers.items()}
    if chosen and bundle is not None:
        raise InputError("--bundle holds what is booted: drivers under test are loaded afterwards")
    if plan.host is not None and bundle is not None:
        raise InputError(f"--bundle holds what is booted: {plan.host.address} runs already")
    if not plan.xen.boot and bundle is not None:
        raise InputError(
            "--bundle holds a machine alone: without Xen and the peer it sends nothing"
        )
    rehearsal = Rehearsal(plan=plan, lab=lab, drivers=chosen)
    document = rehearsal.document()
    if bundle is not None:
        document |= _write_bundle(plan, Path(bundle).absolute(), order)
    write_text(render_document(document), json_path)
    if json_path != STDOUT:
        echo_lines(rehearsal.render())
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A lab as it would be."""

    plan: LabPlan
    lab: str
    drivers: Mapping[str, str]

    @property
    def accel(self) -> Accel:
        """Emulation where it is not decided yet: KVM has to be proved first."""
        return Accel.KVM if self.plan.machine.accel is Accel.KVM else Accel.TCG

    @property
    def places(self) -> LabPlaces:
        """Where the lab would be."""
        return LabPlaces.of(self.lab, lab_id=NOBODY.lab_id)

    @property
    def argv(self) -> list[str]:
        """QEMU's, for the lab's own boot folder."""
        return render_qemu_argv(self.plan, self.places.boot, self.accel, 0)

    def command_lines(self) -> dict[str, str]:
        """Of Xen if it is booted, dom0, each domU and the outside peer."""
        outside = {each.peer.name: render_peer_command_line() for each in self.plan.uplinks}
        xen = {"xen": render_xen_command_line(self.plan)} if self.plan.xen.boot else {}
        return {
            **xen,
            DOM0: render_dom0_command_line(self.plan),
            **{domu.name: render_domu_command_line(domu) for domu in self.plan.domus},
            **outside,
        }

    def document(self) -> dict[str, object]:
        """Everything, for programs; what a machine would be made of only where there is one."""
        if self.plan.host is not None:
            return {
                "lab": self.lab,
                "drivers": {node: self._driver(node) for node in self.plan.domain_names},
                "plan": encode(self.plan),
            }
        identity = MachineIdentity(
            domain_name=f"xenlab-{self.lab}", uuid=NOBODY.uuid, lab_id=NOBODY.lab_id
        )
        return {
            "lab": self.lab,
            "accelerator": self.plan.machine.accel.value,
            "drivers": {node: self._driver(node) for node in self.plan.domain_names},
            "plan": encode(self.plan),
            "command_lines": self.command_lines(),
            "xml": render_domain_xml(self.plan, self.places, identity, self.accel),
            "argv": self.argv,
        }

    def render(self) -> Iterator[str]:
        """The plan for a person."""
        plan = self.plan
        yield f"lab {self.lab} (topology {plan.topology_name}) would be:"
        yield ""
        kernels = {kernel.name: kernel.origin.label for kernel in plan.kernels}
        dom0, kind = plan.dom0, DOM0 if plan.xen.boot else PLAIN
        rows = [
            (
                DOM0, kind, kernels[dom0.kernel], self._driver(DOM0), str(dom0.vcpus),
                f"{dom0.memory_mib} MiB", "",
            )
        ]  # fmt: skip
        rows += [
            (
                domu.name, domu.kind.value, kernels[domu.kernel], self._driver(domu.name),
                str(domu.vcpus), f"{domu.memory_mib} MiB",
                ", ".join(f"{vif.device} on {vif.network} {vif.address4}" for vif in domu.vifs),
            )
            for domu in plan.domus
        ]  # fmt: skip
        rows += [
            (
                each.peer.name, "outside", kernels[dom0.kernel], "-", str(each.peer.vcpus),
                f"{each.peer.memory_mib} MiB",
                f"{UPLINK} to the {each.model} on {each.network} {each.peer.address4}",
            )
            for each in plan.uplinks
        ]  # fmt: skip
        yield from render_columns(HEAD, rows)
        yield ""
        if plan.host is not None:
            yield f"Xen of {plan.xen.suite}, as it runs on {plan.host.address}"
            return
        xen = f"Xen of {plan.xen.suite}" if plan.xen.boot else "no Xen"
        yield f"{xen}, accelerator {plan.machine.accel}"
        yield from (f"{node}: {line}" for node, line in self.command_lines().items())
        yield ""
        yield shlex.join(self.argv)

    def _driver(self, node: str) -> str:
        """The name of a node's driver."""
        return self.drivers.get(node, STOCK)


def _write_bundle(plan: LabPlan, folder: Path, order: UpOrder) -> dict[str, object]:
    """Write Xen, kernel, initrd and keys; how to start them, and what makes them a whole lab."""
    if not PLAIN_PATH.fullmatch(str(folder)):
        raise InputError(f"{folder}: QEMU splits what it boots at blanks and commas")
    boot = folder / "boot"
    boot.mkdir(parents=True, exist_ok=True)
    deadline = Deadline.after(IMAGES_BUDGET_S)

    def report(line: str) -> None:
        click.echo(line, file=sys.stderr)

    images = provide_images(
        plan, cache_dir(), report=report, offline=order.offline, deadline=deadline
    )
    with open_workshop(
        cache_dir(), report=report, offline=order.offline, deadline=deadline
    ) as workshop:
        kernel = workshop.shop.provider(plan.kernel(plan.dom0.kernel))
        package = kernel.fetch_main() if isinstance(kernel, PackagedKernel) else None
    keys = generate_keys(folder / "keys")
    write_bundle(plan, images, keys, boot)
    port = take_free_port()
    return {
        "argv": render_qemu_argv(plan, boot, Accel.TCG, port),
        "ready": READY.format(node=DOM0),
        "consoles": {
            str(console_file(boot, domu.name)): READY.format(node=domu.name) for domu in plan.domus
        },
        "steps": render_steps(plan, keys, port),
        "kernel_package": str(package) if package else None,
    }
