"""Trials: how the figures of the lab's life are measured, by running the real commands."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import figures, patches
from bench.documents import SendingDocument, UpDocument
from bench.figures import Figure, Outcome, Phase
from bench.model import rate_of_reading, spread_layouts, time_prediction
from bench.programs import ProgramFailed
from bench.workspace import DOWN_LIMIT_S, Workspace, copy_packages

IMAGES_LIMIT_S = 600.0
QUICK_LIMIT_S = 10.0
LAYOUTS = 500_000
PAIR_DOMUS, QUAD_DOMUS = 2, 4
# Enough that what a batch costs beside its packets is little, and less than one batch may have.
SENT = 20_000
SENDING_LIMIT_S = 600.0
SUITES = ("smoke", "slots", "compound", "gso", "fraglist", "rx")
SUITES_LIMIT_S = 7200.0
IOMMU_CELL = "iommu-i2"
NOT_IN_A_LAB = {
    figures.IMAGES, figures.HELP, figures.LAYOUTS, figures.LAYOUTS_READ, figures.MODULE,
    figures.KERNEL, figures.KERNEL_AGAIN, figures.IOMMU_CELL, figures.IOMMU,
}  # fmt: skip
IN_A_LAB = tuple(figure for figure in figures.FIGURES if figure not in NOT_IN_A_LAB)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Measures in one workspace, `runs` times each, and says what it does through `report`."""

    workspace: Workspace
    runs: int
    report: Callable[[str], None]
    wanted: frozenset[Figure] = frozenset(figures.FIGURES)
    failures: dict[str, str] = field(default_factory=dict)

    def measure_all(self) -> Iterator[Outcome]:
        """Every figure wanted that xenlab alone can give, in the order they are measured."""
        steps: tuple[tuple[tuple[Figure, ...], Callable[[], Iterator[Outcome]]], ...] = (
            ((figures.IMAGES,), self.measure_images),
            (IN_A_LAB, self._make_checkpoints),
            ((figures.COLD, figures.COLD_RATIO, figures.FURTHER_DOMU), self.measure_cold),
            ((figures.CONNECTED,), lambda: self.measure_up(figures.CONNECTED)),
            ((figures.BARE,), lambda: self.measure_up(figures.BARE, "--from", "bare")),
            ((figures.CHECKPOINT, figures.STATUS), self.measure_standing_lab),
            ((figures.HELP,), lambda: self.measure_command(figures.HELP, "--help")),
            ((figures.LAYOUTS, figures.LAYOUTS_READ), self.measure_layouts),
            ((figures.SENT, figures.SENT_SHARE), self.measure_sending),
            ((figures.SLOTS,), lambda: self.measure_suites(figures.SLOTS, self.runs, "slots")),
            ((figures.SUITES,), lambda: self.measure_suites(figures.SUITES, 1, *SUITES)),
            ((figures.MODULE,), self.measure_module),
            ((figures.TRY_QUICK, figures.TRY), self.measure_tries),
            ((figures.KERNEL, figures.KERNEL_AGAIN), self.measure_kernel),
            ((figures.MUTANT,), self.measure_mutants),
            ((figures.IOMMU_CELL,), self.measure_iommu_cell),
            ((figures.IOMMU,), lambda: self.measure_suites(figures.IOMMU, 1, "iommu")),
        )
        for given, measure in steps:
            if wanted := self.wanted.intersection(given):
                yield from self._measure_step(wanted, measure)

    def _measure_step(
        self, wanted: frozenset[Figure], measure: Callable[[], Iterator[Outcome]]
    ) -> Iterator[Outcome]:
        """Those of a step that are wanted; one that fails takes none of the others with it."""
        try:
            yield from (each for each in measure() if each.figure in wanted)
        except ProgramFailed as error:
            self.fail(", ".join(sorted(figure.name for figure in wanted)), str(error))
            self.workspace.xenlab("down", "--all", limit_s=DOWN_LIMIT_S)

    def fail(self, names: str, why: str) -> None:
        """Take down what could not be had, and say so."""
        self.failures[names] = why
        self.report(f"{names}: not measured: {why}")

    def measure_cold(self) -> Iterator[Outcome]:
        """The topology pair from power-on, and what quad needs more."""
        cold = self._time_up(figures.COLD, "pair", "--cold")
        yield cold
        if figures.FURTHER_DOMU in self.wanted:
            yield self.measure_further_domu(cold)

    def measure_standing_lab(self) -> Iterator[Outcome]:
        """What a lab that is up takes and answers."""
        document = self._up("pair")[1]
        assert document.checkpoint is not None
        yield measure_checkpoint(document.checkpoint)
        yield from self.measure_command(figures.STATUS, "status")
        self.workspace.down()

    def measure_sending(self) -> Iterator[Outcome]:
        """Layouts a second, and their share of what pktgen does in turns with them."""
        self._up("pair")
        self.report(f"{figures.SENT.what}, beside pktgen, {self.runs} times")
        words = ("--lab", self.workspace.lab, "--runs", str(self.runs), "--layouts", str(SENT))
        argv = (sys.executable, "-m", "bench.sending", *words)
        ended = self.workspace.run(*argv, limit_s=SENDING_LIMIT_S * self.runs).require_success()
        self.workspace.down()
        document = SendingDocument.model_validate_json(ended.stdout)
        yield Outcome(figure=figures.SENT, samples=document.layouts_a_second)
        yield Outcome(figure=figures.SENT_SHARE, samples=document.shares_percent)

    def measure_suites(self, figure: Figure, runs: int, *suites: str) -> Iterator[Outcome]:
        """Wall time of `xenlab test`, its lab brought up and taken down; all of it must pass."""
        samples = []
        for run in range(runs):
            self.report(f"{figure.what} {run + 1}/{runs}")
            ended = self.workspace.xenlab("test", *suites, limit_s=SUITES_LIMIT_S)
            samples.append(ended.require_success().elapsed_s)
        yield Outcome(figure=figure, samples=tuple(samples))

    def measure_iommu_cell(self) -> Iterator[Outcome]:
        """The strict one, which has the most to do for each grant; its checkpoint is made first."""
        self.workspace.xenlab("up", IOMMU_CELL, "--no-proof").require_success()
        self.workspace.xenlab("down", IOMMU_CELL).require_success()
        words = ("iommu", "--quick", "--topology", IOMMU_CELL)
        yield from self.measure_suites(figures.IOMMU_CELL, self.runs, *words)

    def measure_module(self) -> Iterator[Outcome]:
        """The headers and the source are there from the first one on, which is not counted."""
        patches.time_module(self.workspace.root)
        samples = tuple(
            patches.time_module(self.workspace.root) for _ in self._runs(figures.MODULE.what)
        )
        yield Outcome(figure=figures.MODULE, samples=samples)

    def measure_tries(self) -> Iterator[Outcome]:
        """From a patch that is saved to its verdict; all suites once, for that takes minutes."""
        if figures.TRY_QUICK in self.wanted:
            patches.time_try(self.workspace, "--quick")  # the base is measured for all
            samples = tuple(
                patches.time_try(self.workspace, "--quick")
                for _ in self._runs(figures.TRY_QUICK.what)
            )
            yield Outcome(figure=figures.TRY_QUICK, samples=samples)
        if figures.TRY in self.wanted:
            self.report(figures.TRY.what)
            yield Outcome(figure=figures.TRY, samples=(patches.time_try(self.workspace),))

    def measure_kernel(self) -> Iterator[Outcome]:
        """Once: it takes minutes."""
        self.report(f"{figures.KERNEL.what}, and {figures.KERNEL_AGAIN.what}")
        times = patches.time_kernel(self.workspace)
        if times.virtme_ng_failure:
            self.fail("virtme-ng's kernel", times.virtme_ng_failure)
        for figure, sample_s, virtme_ng in (
            (figures.KERNEL, times.cold_s, times.virtme_ng_cold),
            (figures.KERNEL_AGAIN, times.again_s, times.virtme_ng_again),
        ):
            yield Outcome(figure=figure, samples=(sample_s,), virtme_ng=virtme_ng)

    def measure_mutants(self) -> Iterator[Outcome]:
        """One sample, the mean, for they are as many as they are."""
        self.report(figures.MUTANT.what)
        mean_s = statistics.mean(patches.time_mutants(self.workspace))
        yield Outcome(figure=figures.MUTANT, samples=(mean_s,))

    def measure_up(self, figure: Figure, *options: str) -> Iterator[Outcome]:
        """Wall time of `xenlab up pair`."""
        yield self._time_up(figure, "pair", *options)

    def _make_checkpoints(self) -> Iterator[Outcome]:
        """Both of pair's, for what is measured behind them; it gives no figure."""
        self._up_and_down("pair")
        yield from ()

    def _time_up(self, figure: Figure, topology: str, *options: str) -> Outcome:
        """Wall time of `xenlab up`, its verified ping included; the phases are the median run's."""
        timed = sorted(
            (self._up_and_down(topology, *options) for _ in self._runs(figure.what)),
            key=lambda run: run[0],
        )
        return Outcome(
            figure=figure,
            samples=tuple(elapsed_s for elapsed_s, _phases in timed),
            phases=timed[len(timed) // 2][1],
        )

    def measure_further_domu(self, pair: Outcome) -> Outcome:
        """What quad costs over the median of pair, for each domU that it has more."""
        quad = self._time_up(figures.FURTHER_DOMU, "quad", "--cold")
        further = QUAD_DOMUS - PAIR_DOMUS
        samples = tuple((elapsed_s - pair.median) / further for elapsed_s in quad.samples)
        return Outcome(figure=figures.FURTHER_DOMU, samples=samples, phases=quad.phases)

    def measure_images(self) -> Iterator[Outcome]:
        """Wall time of `xenlab images build` with a cache that holds the packages alone."""
        self.workspace.xenlab("images", "build", limit_s=IMAGES_LIMIT_S).require_success()
        samples = tuple(self._build_images() for _ in self._runs(figures.IMAGES.what))
        yield Outcome(figure=figures.IMAGES, samples=samples)

    def measure_command(self, figure: Figure, *words: str) -> Iterator[Outcome]:
        """Wall time of a command that only looks."""
        samples = tuple(
            self.workspace.xenlab(*words, limit_s=QUICK_LIMIT_S).require_success().elapsed_s
            for _ in self._runs(figure.what)
        )
        yield Outcome(figure=figure, samples=samples)

    def measure_layouts(self) -> Iterator[Outcome]:
        """Layouts a second, random ones of all slot counts, in batches as the suites have them."""
        columns = spread_layouts(LAYOUTS)
        samples = tuple(
            LAYOUTS / time_prediction(columns) for _ in self._runs(figures.LAYOUTS.what)
        )
        yield Outcome(figure=figures.LAYOUTS, samples=samples)
        read = tuple(rate_of_reading() for _ in self._runs(figures.LAYOUTS_READ.what))
        yield Outcome(figure=figures.LAYOUTS_READ, samples=read)

    def _runs(self, what: str) -> Iterator[int]:
        for run in range(self.runs):
            self.report(f"{what} {run + 1}/{self.runs}")
            yield run

    def _up(self, topology: str, *options: str) -> tuple[float, UpDocument]:
        path = self.workspace.root / "up.json"
        ended = self.workspace.up(topology, "--no-proof", "--json", str(path), *options)
        return ended.elapsed_s, UpDocument.model_validate_json(path.read_bytes())

    def _up_and_down(self, topology: str, *options: str) -> tuple[float, tuple[Phase, ...]]:
        elapsed_s, document = self._up(topology, *options)
        self.workspace.down()
        return elapsed_s, document.phase_times

    def _build_images(self) -> float:
        with tempfile.TemporaryDirectory(dir=self.workspace.cache, prefix="xlb-images-") as folder:
            copy_packages(self.workspace.cache / "xenlab", Path(folder) / "xenlab")
            alone = self.workspace.with_cache(Path(folder))
            return (
                alone.xenlab("images", "build", limit_s=IMAGES_LIMIT_S).require_success().elapsed_s
            )


def measure_checkpoint(checkpoint: Path) -> Outcome:
    """What a checkpoint, file or folder, takes on the disk: its blocks, for it may be sparse."""
    paths = (checkpoint, *checkpoint.rglob("*"))
    size_mb = sum(path.lstat().st_blocks * 512 for path in paths) / 1e6
    return Outcome(figure=figures.CHECKPOINT, samples=(size_mb,))
