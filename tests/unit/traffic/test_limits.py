"""The limits of a link are known of series that a kernel has built in, as of those by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from xenlab.errors import MeasurementError
from xenlab.guest.device_state import MARK
from xenlab.plan.model import DOM0
from xenlab.plan.planner import plan_lab
from xenlab.slots.limits import STOCK, Limits, Relocation
from xenlab.slots.series import limits_with
from xenlab.topology.loading import load_topology
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.limits import limits_of
from xenlab.transport.shell import CommandResult
from xenlab.waiting import Deadline

PLAN = plan_lab(load_topology("pair"))
LINK = next(link for link in PLAN.links() if link.source == "alice" and link.sink == "bob")
FROM_DOM0 = next(link for link in PLAN.links() if link.source == DOM0)
SLOTS_MAX = "/sys/module/xen_netfront/parameters/slots_max"
FATAL = "/sys/module/xen_netback/parameters/fatal_skb_slots"
NEGOTIATED, COPY, REPACK = "negotiated-slots", "frontend-copy-to-pages", "frontend-repack"
SETTINGS = (
    MARK, '[{"gso_max_size":65536,"gso_max_segs":65535}]', MARK, "tx-scatter-gather: on",
    "tx-tcp-segmentation: on",
)  # fmt: skip
RELOCATES = "eth0:      tx_relocated: 0"


@dataclass(frozen=True)
class Told:
    """A node: what of its files and device statistics there is, and on what its vif agrees."""

    lines: Sequence[str]
    agreement: str
    where = "x"

    def run(self, argv: Sequence[str], *, deadline: Deadline) -> CommandResult:  # noqa: ARG002
        asked = [line for line in self.lines if line.partition(":")[0] in argv]
        return answer("\n".join(asked))

    def run_script(
        self,
        _text: str,
        *words: str,
        deadline: Deadline,  # noqa: ARG002
    ) -> CommandResult:
        assert words[0] == "eth0"
        settings = (*SETTINGS, MARK, self.agreement) if words[1] == "0" else SETTINGS[:2]
        return answer("\n".join((*self.lines, *settings, "")))


@dataclass(frozen=True)
class ToldLab:
    """A lab whose nodes are read and nothing else."""

    drivers: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, Sequence[str]] = field(default_factory=dict)
    agreement: str = ""
    frags: int = 17
    plan = PLAN

    def shell(self, node: str) -> Told:
        return Told(self.lines.get(node, ()), self.agreement if node == "alice" else "")

    def driver(self, node: str) -> str:
        return self.drivers.get(node, "stock")

    def max_skb_frags(self, _node: str) -> int:
        return self.frags

    def budget(self, seconds: float) -> Deadline:
        return Deadline.after(seconds)


def answer(text: str) -> CommandResult:
    return CommandResult(
        where="x", argv=(), status=0, stdout=text.encode(), stderr=b"", elapsed_s=0.0
    )


def read(lab: ToldLab) -> Limits:
    return limits_of(cast(LabHandle, lab), LINK)


def agreed(offered: int, requested: int) -> str:
    return f"{offered} {requested}"


def named(netfront: str, netback: str = "stock") -> dict[str, str]:
    return {DOM0: netback, "alice": netfront}


def test_stock_drivers_have_the_limits_of_the_stock_model() -> None:
    assert read(ToldLab()) == STOCK
    assert limits_of(cast(LabHandle, ToldLab()), FROM_DOM0) == STOCK


@pytest.mark.parametrize(("frags", "slots"), [(17, 35), (45, 91)])
def test_series_built_into_both_kernels_has_the_limits_of_the_two_by_name(
    frags: int, slots: int
) -> None:
    by_name = ToldLab(drivers=named(NEGOTIATED, NEGOTIATED), frags=frags)
    built_in = ToldLab(agreement=agreed(slots, slots), frags=frags)

    assert read(built_in) == read(by_name)
    assert read(built_in).frontend_slots == slots


def test_frontend_that_asks_for_what_it_has_anyway_is_a_stock_one() -> None:
    assert read(ToldLab(agreement=agreed(35, 18))) == STOCK


def test_drivers_that_are_to_agree_by_name_have_to_whatever_they_wrote() -> None:
    both = named(NEGOTIATED, NEGOTIATED)

    wanted = limits_with(NEGOTIATED, NEGOTIATED)
    assert read(ToldLab(drivers=both)) == wanted
    assert read(ToldLab(drivers=both, agreement=agreed(20, 20))) == wanted


def test_frontend_of_a_limit_of_its_own_keeps_it_beside_what_another_asked_for() -> None:
    lab = ToldLab(lines={"alice": [f"{SLOTS_MAX}:64"]}, agreement=agreed(35, 35))

    assert (read(lab).frontend_slots, read(lab).backend_slots) == (64, 34)


@pytest.mark.parametrize(
    ("agreement", "told"),
    [
        (agreed(35, 36), "asks for 36 slots, and 35 are offered"),
        (agreed(0, 35), "asks for 35 slots, and 0 are offered"),
        (agreed(300, 300), "asks for 300 slots"),
        ("35 many", "request-max-tx-slots: no numbers in '35 many'"),
    ],
)
def test_agreement_that_is_none_is_not_guessed(agreement: str, told: str) -> None:
    with pytest.raises(MeasurementError, match=told):
        read(ToldLab(agreement=agreement))


@pytest.mark.parametrize(
    ("name", "relocation"), [(COPY, Relocation.COPY), (f"{REPACK}+mine", Relocation.REPACK)]
)
def test_frontend_that_relocates_is_known_by_its_name(name: str, relocation: Relocation) -> None:
    lab = ToldLab(drivers=named(name), lines={"alice": [RELOCATES]})

    assert read(lab).relocation is relocation


@pytest.mark.parametrize("name", ["stock", "mine"])
def test_frontend_that_relocates_and_has_no_name_is_not_taken_for_the_stock_one(name: str) -> None:
    with pytest.raises(MeasurementError, match=f"the netfront {name} relocates packets"):
        read(ToldLab(drivers=named(name), lines={"alice": [RELOCATES]}))


def test_parameters_of_running_drivers_are_read() -> None:
    lab = ToldLab(lines={"alice": [f"{SLOTS_MAX}:20"], DOM0: [f"{FATAL}:40"]})

    assert (read(lab).frontend_slots, read(lab).fatal_skb_slots) == (20, 40)
