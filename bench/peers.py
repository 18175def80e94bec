"""Peers: the same machine started by hand with no xenlab, and virtme-ng on the same kernel."""

from __future__ import annotations

import os
import secrets
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.documents import FloorDocument
from bench.figures import COLD_RATIO, Outcome
from bench.programs import Ended, ProgramFailed, output_until_line, run_to_end, time_until_line
from bench.workspace import Workspace

VNG = Path(__file__).parents[1] / ".venv-bench" / "bin" / "vng"
LIMIT_S = 180.0
BUILD_LIMIT_S = 2 * 3600.0
NETFRONT_OBJECT = "drivers/net/xen-netfront.o"
XEN = ("CONFIG_XEN", "CONFIG_XEN_NETDEV_FRONTEND")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """Seconds that each peer needed, run by run."""

    bare_floor_s: tuple[float, ...]
    virtme_ng_s: tuple[float, ...]

    @property
    def bare_floor_median_s(self) -> float:
        """The middle run of the machine started by hand."""
        return statistics.median(self.bare_floor_s)

    @property
    def virtme_ng_median_s(self) -> float:
        """The middle run of virtme-ng."""
        return statistics.median(self.virtme_ng_s)

    def cold_ratio(self, cold: Outcome) -> Outcome:
        """A cold `up` as a ratio to the same machine started by hand."""
        ratios = tuple(sample_s / self.bare_floor_median_s for sample_s in cold.samples)
        return Outcome(figure=COLD_RATIO, samples=ratios)


def measure_peers(workspace: Workspace, runs: int, report: Callable[[str], None]) -> Peers:
    """The bare floor and virtme-ng, with what `xenlab up --dry-run` says of them."""
    path, bundle = workspace.root / "floor.json", workspace.root / "bundle"
    workspace.up("pair", "--dry-run", "--bundle", str(bundle), "--json", str(path))
    floor = FloorDocument.model_validate_json(path.read_bytes())
    kernel = unpack_kernel(workspace, floor.kernel_package)
    bare_floor_s, virtme_ng_s = [], []
    for run in range(runs):
        report(f"bare floor and virtme-ng {run + 1}/{runs}")
        bare_floor_s.append(time_bare_floor(workspace, floor))
        virtme_ng_s.append(time_virtme_ng(workspace, kernel))
    return Peers(bare_floor_s=tuple(bare_floor_s), virtme_ng_s=tuple(virtme_ng_s))


def time_bare_floor(workspace: Workspace, floor: FloorDocument) -> float:
    """Seconds to the verified pings when QEMU and ssh are run by hand with xenlab's own argv."""
    started_s = time.monotonic()
    for console in floor.consoles:
        console.write_bytes(b"")
    with output_until_line(floor.argv, floor.ready, env=workspace.env, limit_s=LIMIT_S):
        for console, ready in floor.consoles.items():
            tail = ("tail", "-c", "+1", "-f", str(console))
            time_until_line(tail, ready, env=workspace.env, limit_s=LIMIT_S)
        for group in floor.steps:
            _run_side_by_side(workspace, group)
        return time.monotonic() - started_s


def _run_side_by_side(workspace: Workspace, group: Sequence[Sequence[str]]) -> None:
    """Run programs at the same time; ProgramFailed unless all of them succeed."""
    with ThreadPoolExecutor(max_workers=len(group)) as pool:
        for ended in pool.map(lambda argv: workspace.run(*argv, limit_s=LIMIT_S), group):
            ended.require_success()


def unpack_kernel(workspace: Workspace, package: Path) -> Path:
    """The bzImage of a kernel package, unpacked into the workspace with its modules beside it."""
    folder = workspace.root / "kernel"
    workspace.run("dpkg-deb", "-x", str(package), str(folder)).require_success()
    version = next(folder.glob("lib/modules/*")).name
    workspace.run("depmod", "-b", str(folder), version).require_success()
    return next(folder.glob("boot/vmlinuz-*"))


def time_virtme_ng(workspace: Workspace, kernel: Path) -> float:
    """Seconds until virtme-ng has booted one plain VM under TCG and a command printed its line.

    The word is new each time and virtme-ng passes it on encoded, so that no echo can be taken for
    it. The exit status is not looked at: it comes back as 255 for a command that returned 0.
    """
    word = secrets.token_hex(8)
    argv = (
        *(str(VNG), "--run", str(kernel), "--disable-kvm", "--force-9p", "--verbose"),
        *("--user", "root", "--cpus", "2", "--memory", "1G", "--", f"echo {word}"),
    )
    env = workspace.env | {"PATH": f"{VNG.parent}{os.pathsep}{os.environ['PATH']}"}
    return time_until_line(argv, rf"^{word}\r?$", env=env, limit_s=LIMIT_S)


def build_by_virtme_ng(workspace: Workspace, tree: Path) -> Ended:
    """Build the kernel that virtme-ng recommends in a source tree, with netfront in it."""
    items = [word for symbol in XEN for word in ("--configitem", f"{symbol}=y")]
    argv = ("env", f"--chdir={tree}", str(VNG), "--build", *items)
    path = {"PATH": f"{VNG.parent}{os.pathsep}{os.environ['PATH']}"}
    ended = run_to_end(argv, env=workspace.env | path, limit_s=BUILD_LIMIT_S).require_success()
    if not (tree / NETFRONT_OBJECT).is_file():
        raise ProgramFailed(f"virtme-ng built no {NETFRONT_OBJECT}:\n{ended.tail}")
    return ended
