"""A crash kills a mutant whose driver was being loaded by then, and none before that."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from io import StringIO

import pytest

from tests.unit.cli.test_mutant_run import MUTANT
from xenlab.cli.mutant_lab import excusing
from xenlab.cli.mutant_trial import MutantTrial
from xenlab.errors import KernelFault, XenlabError
from xenlab.kernel.driver import DriverKind
from xenlab.kernel.mutant import Mutant
from xenlab.lab import Lab
from xenlab.life.drivers import BRING, LOAD
from xenlab.life.phases import Phases
from xenlab.report.progress import open_progress
from xenlab.verdict.mutation import UP

NETBACK = replace(MUTANT, name="netback-x", kind=DriverKind.NETBACK)
RESTORE, ATTACH, TAKE_UP = "restore", LOAD[DriverKind.NETBACK], LOAD[DriverKind.NETFRONT]
# The phases of a lab that comes up, in their order.
WAY = (RESTORE, BRING, ATTACH, TAKE_UP, "ping")


def crash_in(phase: str, mutant: Mutant | None) -> None:
    """Bring up a lab of which a kernel dies in a phase."""
    phases = Phases(watcher=open_progress(StringIO()))
    with excusing(mutant, phases):
        for each in WAY:
            with phases.run(each):
                if each == phase:
                    raise KernelFault("dom0", "netif_receive_skb", ())


@pytest.mark.parametrize(
    ("mutant", "phase", "kills"),
    [
        (MUTANT, RESTORE, False),
        (MUTANT, BRING, False),
        (MUTANT, ATTACH, False),
        (MUTANT, TAKE_UP, True),
        (MUTANT, "ping", True),
        (NETBACK, RESTORE, False),
        (NETBACK, BRING, False),
        (NETBACK, ATTACH, True),
        (NETBACK, "ping", True),
    ],
)
def test_crash_kills_where_the_mutant_was_being_loaded_and_is_the_labs_before(
    mutant: Mutant, phase: str, kills: bool
) -> None:
    def opening() -> AbstractContextManager[Lab]:
        crash_in(phase, mutant)
        raise AssertionError("it did not crash")

    mutation = MutantTrial(mutant=mutant, opening=opening).run()

    assert (mutation.catch is not None) is kills
    assert (not mutation.troubles) is kills
    if mutation.catch is not None:
        assert mutation.catch.place == UP
    else:
        assert "was not loaded yet: dom0 crashed" in mutation.troubles[0]


def test_crash_of_stock_drivers_stays_one() -> None:
    with pytest.raises(XenlabError) as raised:
        crash_in(RESTORE, None)

    assert isinstance(raised.value, KernelFault)
