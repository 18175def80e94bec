"""Remedies beside drivers under test: they stay loaded, and what would replace them is no row."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from xenlab.kernel.driver import STOCK, DriverKind
from xenlab.measure.strategy_trial import Effect
from xenlab.plan.links import DOM0
from xenlab.plan.planner import plan_lab
from xenlab.slots.series import COPY, NEGOTIATED, REPACK
from xenlab.topology.loading import load_topology
from xenlab.traffic.drivers import LOADED
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.remedies import REMEDIES, SERIES, Loaded

FRONT, BACK = DriverKind.NETFRONT, DriverKind.NETBACK
MINE = "mine.patch"
ALL = [each.strategy.name for each in REMEDIES]
SETTINGS = ["default", "gso_max_size", "compound pages off", "scatter-gather off"]
LIMITS = ["linearise in the frontend", "frag_list in the backend"]
COPIED, LEAST, MORE = ALL[-3:]


def measured(loaded: Loaded) -> list[str]:
    return [each.strategy.name for each in REMEDIES if not loaded.why_not(each)]


def under_test(netfront: str = STOCK, netback: str = STOCK) -> Loaded:
    names = {FRONT: netfront, BACK: netback}
    tested = frozenset(kind for kind, name in names.items() if name != STOCK)
    return Loaded(netfront=netfront, netback=netback, tested=tested)


def test_every_remedy_is_as_it_is_written_where_nothing_is_under_test() -> None:
    assert measured(Loaded()) == ALL
    assert tuple(map(Loaded().lay, REMEDIES)) == REMEDIES
    assert Loaded().words_under(REMEDIES[0]) == f"netfront {SERIES}, netback stock"
    assert Loaded().words_under(REMEDIES[-1]) == f"netfront {NEGOTIATED}, netback {NEGOTIATED}"


@pytest.mark.parametrize(
    ("loaded", "names"),
    [
        (under_test(netfront=MINE), SETTINGS),
        (under_test(netback=MINE), ALL[:-1]),
        (under_test(netfront=MINE, netback=MINE), SETTINGS),
        (under_test(netfront=SERIES), [*SETTINGS, *LIMITS]),
        (under_test(netfront=f"{SERIES}+{MINE}"), [*SETTINGS, *LIMITS]),
        (under_test(netfront=COPY), SETTINGS),
        (under_test(netfront=f"{SERIES}+{REPACK}"), SETTINGS),
        (under_test(netfront=NEGOTIATED), [*SETTINGS, MORE]),
        (under_test(netfront=NEGOTIATED, netback=NEGOTIATED), SETTINGS),
        (Loaded(tested=frozenset({FRONT})), SETTINGS),
        (Loaded(tested=frozenset({BACK})), ALL[:-1]),
    ],
)
def test_remedy_that_would_replace_what_is_under_test_is_left_out(
    loaded: Loaded, names: list[str]
) -> None:
    assert measured(loaded) == names


@pytest.mark.parametrize("loaded", [under_test(netfront=MINE), under_test(netback=MINE)])
def test_driver_under_test_stays_loaded_under_every_remedy_that_is_measured(
    loaded: Loaded,
) -> None:
    for remedy in REMEDIES:
        laid = loaded.lay(remedy)
        if not loaded.why_not(remedy):
            assert all(laid.drivers[kind] == LOADED for kind in loaded.tested)
        if not remedy.needs:
            assert (laid.netfront, laid.netback, laid.slots_max) == (LOADED, LOADED, 0)
        assert (laid.features, laid.sysctls) == (remedy.features, remedy.sysctls)
        assert MINE in loaded.words_under(laid) or loaded.why_not(remedy)


def test_reason_names_what_would_be_replaced_and_by_what() -> None:
    assert under_test(netback=MINE).why_not(REMEDIES[-1]) == (
        f"it needs the netback {NEGOTIATED}, which would replace what is under test: {MINE}"
    )
    assert under_test(netfront=REPACK).why_not(REMEDIES[-2]) == (
        f"it is what the default is measured with: netfront {REPACK}, netback stock"
    )


def test_limit_is_set_on_a_series_that_is_loaded_and_has_it() -> None:
    listing = REMEDIES[ALL.index(LIMITS[1])]

    laid = under_test(netfront=f"{SERIES}+{MINE}").lay(listing)

    assert (laid.netfront, laid.slots_max) == (LOADED, 19)
    assert under_test(netback=MINE).lay(listing) == replace(listing, netback=LOADED)


@pytest.mark.parametrize(
    ("loaded", "effect"),
    [
        (under_test(netfront=MINE), Effect.LINEARISED),
        (under_test(netfront=COPY), Effect.RELOCATED),
        (under_test(netfront=f"counters+{REPACK}"), Effect.RELOCATED),
        (under_test(netfront=NEGOTIATED), Effect.LINEARISED),
        (under_test(netfront=NEGOTIATED, netback=NEGOTIATED), Effect.FRAG_LISTS),
    ],
)
def test_default_has_to_do_what_the_drivers_that_are_loaded_do(
    loaded: Loaded, effect: Effect
) -> None:
    strategy = loaded.lay(REMEDIES[0]).strategy

    assert strategy.effect is effect
    assert strategy.setting == f"as loaded: {loaded.words}"


class Named:
    """A lab that knows what it was brought up with."""

    def __init__(self, **names: str) -> None:
        self.names = names

    def driver(self, node: str) -> str:
        return self.names.get(node, STOCK)


def test_any_driver_but_the_stock_one_is_under_test_and_so_is_the_control_of_one() -> None:
    link = next(each for each in plan_lab(load_topology("pair")).links() if each.source != DOM0)
    stock = cast(LabHandle, Named())
    patched = cast(LabHandle, Named(**{link.source: MINE}))
    elsewhere = cast(LabHandle, Named(**{link.sink: MINE}))

    assert Loaded.of(stock, link, ()) == Loaded()
    assert Loaded.of(stock, link, {FRONT}) == Loaded(tested=frozenset({FRONT}))
    assert Loaded.of(patched, link, ()) == under_test(netfront=MINE)
    assert link.sink == DOM0 or Loaded.of(elsewhere, link, ()) == Loaded()
