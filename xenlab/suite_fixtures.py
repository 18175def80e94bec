"""Fixtures: what the tests of a suite are handed of the lab that is up, and of how they were asked.

This module is registered as a plugin of pytest, and finds them in the stage that LabPlugin has put
into its configuration.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from xenlab.kernel.driver import DriverKind
from xenlab.plan.model import DOM0, DomUPlan
from xenlab.traffic.endurance import Endurance
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import Extent
from xenlab.transport.shell import Shell


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a suite runs, and how much of it.

    `tried` are the ends of vifs whose driver has patches on it in this lab, or in the one that this
    lab is the control of.
    """

    lab: LabHandle
    extent: Extent
    endurance: Endurance
    tried: frozenset[DriverKind] = frozenset()


STAGE: pytest.StashKey[Stage] = pytest.StashKey()


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> LabHandle:
    """The lab."""
    return request.config.stash[STAGE].lab


@pytest.fixture
def dom0(lab: LabHandle) -> Shell:
    """dom0's shell."""
    return lab.shell(DOM0)


@pytest.fixture
def domus(lab: LabHandle) -> tuple[DomUPlan, ...]:
    """All domUs of the plan."""
    return lab.plan.domus


@pytest.fixture
def extent(request: pytest.FixtureRequest) -> Extent:
    """How much of the suite was asked for."""
    return request.config.stash[STAGE].extent


@pytest.fixture
def endurance(request: pytest.FixtureRequest) -> Endurance:
    """How long a soak goes on, and with which seed."""
    return request.config.stash[STAGE].endurance


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> frozenset[DriverKind]:
    """The ends of vifs whose driver `xenlab try` puts patches on, on both sides of it."""
    return request.config.stash[STAGE].tried
