"""One lab for all tests of this level, with a state directory of its own; the cache is shared."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from xenlab.lab import Lab, open_lab
from xenlab.registry.places import state_digest
from xenlab.registry.sweep import MARKER

PROGRAM = "import sys; sys.argv[0] = 'xenlab'; from xenlab.cli.main import main; main()"
ROOT = Path(__file__).parents[2]
LIMIT_S = 400.0
LAB = "pair"


@dataclass(frozen=True, slots=True, kw_only=True)
class Xenlab:
    """The command line in a home of its own."""

    state_home: Path

    @property
    def state(self) -> Path:
        """Where it keeps its labs."""
        return self.state_home / "xenlab"

    @property
    def env(self) -> dict[str, str]:
        """The environment of every command."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("XENLAB_")}
        return kept | {"XDG_STATE_HOME": str(self.state_home), "NO_COLOR": "1"}

    @property
    def argv(self) -> list[str]:
        """What every command line begins with."""
        return [sys.executable, "-c", PROGRAM]

    def run(self, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end, whatever its exit code; a failure shows what it said."""
        done = subprocess.run(
            [*self.argv, *words], input=stdin, capture_output=True, env=self.env, cwd=ROOT,
            timeout=LIMIT_S, check=False,
        )  # fmt: skip
        sys.stderr.write(f"$ xenlab {shlex.join(words)}\n{done.stderr.decode(errors='replace')}")
        return done

    def succeed(self, *words: str, stdin: bytes = b"") -> str:
        """Run a command that has to succeed; its standard output."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")
        return done.stdout.decode()

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command whose output is read as it comes."""
        return subprocess.Popen(
            [*self.argv, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=self.env, cwd=ROOT,
        )  # fmt: skip

    def find_processes(self, lab_id: str = "") -> list[str]:
        """The processes of one lab, or of all labs of this home.

        Those of the sandbox have a marker in their environment; libvirt gives QEMU a clean one, but
        its command line has the lab's run directory.
        """
        mark = f"{MARKER}={self.digest()}:{lab_id}".encode()
        directory = f"/{self.digest()}/{lab_id[:8]}".encode()
        return [
            entry.name
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit()
            and (mark in _read(entry / "environ") or directory in _read(entry / "cmdline"))
        ]

    def digest(self) -> str:
        """What tells this home from others in markers and run directories."""
        with self.home():
            return state_digest()

    @contextmanager
    def home(self) -> Iterator[None]:
        """This process in that home too."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_STATE_HOME", str(self.state_home))
            yield

    @contextmanager
    def open(self, name: str) -> Iterator[Lab]:
        """One of its labs, to be spoken to from this process."""
        with self.home(), open_lab(name) as opened:
            yield opened

    @contextmanager
    def bring_up(self, name: str, *words: str, topology: str = LAB) -> Iterator[Lab]:
        """A lab for one file of tests; gone behind it, for idle kernels cost time too."""
        self.succeed("up", topology, "--lab", name, "--no-proof", *words)
        try:
            with self.open(name) as opened:
                yield opened
        finally:
            if (self.state / "labs" / name).exists():  # a test may have taken it down
                self.succeed("down", name)


def _read(path: Path) -> bytes:
    # A process may end while it is looked at, and those of other users are not ours to read.
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.fixture(scope="session")
def xenlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Xenlab]:
    """The command line; every lab that tests left is taken down at the end."""
    opened = Xenlab(state_home=tmp_path_factory.mktemp("state"))
    try:
        yield opened
    finally:
        opened.succeed("down", "--all")
        assert opened.find_processes() == []


@pytest.fixture(scope="session")
def lab(xenlab: Xenlab) -> str:
    """The name of a lab of `pair` that is up; from a checkpoint where there is one."""
    xenlab.succeed("up", LAB, "--no-proof")
    return LAB


@pytest.fixture(scope="module")
def opened(xenlab: Xenlab, lab: str) -> Iterator[Lab]:
    """That lab, to be spoken to; no kernel's word that was lost to an earlier test is missed."""
    with xenlab.open(lab) as opened:
        opened.restore_silence()
        yield opened
