"""Labs that mutants are tried in, and stock drivers beside them: from the bare checkpoint."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

import pytest

from xenlab.checkpoint.key import Level
from xenlab.cli.suite_order import SHIPPED
from xenlab.errors import KernelFault, LabError
from xenlab.kernel.driver import DriverKind
from xenlab.kernel.mutant import Mutant
from xenlab.lab import Lab
from xenlab.life.drivers import LOAD
from xenlab.life.order import Undertaking, UpOrder
from xenlab.life.phases import Phases, Watcher
from xenlab.life.removal import remove_whole_lab
from xenlab.pytest_plugin import LabPlugin, run_suite

TOPOLOGY = "pair"
Opening = Callable[[], AbstractContextManager[Lab]]
# All else means that tests are left which did not run, and of which nothing is told.
TESTS_RAN = frozenset({pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED})
PYTEST_OPTIONS = ("-q", "--no-header", "--tb=short", "-rN", "-x")


class Witness(Protocol):
    """A plugin that knows whether somebody wanted the session to end."""

    interruption: BaseException | None


@contextlib.contextmanager
def open_bare(name: str, watcher: Watcher, mutant: Mutant | None = None) -> Iterator[Lab]:
    """A lab with the mutant's driver in all nodes that it is for; it is gone afterwards.

    Without a mutant all drivers are the stock ones. Raises what a lab does that does not come up.
    """
    path = str(mutant.path) if mutant else ""
    back = mutant is not None and mutant.kind is DriverKind.NETBACK
    order = UpOrder(
        topology=TOPOLOGY,
        lab=name,
        netback=path if back else None,
        netfront=(path,) if path and not back else (),
        start_from=Level.BARE,
        transient=True,
    )
    phases = Phases(watcher=watcher)
    with excusing(mutant, phases):
        lab = Undertaking(order=order, phases=phases).bring_up().lab
    with contextlib.closing(lab):
        try:
            yield lab
        finally:
            remove_whole_lab(lab.record)


@contextlib.contextmanager
def excusing(mutant: Mutant | None, phases: Phases) -> Iterator[None]:
    """A kernel that crashes in here before the mutant is loaded is an error of the lab."""
    try:
        yield
    except KernelFault as error:
        if mutant is None or phases.has_begun(LOAD[mutant.kind]):
            raise
        what = f"{mutant.name} was not loaded yet: {error.what}"
        raise LabError(what, phase=error.phase, log_path=error.log_path) from error


def run_witnessed(suite: str, plugin: LabPlugin, witness: Witness) -> int:
    """Run one suite up to the first test that is not all right; pytest's exit code.

    Raises what interrupted it.
    """
    # pytest's own words are progress: the result on standard output is ours.
    with contextlib.redirect_stdout(sys.stderr):
        code = run_suite(plugin, [SHIPPED / suite], PYTEST_OPTIONS, [witness])
    if witness.interruption is not None:
        raise witness.interruption
    return code


def name_test(nodeid: str) -> str:
    """A test as a table names it: without its suite's folder."""
    return nodeid.rpartition("/")[2].removesuffix(".py")
