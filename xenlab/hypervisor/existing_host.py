"""ExistingHost: a Xen host in place of a machine: reached, never started, saved or ended."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from xenlab.errors import ConnectionLost, GuestLost, LabError, Unavailable, WaitTimedOut
from xenlab.hypervisor.host_kernel_log import US_PER_S, render_kernel_log
from xenlab.plan.host import HostPlan
from xenlab.plan.links import DOM0
from xenlab.transport.host_login import HostLogin
from xenlab.transport.keys import SshKeys
from xenlab.transport.shell import CommandResult
from xenlab.transport.ssh import SshShell
from xenlab.waiting import Deadline

SCRIPTS = Path(__file__).parent / "host_scripts"
BASE = "/run/xenlab-host"  # of the one lab that may use a host at a time
ROOT = f"{BASE}/root"
TAKEN = 75  # what `claim` ends with: EX_TEMPFAIL
ANSWER_S = 10.0
PULL_S = 1.0
KERNEL_RECORDS = "dom0.kmsg"
# dropbear wants a socket, and a command of the host's SSH has pipes: it listens on the loopback.
JOIN = ["sh", "-c", f'exec chroot {ROOT} busybox nc 127.0.0.1 "$(cat {BASE}/port)"']


class HostLost(GuestLost):
    """A host that this lab uses does not answer any more."""


@dataclass(slots=True, kw_only=True)
class ExistingHost:
    """A host and, under a root of its own there, one lab's programs; see host_scripts.

    What a Machine can be asked it can be asked as well; what it cannot do raises LabError.
    """

    plan: HostPlan
    nodes: tuple[str, ...]
    logs: Path
    warnings: tuple[str, ...] = ()
    _shell: SshShell | None = None
    _since_us: int | None = None
    _pulled_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """As it is named to people."""
        return self.plan.address

    def shell(self, deadline: Deadline) -> SshShell:
        """A shell of the host's own, outside of the lab's root."""
        if self._shell is None or not self._shell.connected:
            login = HostLogin(
                user=self.plan.user,
                host=self.plan.host,
                port=self.plan.port,
                identity=Path(self.plan.identity),
                known_hosts=Path(self.plan.known_hosts),
            )
            self._shell = login.connect(deadline)
        return self._shell

    def run(
        self, script: str, *words: str, deadline: Deadline, stdin: bytes = b""
    ) -> CommandResult:
        """Run one of host_scripts there."""
        text = (SCRIPTS / script).read_text(encoding="ascii")
        return self.shell(deadline).run_script(text, *words, deadline=deadline, stdin=stdin)

    def read_inventory(self, deadline: Deadline) -> tuple[str, ...]:
        """What is there, a line a thing, sorted."""
        told = self.run("inventory", deadline=deadline).require_success()
        return tuple(sorted(set(told.text.splitlines())))

    def claim(self, lab_id: str, owner: str, deadline: Deadline) -> None:
        """Take the host for one lab; Unavailable, with the owner, while it is another's."""
        told = self.run("claim", BASE, lab_id, owner, deadline=deadline)
        if told.status == TAKEN:
            raise Unavailable(
                f"{self.name} is in use by {told.text.strip()}; two labs cannot share a host"
            )
        told.require_success()

    def furnish(self, archive: bytes, deadline: Deadline) -> None:
        """Lay out the lab's root, a tar archive, not yet compressed; its SSH server listens."""
        packed = gzip.compress(archive, compresslevel=1)
        self.run("furnish", BASE, deadline=deadline, stdin=packed).require_success()
        self.run("serve", BASE, deadline=deadline).require_success()

    def start(self, domus: Sequence[str], deadline: Deadline) -> tuple[tuple[str, int], ...]:
        """Create the domUs of the root; name and number of each."""
        told = self.run("start", BASE, *domus, deadline=deadline).require_success()
        return tuple((name, int(number)) for name, number in map(str.split, told.text.splitlines()))

    def clean(self, lab_id: str, deadline: Deadline) -> None:
        """End the lab there and put back what it changed; nothing where it is another's."""
        self.run("clean", BASE, lab_id, deadline=deadline).require_success()

    def connect_dom0(
        self, keys: SshKeys, deadline: Deadline, require_peer: Callable[[], None]
    ) -> SshShell:
        """The lab's own dom0 shell: the SSH server in its root, joined to a command of the host."""
        host = self.shell(deadline)
        return host.connect_by(JOIN, DOM0, keys, deadline, require_peer)

    def pull_consoles(self, deadline: Deadline) -> None:
        """Bring what the kernels have said since the last time into the lab's logs here."""
        files = {node: self.logs / f"{node}.console.log" for node in self.nodes}
        files[DOM0] = self.logs / KERNEL_RECORDS
        words = [
            word
            for node, path in files.items()
            for word in (node, str(path.stat().st_size if path.exists() else 0))
        ]
        rest = self.run("consoles", BASE, *words, deadline=deadline).require_success().stdout
        for path in files.values():
            length, _, rest = rest.partition(b"\n")
            with path.open("ab") as file:
                file.write(rest[: int(length)])
            rest = rest[int(length) :]
        records = files[DOM0].read_bytes()
        rendered = render_kernel_log(records, self._read_since(deadline))
        (self.logs / f"{DOM0}.console.log").write_bytes(rendered)

    def refresh_consoles(self) -> None:
        """As `pull_consoles`, but at most once a second; a host that is lost adds nothing.

        Whoever asks one of its nodes for something is told that it is.
        """
        with self._lock:
            if time.monotonic() - self._pulled_s < PULL_S:
                return
            with suppress(ConnectionLost, WaitTimedOut):
                self.pull_consoles(Deadline.after(ANSWER_S))
            self._pulled_s = time.monotonic()

    def _read_since(self, deadline: Deadline) -> int:
        """When the lab took the host, by its kernel's clock: what came before is not the lab's."""
        if self._since_us is None:
            told = self.shell(deadline).read_file(f"{BASE}/since", deadline=deadline)
            self._since_us = int(float(told.strip() or b"0") * US_PER_S)
        return self._since_us

    def state(self) -> str:
        """`running`, or that it does not answer."""
        try:
            self.shell(Deadline.after(ANSWER_S)).run(["true"], deadline=Deadline.after(ANSWER_S))
        except (LabError, Unavailable) as error:
            return f"not answering: {error.what}"
        return "running"

    def require_running(self) -> None:
        """Nothing, or HostLost, which names what is done about it."""
        state = self.state()
        if state != "running":
            reset = f"`{self.plan.reset}`" if self.plan.reset else "none is given"
            raise HostLost(f"the host {self.name} is {state}; its reset command: {reset}")

    require_life = require_running
    require_sanity = require_running

    def require_fresh_code(self) -> None:
        """Nothing: no emulator of ours runs its CPUs."""

    def host_delay_ms(self) -> int | None:
        """Nothing is known of what is below a host."""
        return None

    def busy_ns(self) -> int | None:
        """Nor how long that took."""
        return None

    def forwarded_ssh_port(self) -> int:
        """There is none: dom0's server is reached through a command of the host."""
        raise LabError(f"no port of {self.name} leads into the lab", try_next="xenlab exec dom0")

    def send_nmi(self) -> None:
        """Not to somebody's host."""
        raise LabError(f"{self.name} is not sent NMIs: it is not this lab's machine")

    def save_and_go_on(self, path: str) -> None:
        """A host has no checkpoints."""
        raise LabError(f"{self.name} cannot be saved to {path}: it is not this lab's machine")

    def destroy(self) -> None:
        """Not somebody's host."""
        raise LabError(f"{self.name} is not powered off: it is not this lab's machine")

    def close(self) -> None:
        """Let go of it."""
        if self._shell is not None:
            self._shell.close()
