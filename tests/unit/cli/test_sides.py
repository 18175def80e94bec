"""Both sides of a try have the drivers that a series changes of one source."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.kernel.test_patch_series import GOOD, NAME, write
from xenlab.cli.attempt_order import AttemptOrder, open_sides
from xenlab.cli.suite_order import SuiteOrder
from xenlab.kernel.driver import DriverKind
from xenlab.kernel.patch_series import PatchSeries
from xenlab.life.order import UpOrder

NETBACK, CORE = "drivers/net/xen-netback/rx.c", "net/core/skbuff.c"


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("file", "drivers"),
    [(NAME, (DriverKind.NETFRONT,)), (NETBACK, (DriverKind.NETBACK,)), (CORE, ())],
)
def test_drivers_that_a_series_changes_are_of_one_source_on_every_side(
    tmp_path: Path, file: str, drivers: tuple[DriverKind, ...]
) -> None:
    series = PatchSeries.read(write(tmp_path, GOOD.replace(NAME, file), "x.patch"))
    suites = SuiteOrder.parse(
        ("smoke",), keyword="", quick=True, plant=None, plant_every=None, repeat=1
    )
    order = AttemptOrder(series=series, suites=suites, up=UpOrder(topology="pair"))

    with open_sides(order) as sides:
        assert sides.order_lab(None).rebuilt == sides.order_lab(series).rebuilt == drivers
