"""SweepOrder: what `xenlab sweep` was asked for, and the combinations that it comes to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack, cast

from xenlab.cli.suite_order import SuiteOrder
from xenlab.errors import InputError
from xenlab.life.bring_up_words import LabWords
from xenlab.life.order import UpOrder
from xenlab.plan.covering import cover_pairs, cross_all
from xenlab.plan.model import KernelPlan
from xenlab.verdict.crossing import Sweep, Versions

SEPARATOR = ","


class SweepWords(LabWords):
    """Options of `xenlab sweep`, as they are handed over by click."""

    kernels: str
    dom0_kernels: str | None
    domu_kernels: str | None
    xens: str
    suite: str
    full: bool
    topology: str
    accel: str | None
    dry_run: bool
    json_path: str | None
    junit_path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOrder:
    """The words of the command line, understood; `axes` has no cells yet."""

    axes: Sweep
    versions: tuple[Versions, ...]
    suites: SuiteOrder
    up: UpOrder
    json_path: str | None = None
    junit_path: str | None = None

    @classmethod
    def parse(cls, **given: Unpack[SweepWords]) -> SweepOrder:
        """The order from the words of a command line; InputError with all that is wrong in them."""
        axes = Sweep(
            xens=_split("--xens", given["xens"]),
            dom0_kernels=_split("--dom0-kernels", given["dom0_kernels"] or given["kernels"]),
            domu_kernels=_split("--domu-kernels", given["domu_kernels"] or given["kernels"]),
            crossings=(),
        )
        words = cast(LabWords, {name: given[name] for name in LabWords.__annotations__})  # type: ignore[literal-required]
        up = UpOrder.parse(
            given["topology"], None, accel=given["accel"], transient=True,
            xen=None, dom0_kernel=None, domu_kernel=(), **words,
        )  # fmt: skip
        _require_understood(axes, up)
        suites = SuiteOrder.parse(
            _split("--suite", given["suite"]),
            keyword="",
            quick=True,
            plant=None,
            plant_every=None,
            repeat=1,
        )
        return cls(
            axes=axes, versions=tuple(_combine(axes, full=given["full"])), suites=suites, up=up,
            json_path=given["json_path"], junit_path=given["junit_path"],
        )  # fmt: skip

    def up_with(self, versions: Versions, number: int) -> UpOrder:
        """The lab of one cell; its name is its own, for what it may leave of a failure."""
        return replace(
            self.up,
            lab=f"sweep-{os.getpid()}-{number}",
            xen=versions.xen,
            dom0_kernel=versions.dom0_kernel,
            domu_kernel=(versions.domu_kernel,),
        )


def _split(option: str, text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(filter(None, (word.strip() for word in text.split(SEPARATOR)))))
    if not words:
        raise InputError(f"{option}: name at least one; several have a {SEPARATOR!r} between them")
    return words


def _combine(axes: Sweep, *, full: bool) -> Iterator[Versions]:
    choose = cross_all if full else cover_pairs
    for xen, domu, dom0 in choose((axes.xens, axes.domu_kernels, axes.dom0_kernels)):
        yield Versions(xen=xen, dom0_kernel=dom0, domu_kernel=domu)


def _require_understood(axes: Sweep, up: UpOrder) -> None:
    """Raise InputError with each word that means nothing, before anything is begun.

    What is found out only when a kernel is unpacked or built is a matter of its cell.
    """
    orders = [
        *(replace(up, xen=xen) for xen in axes.xens),
        *(replace(up, dom0_kernel=word) for word in axes.dom0_kernels),
        *(replace(up, domu_kernel=(word,)) for word in axes.domu_kernels),
    ]
    problems = [problem for order in orders for problem in _find_problems(order)]
    if problems:
        raise InputError(*dict.fromkeys(problems))


def _find_problems(order: UpOrder) -> Iterable[str]:
    try:
        plan = order.plan()
        order.choose_drivers(plan)
    except InputError as error:
        return error.problems
    return [problem for kernel in plan.kernels for problem in _find_missing(kernel)]


def _find_missing(kernel: KernelPlan) -> Iterator[str]:
    """The paths of a kernel that are not there."""
    origin = kernel.origin
    files = (word for word in (*origin.patches, *origin.configs) if word.startswith("/"))
    for path in (origin.image, origin.modules, origin.tree, *files):
        if path and not Path(path).exists():
            yield f"{path}: no such file or folder"
