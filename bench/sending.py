"""The rate of layouts beside pktgen's through the same vif: a program in a lab that is up.

A second of layouts holds all of it: composed and predicted, sent by a domU, taken in dom0 and
compared byte by byte, and each prediction compared with what was seen; with the counters of both
ends before and after. pktgen's packets, of as many bytes as the largest of the layouts, go the same
way in turns with them; its rate is its own, to the last packet given to the driver.
"""

from __future__ import annotations

import time
from itertools import islice

import click

from bench.documents import SendingDocument
from xenlab.errors import MeasurementError
from xenlab.lab import open_lab
from xenlab.measure.disagreements import find_disagreements, find_miscounts
from xenlab.measure.load import LoadSpec
from xenlab.plan.model import DOM0, Link
from xenlab.slots.layout import Layout
from xenlab.slots.pktgen import PktgenFrame
from xenlab.slots.random_layouts import Mix, random_layouts
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.layouts import composers_loaded, send_layouts
from xenlab.traffic.pktgen import loading

SEED = 20140518
# What an Ethernet frame holds, in one to four slots, at every edge of a page: with 46 KB each, as
# the layouts of the suites have on average, the bytes would be measured and not the composer.
FRAME_BYTES = 1514
MIX = Mix(most_slots=4, max_frags=3, max_length_bytes=FRAME_BYTES)


def rate_pktgen(lab: LabHandle, link: Link, packets: int) -> int:
    """Packets a second of pktgen. Raises MeasurementError if one of them is lost."""
    with loading(lab, link) as loader:
        spec = LoadSpec(
            frame=PktgenFrame(size_bytes=FRAME_BYTES, frags=0),
            packets=packets,
            queues=loader.queues,
        )
        load = loader.run(spec)
    if not load.balanced:
        raise MeasurementError(f"{load.subject}: pktgen's packets do not add up")
    return load.packets_a_second


def rate_layouts(lab: LabHandle, link: Link, layouts: tuple[Layout, ...], seed: int) -> float:
    """Layouts a second. Raises MeasurementError if one of them does not meet its fate."""
    start_s = time.monotonic()
    run = send_layouts(lab, link, layouts, seed=seed)
    wrong = [*map(str, find_disagreements(run)), *find_miscounts(run)]
    elapsed_s = time.monotonic() - start_s
    if wrong:
        raise MeasurementError(f"{run.subject}: {len(wrong)} are not as predicted: {wrong[0]}")
    return len(layouts) / elapsed_s


@click.command()
@click.option("--lab", "name", required=True)
@click.option("--runs", required=True, type=click.IntRange(min=1))
@click.option("--layouts", "count", required=True, type=click.IntRange(min=1))
def main(name: str, runs: int, count: int) -> None:
    """Print the rates of all runs as JSON."""
    layouts = tuple(islice(random_layouts(SEED, MIX), count))
    sent, generated = [], []
    with open_lab(name) as lab:
        link = next(one for one in lab.plan.links() if one.source_vif and one.sink == DOM0)
        with composers_loaded(lab, link):
            for run in range(runs):
                generated.append(rate_pktgen(lab, link, count))
                sent.append(rate_layouts(lab, link, layouts, SEED + run))
    document = SendingDocument(layouts_a_second=tuple(sent), pktgen_a_second=tuple(generated))
    click.echo(document.model_dump_json())


if __name__ == "__main__":
    main()
