"""Stored runs in which only what a test names is wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tests.unit.measure.accounts import through
from tests.unit.verdict.measurements import DATAGRAMS, lost, measured, udp
from xenlab.measure.bounces import BounceCell, BounceTable
from xenlab.measure.flow_account import FlowAccount, account_flows
from xenlab.measure.pv_memory import PvMemory
from xenlab.measure.slot_histogram import SlotHistogram, build_histogram
from xenlab.measure.strategy import StrategyRow, StrategyTable
from xenlab.report.exhibits import Exhibit, KeptExhibit, render_exhibit
from xenlab.report.results import SuiteRun, render_results
from xenlab.report.stored_run import Console, StoredRun, build_stored_run
from xenlab.slots.fate import Fate
from xenlab.slots.limits import STOCK
from xenlab.verdict.console import scan_console
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

SILENT = Verdict(
    rule="no loss", subject="alice -> bob udp4", outcome=Outcome.FAIL,
    reasons=("silent loss between vif1.0 and vif2.0: 12 of 60 packets",),
    numbers={"sent_packets": 60, "silent": 12}, control="60 packets counted",
)  # fmt: skip
PASSED = Verdict(rule="payload intact", subject="alice -> bob udp4", outcome=Outcome.PASS)


def calm_flow() -> FlowAccount:
    """60 packets of which all arrived."""
    return account_flows(measured(udp()))[0]


def silent_flow() -> FlowAccount:
    """12 of 60 packets lost between the vifs, and nobody says so."""
    return account_flows(measured(lost(12), counted=through(DATAGRAMS, vif2=DATAGRAMS - 12)))[0]


def dropped_flow() -> FlowAccount:
    """12 of 60 packets dropped, as bob's netfront admits."""
    counted = through(DATAGRAMS, bob=DATAGRAMS - 12) | {"bob eth0 rx_errors": 12}
    return account_flows(measured(lost(12), counted=counted))[0]


def damaged_flow() -> FlowAccount:
    """3 of 60 datagrams came damaged."""
    return account_flows(measured(udp(intact=DATAGRAMS - 3, corrupt=3)))[0]


def doubled_flow() -> FlowAccount:
    """2 packets came twice."""
    flow = udp(received=DATAGRAMS + 2, duplicates=2)
    return account_flows(measured(flow, counted=through(DATAGRAMS, vif2=DATAGRAMS + 2)))[0]


def histogram() -> SlotHistogram:
    """Something of every fate around the limits."""
    packets = {
        (1, Fate.INTACT): 900, (2, Fate.INTACT): 120, (17, Fate.INTACT): 40,
        (18, Fate.INTACT): 10, (18, Fate.LINEARISED): 6, (19, Fate.OVERFLOW): 30,
        (20, Fate.LOST): 8, (22, Fate.VIF_DISABLED): 1, (7, Fate.INTACT): 0,
    }  # fmt: skip
    return build_histogram("alice -> bob layouts", packets, STOCK)


def strategies() -> StrategyTable:
    """The default, one that costs throughput, and one in which nothing was sent."""

    def row(name: str, goodput_bps: float, sent_pkts: int) -> StrategyRow:
        return StrategyRow(
            name=name, setting=f"as {name}", goodput_bps=goodput_bps,
            payload_bytes=int(goodput_bps), cpu_ns=8 * 10**9, sent_pkts=sent_pkts,
            linearised_pkts=sent_pkts // 4, relocated_pkts=0, relocated_bytes=0, frag_list_pkts=0,
            drops_pkts=3,
        )  # fmt: skip

    rows = (row("default", 4e9, 1000), row("sg off", 1e9, 4000), row("none", 0.0, 0))
    return StrategyTable(subject="alice -> bob", rows=rows)


def bounces() -> BounceTable:
    """One sender out of scattered memory, with compound pages and without; and one that is idle."""

    def cell(source: str, bounced: int, packets: int, *, compound: bool) -> BounceCell:
        return BounceCell(
            source=source, sink="peer", memory=PvMemory.SCATTERED, compound=compound,
            forwarded=source != "dom0", packets=packets, bounces=bounced,
            bounced_bytes=1448 * bounced, maps=5 * packets // 4, busy_ns=20_000 * packets,
        )  # fmt: skip

    cells = (cell("dom0", 221, 1000, compound=True), cell("dom0", 0, 1000, compound=False))
    return BounceTable(
        subject="iommu none, dom0 pv", cells=(*cells, cell("alice", 0, 0, compound=True))
    )


def console(said: bytes, *, node: str = "alice") -> Console:
    """A console of the first run."""
    return Console(
        run=0, node=node, faults=scan_console(node, said), tail=said[-(1 << 17) :],
        log_bytes=len(said), path=f"/runs/1/consoles/0/{node}.console.log",
    )  # fmt: skip


def stored(
    *exhibits: Exhibit,
    verdicts: Sequence[Verdict] = (SILENT, PASSED),
    consoles: Sequence[Console] = (),
    complete: bool = True,
) -> StoredRun:
    """One run that was written and read back."""
    run = SuiteRun(name="smoke on pair", environment={"xen": "4.17"}, verdicts=tuple(verdicts))
    results = render_results([run], complete=complete, command="xenlab test smoke")
    lines = "".join(render_exhibit(KeptExhibit(run=0, exhibit=each)) for each in exhibits)
    return build_stored_run("20260101-1", results.encode(), lines.encode(), tuple(consoles))


def change(results: bytes, **fields: object) -> bytes:
    """Results with other fields."""
    return json.dumps(json.loads(results) | fields).encode()
