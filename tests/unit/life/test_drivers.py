"""Who is to run which driver, from the words of the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.kernel.test_patch_series import GOOD, write
from xenlab.errors import InputError
from xenlab.kernel.driver import DriverKind
from xenlab.kernel.patch_series import PatchSeries
from xenlab.life.drivers import choose_drivers, digest_choices, patch_drivers, rebuild_drivers
from xenlab.life.order import UpOrder
from xenlab.life.words_for_nodes import spread_words
from xenlab.plan.model import LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology

LIMIT = "netfront-slots-limit"
NETFRONT, NETBACK = "drivers/net/xen-netfront.c", "drivers/net/xen-netback/rx.c"
PATCH_ON_NETBACK = GOOD.replace(NETFRONT, NETBACK)


@pytest.fixture(scope="module")
def plan() -> LabPlan:
    return plan_lab(load_topology("pair"))


def names(plan: LabPlan, *netfront: str, netback: str | None = None) -> dict[str, str]:
    return {node: each.name for node, each in choose_drivers(plan, netback, netfront).items()}


def test_word_without_a_domu_is_for_all_of_them(plan: LabPlan) -> None:
    assert names(plan, LIMIT) == {"alice": LIMIT, "bob": LIMIT}


def test_word_for_one_domu_leaves_the_others_alone(plan: LabPlan) -> None:
    assert names(plan, f"alice={LIMIT}") == {"alice": LIMIT}


def test_later_word_stands_over_an_earlier_one(plan: LabPlan) -> None:
    assert names(plan, LIMIT, "bob=stock") == {"alice": LIMIT, "bob": "stock"}


@pytest.mark.parametrize("words", [(), ("stock",), ("alice=stock", "bob=stock")])
def test_nothing_but_stock_is_no_choice_at_all(plan: LabPlan, words: tuple[str, ...]) -> None:
    assert names(plan, *words, netback="stock") == {}
    assert digest_choices(choose_drivers(plan, "stock", words)) == ""


def test_netback_under_test_is_refused_where_a_domu_is_the_backend(tmp_path: Path) -> None:
    chain = plan_lab(load_topology("driver-domain"))
    refused = "netback under test is dom0's, and the backend here is `firewall`, `netvm`"
    with pytest.raises(InputError, match=refused):
        choose_drivers(chain, str(write(tmp_path, PATCH_ON_NETBACK, "y.patch")), ())
    with pytest.raises(InputError, match=refused):
        patch_drivers(chain, {}, series(tmp_path, NETBACK))
    assert names(chain, LIMIT, netback="stock")["peer"] == LIMIT


def test_no_driver_is_under_test_where_there_is_no_xen(tmp_path: Path) -> None:
    control = plan_lab(load_topology("uplink-no-xen"))
    refused = "no driver under test is loaded on `uplink-no-xen`, which boots no Xen"
    for words in ((LIMIT, ()), (None, (LIMIT,))):
        with pytest.raises(InputError, match=refused):
            choose_drivers(control, *words)
    with pytest.raises(InputError, match=refused):
        patch_drivers(control, {}, series(tmp_path, NETFRONT))
    assert choose_drivers(control, None, ()) == {}
    with pytest.raises(InputError, match="--domu-kernel: there is no domU"):
        spread_words("--domu-kernel", ("sid",), ())


def test_domu_that_is_not_there_is_named_with_the_one_that_was_meant(plan: LabPlan) -> None:
    with pytest.raises(InputError, match="no domU `alise`; did you mean `alice`"):
        choose_drivers(plan, None, (f"alise={LIMIT}",))


def test_path_with_an_equals_sign_is_a_path(plan: LabPlan, tmp_path: Path) -> None:
    path = write(tmp_path, GOOD, "a=b.patch")

    assert names(plan, str(path)) == {"alice": "a=b", "bob": "a=b"}


def test_digest_is_that_of_the_content_and_of_who_runs_it(plan: LabPlan, tmp_path: Path) -> None:
    here = write(tmp_path, GOOD, "x.patch")
    same = write(tmp_path, GOOD, "y.patch")
    other = write(tmp_path, GOOD.replace("one more", "another"), "z.patch")
    words = [f"alice={here}", f"alice={same}", f"alice={other}", f"bob={here}"]

    digests = [digest_choices(choose_drivers(plan, None, (word,))) for word in words]

    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def series(tmp_path: Path, *files: str) -> PatchSeries:
    text = "".join(GOOD.replace("drivers/net/xen-netfront.c", file) for file in files)
    return PatchSeries.read(write(tmp_path, text, "x.patch"))


@pytest.mark.parametrize(
    ("files", "patched"),
    [
        ([NETFRONT], {"alice", "bob"}),
        ([NETBACK], {"dom0"}),
        (["include/xen/interface/io/netif.h"], {"dom0", "alice", "bob"}),
    ],
)
def test_series_is_put_on_every_driver_that_it_changes(
    plan: LabPlan, tmp_path: Path, files: list[str], patched: set[str]
) -> None:
    chosen = patch_drivers(plan, {}, series(tmp_path, *files))

    assert {node for node, each in chosen.items() if not each.is_stock} == patched
    assert set(chosen) == {"dom0", "alice", "bob"}


def test_series_is_put_on_top_of_the_one_that_the_base_has(plan: LabPlan, tmp_path: Path) -> None:
    base = choose_drivers(plan, None, (f"alice={LIMIT}",))
    chosen = patch_drivers(plan, base, series(tmp_path, NETFRONT))

    assert {node: each.name for node, each in chosen.items()} == {
        "dom0": "stock", "alice": f"{LIMIT}+x", "bob": "x"
    }  # fmt: skip
    assert chosen["alice"].series is not None
    assert len(chosen["alice"].series.patches) == 2


def test_series_for_elsewhere_is_none_for_drivers(plan: LabPlan, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"net/core/skbuff\.c.* takes a whole kernel"):
        patch_drivers(plan, {}, series(tmp_path, NETFRONT, "net/core/skbuff.c"))


def test_series_on_no_code_is_refused(plan: LabPlan, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing that a kernel is built from"):
        patch_drivers(plan, {}, series(tmp_path, "Documentation/networking/x.rst"))


@pytest.fixture
def elsewhere(tmp_path: Path) -> UpOrder:
    """dom0 and alice run a kernel that was built elsewhere, bob one of a package."""
    modules = tmp_path / "6.9.0-mine"
    modules.mkdir()
    (tmp_path / "bzImage").write_bytes(b"")
    word = f"{tmp_path / 'bzImage'}:{modules}"
    return UpOrder(topology="pair", dom0_kernel=word, domu_kernel=(f"alice={word}",))


def test_stock_driver_is_built_of_the_tree_that_patched_ones_are_built_of(
    elsewhere: UpOrder,
) -> None:
    plan, fronts = elsewhere.plan(), (DriverKind.NETFRONT,)

    rebuilt = rebuild_drivers(plan, {}, fronts)

    assert {node: (each.name, each.is_stock) for node, each in rebuilt.items()} == {
        "alice": ("stock-rebuilt", False)
    }
    assert rebuilt["alice"].series is not None
    assert rebuilt["alice"].series.patches == ()
    assert set(rebuild_drivers(plan, {}, tuple(DriverKind))) == {"dom0", "alice"}
    assert rebuild_drivers(plan, {}, ()) == {}


def test_driver_with_a_series_on_it_is_of_that_tree_anyway(
    elsewhere: UpOrder, tmp_path: Path
) -> None:
    both, mine = tuple(DriverKind), series(tmp_path, NETFRONT)
    base = replace(elsewhere, rebuilt=both)
    patched = replace(base, series=mine)
    based = replace(base, netfront=(LIMIT,))

    assert {node: each.name for node, each in patched.choose_drivers(base.plan()).items()} == {
        "dom0": "stock-rebuilt", "alice": "x", "bob": "x"
    }  # fmt: skip
    assert based.choose_drivers(base.plan())["alice"].name == LIMIT
