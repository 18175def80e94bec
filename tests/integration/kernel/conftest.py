"""A workshop with a cache of its own over the user's packages, for all tests here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from xenlab.cache.disk import make_folder
from xenlab.kernel.workshop import Workshop, open_workshop
from xenlab.plan.model import KernelOrigin, KernelPlan
from xenlab.plan.planner import plan_lab
from xenlab.registry.places import cache_dir
from xenlab.topology.loading import load_topology
from xenlab.waiting import Deadline

TIMEOUT_S = 500.0


@pytest.fixture(scope="session")
def kernel() -> KernelPlan:
    """The kernel of the default lab."""
    plan = plan_lab(load_topology("pair"))
    return plan.kernel(plan.dom0.kernel)


@pytest.fixture(scope="session")
def newest() -> KernelPlan:
    """Debian's newest kernel, made by a compiler that no stable release has."""
    return KernelPlan(name="newest", origin=KernelOrigin(suite="sid", package="linux-image-amd64"))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No builds in it, but what this user's cache knows of packages: that is checked on use."""
    cache = tmp_path_factory.mktemp("cache") / "xenlab"
    cache.mkdir()
    for name in ("apt", "packages", "requests"):
        (cache / name).symlink_to(make_folder(cache_dir() / name))
    return cache


@pytest.fixture(scope="session")
def workshop(cache: Path) -> Iterator[Workshop]:
    with open_workshop(
        cache, report=print, offline=False, deadline=Deadline.after(TIMEOUT_S)
    ) as workshop:
        yield workshop
