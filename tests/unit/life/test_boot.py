"""A boot's deadline: longer on a host whose dom0 was slow, and never shorter."""

from __future__ import annotations

import pytest

from xenlab.life.boot import BOOT_BUDGET_S, ORDINARY_DOM0_S, scale_boot
from xenlab.waiting import Deadline

MADE_FOR_ORDINARY = Deadline(at_s=1000.0)


@pytest.mark.parametrize("dom0_s", [0.5, ORDINARY_DOM0_S])
def test_domus_of_an_ordinary_host_have_what_dom0_left_of_the_budget(dom0_s: float) -> None:
    assert scale_boot(MADE_FOR_ORDINARY, dom0_s) == MADE_FOR_ORDINARY


def test_domus_of_a_host_whose_dom0_took_four_times_as_long_have_four_budgets() -> None:
    scaled = scale_boot(MADE_FOR_ORDINARY, 4 * ORDINARY_DOM0_S)
    assert scaled == Deadline(at_s=1000.0 + 3 * BOOT_BUDGET_S)
