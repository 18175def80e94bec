"""The limits of a link are those of its lab as it stands: one exchange with each node, at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import pytest

from xenlab.errors import MeasurementError
from xenlab.guest.device_state import MARK
from xenlab.kernel.driver import STOCK
from xenlab.plan.links import DOM0, Link
from xenlab.plan.planner import plan_lab
from xenlab.slots import limits as slots_limits
from xenlab.slots.limits import Limits
from xenlab.topology.loading import load_topology
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.limit_sight import FATAL_SLOTS, SLOTS_MAX
from xenlab.traffic.limits import limits_of
from xenlab.transport.shell import CommandResult
from xenlab.waiting import Deadline

LINKS = plan_lab(load_topology("pair")).links()
PARTS = (
    "tx-checksum-ipv4", "tx-checksum-ipv6", "tx-scatter-gather", "tx-tcp-segmentation",
    "tx-tcp6-segmentation",
)  # fmt: skip
ON = dict.fromkeys(PARTS, "on")


@dataclass
class Node:
    """A node that says what is set in it, and counts how often it is asked."""

    where: str
    files: dict[str, int] = field(default_factory=dict)
    features: dict[str, str] = field(default_factory=lambda: dict(ON))
    gso_max_size: int = 65536
    gso_max_segs: int = 65535
    xdp: bool = False
    asked: int = 0

    def run(self, argv: Sequence[str], *, deadline: Deadline) -> CommandResult:
        assert argv[:2] == ["xlflow", "read"]
        return self._answer(self._files(), deadline)

    def run_script(self, _script: str, *words: str, deadline: Deadline) -> CommandResult:
        assert words[0] == "eth0"
        xdp = ',"xdp":{"mode":1}' if self.xdp else ""
        size, segs = self.gso_max_size, self.gso_max_segs
        text = self._files() + f'{MARK}\n[{{"gso_max_size":{size},"gso_max_segs":{segs}{xdp}}}]\n'
        if words[1] != "-":
            text += f"{MARK}\n" + "".join(f"{k}: {v}\n" for k, v in self.features.items())
            text += f"{MARK}\n"  # drivers that agree on nothing
        return self._answer(text, deadline)

    def _files(self) -> str:
        return "".join(f"{path}:{value}\n" for path, value in self.files.items())

    def _answer(self, text: str, deadline: Deadline) -> CommandResult:
        assert deadline.remaining_s > 0
        self.asked += 1
        return CommandResult(
            where=self.where, argv=(), status=0, stdout=text.encode(), stderr=b"", elapsed_s=0.0
        )


@dataclass
class Standing:
    """A lab whose nodes are told what to say."""

    nodes: dict[str, Node]

    def shell(self, node: str) -> Node:
        return self.nodes[node]

    def budget(self, seconds: float) -> Deadline:
        return Deadline.after(seconds)

    def driver(self, _node: str) -> str:
        return STOCK

    def max_skb_frags(self, _node: str) -> int:
        return 17


def link_of(source: str, sink: str) -> Link:
    return next(link for link in LINKS if (link.source, link.sink) == (source, sink))


def read(link: Link, **nodes: Node) -> Limits:
    names = (DOM0, "alice", "bob")
    lab = Standing(nodes={name: nodes.get(name) or Node(where=name) for name in names})
    limits = limits_of(cast(LabHandle, lab), link)
    ends = {link.source, link.sink, DOM0}
    assert {name: node.asked for name, node in lab.nodes.items()} == {
        name: int(name in ends) for name in names
    }
    return limits


@pytest.mark.parametrize("ends", [("alice", "bob"), ("alice", DOM0), (DOM0, "bob")])
def test_lab_in_which_nothing_is_set_has_the_stock_limits(ends: tuple[str, str]) -> None:
    assert read(link_of(*ends)) == slots_limits.STOCK


def test_parameters_of_both_drivers_are_read() -> None:
    limits = read(
        link_of("alice", "bob"),
        dom0=Node(where=DOM0, files={FATAL_SLOTS: 40}),
        alice=Node(where="alice", files={SLOTS_MAX: 19}),
    )

    assert limits == Limits(fatal_skb_slots=40, frontend_slots=19)


def test_what_is_set_on_the_sending_device_is_in_the_limits() -> None:
    off = {"tx-scatter-gather": "off", "tx-tcp-segmentation": "off [requested on]"}
    link = link_of("alice", DOM0)

    assert read(link, alice=Node(where="alice", gso_max_size=8192)) == Limits(
        gso_max_size_bytes=8192
    )
    flat = Node(where="alice", features={**ON, **off, "tx-tcp6-segmentation": "off"})
    assert read(link, alice=flat) == Limits(scatter_gather=False)


@pytest.mark.parametrize("source", ["alice", DOM0])
def test_what_is_set_on_the_receiving_device_is_no_limit_of_the_sender(source: str) -> None:
    small = Node(where="bob", gso_max_size=8192, features={**ON, "tx-scatter-gather": "off"})

    assert read(link_of(source, "bob"), bob=small) == slots_limits.STOCK


@pytest.mark.parametrize(
    ("nodes", "command"),
    [
        (
            {"alice": Node(where="alice", features={**ON, "tx-tcp6-segmentation": "off"})},
            "xenlab exec alice -- ethtool -K eth0 tso on",
        ),
        (
            {
                "alice": Node(
                    where="alice",
                    features={
                        **ON,
                        "tx-checksum-ipv6": "off",
                        "tx-tcp6-segmentation": "off [requested on]",
                    },
                )
            },
            "xenlab exec alice -- ethtool -K eth0 tx on tso on",
        ),
        (
            {"alice": Node(where="alice", gso_max_segs=2)},
            "xenlab exec alice -- ip link set dev eth0 gso_max_segs 65535",
        ),
        (
            {"bob": Node(where="bob", xdp=True)},
            "xenlab exec bob -- ip link set dev eth0 xdp off",
        ),
    ],
)
def test_setting_that_the_model_does_not_know_is_named_with_the_command_that_takes_it_back(
    nodes: dict[str, Node], command: str
) -> None:
    with pytest.raises(MeasurementError) as raised:
        read(link_of("alice", "bob"), **nodes)

    assert f"`{command}`" in str(raised.value)


def test_everything_that_is_unknown_is_told_at_once() -> None:
    odd = Node(where="alice", gso_max_segs=2, features={**ON, "tx-tcp-segmentation": "off"})

    with pytest.raises(MeasurementError) as raised:
        read(link_of("alice", "bob"), alice=odd, bob=Node(where="bob", xdp=True))

    assert str(raised.value).count("xenlab exec") == 3
