"""UpOrder: what somebody asked of `up`; Undertaking: the way from there to a lab."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Unpack

from xenlab.cache.disk import disk_errors
from xenlab.checkpoint.key import Level
from xenlab.checkpoint.limit import DEFAULT_LIMIT_BYTES
from xenlab.errors import InputError, KernelFault, LabError
from xenlab.hypervisor.acceleration import Acceleration
from xenlab.images.lab_images import LabImages, provide_images
from xenlab.kernel.driver import Driver, DriverKind
from xenlab.kernel.patch_series import PatchSeries
from xenlab.kernel.workshop import Workshop, open_workshop
from xenlab.lab import Lab
from xenlab.life.bring_up import begin_bring_up
from xenlab.life.bring_up_words import BringUpWords
from xenlab.life.drivers import (
    NO_DRIVERS,
    Choices,
    Drivers,
    choose_drivers,
    digest_choices,
    patch_drivers,
    provide_driver,
    rebuild_drivers,
)
from xenlab.life.host_terms import choose_accelerator, require_terms
from xenlab.life.kernels import choose_kernels, digest_kernels, find_untested
from xenlab.life.later import begin
from xenlab.life.phases import Phases
from xenlab.life.request import UpRequest, find_checkpoint
from xenlab.life.summary import keep_summary, summarize
from xenlab.plan.kernels import kernel_of
from xenlab.plan.model import DOM0, Accel, LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.registry.places import cache_dir, require_lab_name, state_dir
from xenlab.registry.record import LabRecord, read_record
from xenlab.report.summary import LabSummary
from xenlab.topology.defaults import TOPOLOGY
from xenlab.topology.loading import load_topology
from xenlab.topology.xen_word import choose_xen
from xenlab.waiting import Deadline

READING_BUDGET_S = 60.0  # the user's own trees, patches and images
IMAGES_BUDGET_S = 3600.0  # the first build fetches packages over whatever line there is


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOrder:
    """The words of the command line; an empty `lab` means the topology's name.

    A `series` is put on top of the drivers that they choose. Stock ones of the kinds in `rebuilt`
    are built anew for kernels that were built elsewhere: see `rebuild_drivers`.
    """

    topology: str
    lab: str = ""
    accel: Accel | None = None
    xen: str | None = None
    dom0_kernel: str | None = None
    domu_kernel: tuple[str, ...] = ()
    netback: str | None = None
    netfront: tuple[str, ...] = ()
    cold: bool = False
    start_from: Level = Level.CONNECTED
    offline: bool = False
    connect_uri: str = ""
    checkpoint_limit_bytes: int = DEFAULT_LIMIT_BYTES
    transient: bool = False
    series: PatchSeries | None = None
    rebuilt: tuple[DriverKind, ...] = ()

    @classmethod
    def parse(
        cls,
        topology: str,
        lab: str | None,
        *,
        accel: str | None,
        start_from: str = Level.CONNECTED,
        transient: bool = False,
        **words: Unpack[BringUpWords],
    ) -> UpOrder:
        """The order from the words of a command line; `pair` where no topology is named."""
        return cls(
            topology=topology or TOPOLOGY,
            lab=lab or "",
            accel=Accel(accel) if accel else None,
            start_from=Level(start_from),
            transient=transient,
            **words,
        )

    def plan(self) -> LabPlan:
        """The plan; InputError with all that is wrong in the topology."""
        topology = choose_xen(load_topology(self.topology), self.xen)
        choice = choose_kernels(topology, self.dom0_kernel, self.domu_kernel)
        return plan_lab(
            choice.topology,
            accel=self.accel,
            dom0_kernel=choice.dom0,
            domu_kernels=choice.domus,
        )

    def choose_drivers(self, plan: LabPlan) -> Choices:
        """Who is to run which driver, with the series on top; InputError for one that cannot be."""
        choices = choose_drivers(plan, self.netback, self.netfront)
        choices = patch_drivers(plan, choices, self.series) if self.series else choices
        return rebuild_drivers(plan, choices, self.rebuilt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """A lab that came up, and the checkpoint that it came from or left."""

    lab: Lab
    summary: LabSummary
    checkpoint: Path | None


@dataclass(slots=True, kw_only=True)
class Undertaking:
    """One order under way. Nothing is begun for one that cannot be understood."""

    order: UpOrder
    phases: Phases
    plan: LabPlan = field(init=False)
    drivers: Choices = field(init=False)
    digest: str = field(init=False)
    lab_name: str = field(init=False)

    def __post_init__(self) -> None:
        """Fix the plan and the lab's name; InputError for what cannot be."""
        self.plan = self.order.plan()
        self.drivers = self.order.choose_drivers(self.plan)
        order = self.order
        require_terms(
            self.plan, has_netback=DOM0 in self.drivers and not self.drivers[DOM0].is_stock,
            accel=order.accel, connect_uri=order.connect_uri,
        )  # fmt: skip
        kernels = digest_kernels(self.plan, Deadline.after(READING_BUDGET_S))
        self.digest = digest_choices(self.drivers) + kernels
        self.lab_name = require_lab_name(self.order.lab or self.plan.topology_name)

    def find_standing(self) -> LabRecord | None:
        """The lab of this name if it is up; InputError if it is another than the one ordered."""
        record = read_record(self.lab_name)
        if record is None or not record.alive:
            return None
        other = "another plan" if record.plan_json != self.plan.to_json() else ""
        if record.drivers_digest != self.digest:
            other = other or "other drivers or kernels"
        if other:
            raise InputError(
                f"lab {record.name} is up with {other} (topology {record.topology}):"
                " take it down first, or give this one a name with --lab",
                try_next=f"xenlab down {record.name}",
            )
        return record

    def bring_up(self) -> Raised:
        """The lab, up; its lock is held by the caller."""
        try:
            with disk_errors(state_dir()):
                return self._bring_up()
        except (LabError, KernelFault) as error:
            error.phase = error.phase or self.phases.current
            raise

    def build_drivers(self) -> Drivers:
        """The driver of every node, the stock ones too; InputError for one that cannot be built."""
        return dict(self._begin_drivers(self._provide_images()))

    def require_applicable(self) -> None:
        """Nothing, or InputError for the first patch that does not apply to its driver's source."""
        with self._open_workshop() as workshop:
            for node, choice in self.drivers.items():
                if choice.series is not None:
                    workshop.require_applicable(choice.series, kernel_of(self.plan, node))

    def fingerprint(self) -> str:
        """What changes when a lab of this order would be another one, in any byte of it."""
        return self._prepare().ingredients.digest(Level.CONNECTED)

    def _bring_up(self) -> Raised:
        started_s = time.monotonic()
        request = self._prepare()
        lab, evidence = begin_bring_up(request, self.phases).run()
        summary = summarize(lab, evidence, time.monotonic() - started_s)
        keep_summary(lab.record, summary)
        return Raised(lab=lab, summary=summary, checkpoint=find_checkpoint(request))

    def _prepare(self) -> UpRequest:
        with self.phases.run("images"):
            for told in find_untested(self.plan.kernels, Deadline.after(IMAGES_BUDGET_S)):
                self.phases.watcher.warn(told)
            images = self._provide_images()
        with self.phases.run("accelerator"):
            acceleration = choose_accelerator(self.plan, images.xen)
        drivers = self._begin_drivers(images) if self.drivers else NO_DRIVERS
        return self._request(images, acceleration, drivers)

    def _provide_images(self) -> LabImages:
        return provide_images(
            self.plan,
            cache_dir(),
            report=self.phases.watcher.detail,
            offline=self.order.offline,
            deadline=Deadline.after(IMAGES_BUDGET_S),
        )

    def _begin_drivers(self, images: LabImages) -> Drivers:
        """The drivers, built while the machine is restored or boots."""

        def make(node: str) -> Driver:
            with self._open_workshop() as workshop:
                return provide_driver(self.plan, images, self.drivers, node, workshop)

        return begin(make, self.plan.domain_names)

    def _open_workshop(self) -> AbstractContextManager[Workshop]:
        return open_workshop(
            cache_dir(),
            report=self.phases.watcher.detail,
            offline=self.order.offline,
            deadline=Deadline.after(IMAGES_BUDGET_S),
        )

    def _request(
        self, images: LabImages, acceleration: Acceleration, drivers: Drivers = NO_DRIVERS
    ) -> UpRequest:
        return UpRequest(
            name=self.lab_name,
            plan=self.plan,
            acceleration=acceleration,
            images=images,
            transient=self.order.transient,
            cold=self.order.cold or self.plan.host is not None,
            start_from=self.order.start_from,
            connect_uri=self.order.connect_uri,
            checkpoint_limit_bytes=self.order.checkpoint_limit_bytes,
            drivers=drivers,
            drivers_digest=self.digest,
        )
