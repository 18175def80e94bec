"""Images built once for all tests here, in a cache of their own over the user's packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.cache.disk import make_folder
from xenlab.images.lab_images import LabImages, provide_images
from xenlab.plan.model import LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.registry.places import cache_dir
from xenlab.topology.loading import load_topology
from xenlab.waiting import Deadline

BUILD_TIMEOUT_S = 500.0


@pytest.fixture(scope="session")
def plan() -> LabPlan:
    return plan_lab(load_topology("pair"))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty cache, but for packages that this user fetched before: they are checked on use."""
    cache = tmp_path_factory.mktemp("cache") / "xenlab"
    cache.mkdir()
    (cache / "packages").symlink_to(make_folder(cache_dir() / "packages"))
    return cache


@pytest.fixture(scope="session")
def images(plan: LabPlan, cache: Path) -> LabImages:
    return provide_images(
        plan, cache, report=print, offline=False, deadline=Deadline.after(BUILD_TIMEOUT_S)
    )
