"""The whole way: kernels built here for a series that reaches beyond drivers, and their base."""

from __future__ import annotations

from dataclasses import replace

from xenlab.cache.store import EntryStore
from xenlab.kernel.kept_series import keep_series
from xenlab.kernel.patch_series import PatchSeries
from xenlab.kernel.workshop import open_workshop
from xenlab.life.order import IMAGES_BUDGET_S, UpOrder
from xenlab.life.phases import Phases
from xenlab.life.words_for_nodes import spread_words
from xenlab.plan.kernels import kernel_of
from xenlab.registry.places import cache_dir
from xenlab.topology.kernel_words import patched_kernel_word
from xenlab.waiting import Deadline


def order_whole(order: UpOrder, series: PatchSeries | None, phases: Phases) -> UpOrder:
    """The same lab with dom0's and every domU's kernel built here, with a series on it.

    Without one it is the control of all those with one: the same sources, configured alike.
    """
    plan = order.plan()
    given = spread_words("--domu-kernel", order.domu_kernel, [domu.name for domu in plan.domus])
    words = {domu.name: given.get(domu.name, domu.kernel) for domu in plan.domus}
    patches = _keep(order, series, phases) if series else ()
    dom0 = patched_kernel_word(order.dom0_kernel or plan.dom0.kernel, patches)
    domus = (f"{domu}={patched_kernel_word(word, patches)}" for domu, word in words.items())
    return replace(order, dom0_kernel=dom0, domu_kernel=tuple(domus))


def require_applicable(base: UpOrder, series: PatchSeries, phases: Phases) -> None:
    """Nothing, or InputError for the first patch that does not apply to a node's kernel.

    `base` is what `order_whole` makes without a series. Nothing is built.
    """
    plan = base.plan()
    kernels = dict.fromkeys(kernel_of(plan, node) for node in plan.domain_names)
    with open_workshop(
        cache_dir(), report=phases.watcher.detail, offline=base.offline,
        deadline=Deadline.after(IMAGES_BUDGET_S),
    ) as workshop:  # fmt: skip
        for kernel in kernels:
            workshop.shop.built(kernel.origin).require_applicable(series)


def _keep(order: UpOrder, series: PatchSeries, phases: Phases) -> tuple[str, ...]:
    store = EntryStore(
        folder=cache_dir() / "images",
        report=phases.watcher.detail,
        offline=order.offline,
        deadline=Deadline.after(IMAGES_BUDGET_S),
    )
    return (str(keep_series(series, store)),)
