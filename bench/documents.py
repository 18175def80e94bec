"""What bench reads of xenlab's JSON; each shape is parsed here and nowhere else."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bench.figures import Phase


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=False)


class UpDocument(_Document):
    """`xenlab up --json FILE`: seconds by phase, and the checkpoint that was made or used."""

    phases: dict[str, float]
    checkpoint: Path | None

    @property
    def phase_times(self) -> tuple[Phase, ...]:
        """The phases in the order in which they ended."""
        return tuple(
            Phase(name=name, elapsed_s=elapsed_s) for name, elapsed_s in self.phases.items()
        )


class FloorDocument(_Document):
    """`xenlab up --dry-run --bundle DIR --json FILE`: how to start the same machine by hand.

    `argv` has dom0's console on standard output; `ready` matches it once dom0 answers. `consoles`
    are the files with the domUs' consoles, each with what matches it once the domU answers. Then
    come the `steps`: programs to be run side by side, group after group, the last of them verified
    pings. `kernel_package` is the `.deb` that dom0 boots from.
    """

    argv: tuple[str, ...]
    ready: str
    consoles: dict[Path, str]
    steps: tuple[tuple[tuple[str, ...], ...], ...]
    kernel_package: Path


class SendingDocument(_Document):
    """`python -m bench.sending`: what was measured in each run, in turns."""

    layouts_a_second: tuple[float, ...]
    pktgen_a_second: tuple[float, ...]

    @property
    def shares_percent(self) -> tuple[float, ...]:
        """The layouts' rate as a share of pktgen's, run by run."""
        pairs = zip(self.layouts_a_second, self.pktgen_a_second, strict=True)
        return tuple(100 * sent / generated for sent, generated in pairs)


class MutantDocument(_Document):
    """One mutant of `xenlab mutants --json FILE`, or a harmless rewrite."""

    name: str
    elapsed_s: float
    harmless: bool


class MutantsDocument(_Document):
    """`xenlab mutants --json FILE`: all of them in the order in which they were tried."""

    mutants: tuple[MutantDocument, ...]
