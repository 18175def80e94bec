"""The layouts of the suite stand on both sides of every limit."""

from __future__ import annotations

from collections import Counter

from xenlab.slots.boundaries import EACH, boundary_layouts, sweep_layouts
from xenlab.slots.fate import Fate, predict
from xenlab.slots.limits import Limits


def test_every_number_of_slots_is_swept() -> None:
    slots = Counter(predict(layout).sending.counted_slots for layout in sweep_layouts())
    assert slots == dict.fromkeys(range(1, 52), EACH)


def test_boundaries_are_bounced_linearised_and_left_alone() -> None:
    fates = Counter(predict(layout).fate for layout in boundary_layouts())
    assert all(fates[fate] for fate in (Fate.INTACT, Fate.BOUNCED, Fate.LINEARISED))


def test_frontend_without_a_limit_overflows_loses_and_is_disabled() -> None:
    limits = Limits(frontend_slots=51)
    fates = Counter(predict(layout, limits).fate for layout in sweep_layouts())
    assert all(fates[fate] for fate in (Fate.OVERFLOW, Fate.LOST, Fate.VIF_DISABLED))


def test_same_layouts_come_every_time() -> None:
    assert sweep_layouts() == sweep_layouts()


def test_kernel_of_45_frags_is_tried_up_to_its_107_slots() -> None:
    layouts = sweep_layouts(1, max_frags=45)
    limits = Limits(max_skb_frags=45, backend_max_skb_frags=45, frontend_slots=107)

    assert [predict(layout, limits).sending.counted_slots for layout in layouts] == [*range(1, 108)]
    assert max(len(layout.frags) for layout in (*layouts, *boundary_layouts(45))) == 45
