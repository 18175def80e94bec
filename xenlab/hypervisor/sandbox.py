"""Sandbox: the process tree of one lab's libvirtd, which ends whole with its first process.

bubblewrap gives it an own PID namespace (no QEMU can outlive it), a /dev without /dev/kvm (with the
node in sight libvirt probes QEMU anew at every call), a read-only view of the host, and fixed paths
for the lab's state and the cache.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from xenlab.errors import Unavailable
from xenlab.hypervisor.daemon_user import DaemonUser
from xenlab.hypervisor.kvm_device import KvmDevice
from xenlab.registry.identity import ProcessIdentity
from xenlab.registry.places import LabPlaces
from xenlab.transport.process import which
from xenlab.waiting import Deadline, wait_until

# libvirtd is started again when it dies (its QEMU lives on and is adopted); SIGTERM ends both.
SUPERVISOR = """\
trap 'kill -TERM "$daemon" 2>/dev/null; exit 0' TERM
while :; do
    "$@" &
    daemon=$!
    wait "$daemon"
    echo "libvirtd ended with status $?; starting it again" >&2
done
"""
QEMU_LOGS = "libvirt/qemu/log"  # below XDG_CACHE_HOME (libvirt, qemu_conf.c)


def render_sandbox_argv(
    places: LabPlaces,
    user: DaemonUser,
    command: list[str],
    *,
    kvm: KvmDevice | None,
    dies_with_us: bool,
) -> list[str]:
    """The bubblewrap command line; nothing is run. `kvm` becomes the sandbox's /dev/kvm."""
    argv = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    if kvm:
        argv += ["--dev-bind", str(kvm.path), "/dev/kvm"]
    argv += ["--bind", str(places.run), str(places.run)]
    argv += ["--bind", str(places.cache), str(places.run / "cache")]
    argv += ["--bind", str(places.state), str(places.run / "lab")]
    # libvirtd writes QEMU's log into its cache, which all labs share: let it be this lab's.
    qemu_logs = places.inside(places.qemu_cache(kvm=bool(kvm)) / QEMU_LOGS)
    argv += ["--bind", str(places.logs), qemu_logs]
    argv += ["--unshare-pid", "--unshare-ipc"]
    if dies_with_us:
        argv.append("--die-with-parent")
    if user.switches:
        argv += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        groups = f"--groups={kvm.group}" if kvm and kvm.group else "--clear-groups"
        command = [
            "setpriv", f"--reuid={user.uid}", f"--regid={user.gid}", groups, "--no-new-privs",
            *command,
        ]  # fmt: skip
    return [*argv, *command]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A started sandbox, known by its first process: when that ends, the kernel ends all others."""

    init: ProcessIdentity
    outer_pid: int

    @classmethod
    def start(
        cls, places: LabPlaces, daemon_argv: list[str], env: dict[str, str], *,
        kvm: KvmDevice | None, dies_with_us: bool,
    ) -> Sandbox:  # fmt: skip
        """Start the daemon's process tree; Unavailable if this host cannot make a sandbox."""
        for program in ("bwrap", "setpriv", daemon_argv[0]):
            which(program)
        supervised = ["sh", "-c", SUPERVISOR, "xenlab-supervisor", *daemon_argv]
        argv = render_sandbox_argv(
            places, DaemonUser.choose(), supervised, kvm=kvm, dies_with_us=dies_with_us
        )
        log = places.logs / "sandbox.log"
        outer_pid, answer = _spawn_with_info_pipe(argv, env, log)
        if not answer:
            os.waitpid(outer_pid, 0)
            raise Unavailable(
                f"bubblewrap cannot make the sandbox: {log.read_text(errors='replace')[-400:]}",
                try_next="xenlab doctor",
            )
        return cls(init=ProcessIdentity.of(json.loads(answer)["child-pid"]), outer_pid=outer_pid)

    @property
    def alive(self) -> bool:
        """Whether the sandbox, and so the daemon and its QEMU, still runs."""
        return self.init.alive

    def stop(self, deadline: Deadline) -> None:
        """End the whole process tree; returns when it is gone."""
        self.init.kill()
        wait_until(lambda: not self.alive or None, "the sandbox to end", deadline)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.outer_pid, 0)


def _spawn_with_info_pipe(argv: list[str], env: dict[str, str], log: Path) -> tuple[int, bytes]:
    """Spawn bubblewrap in a session of its own; its pid and what it told about the sandbox."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)  # noqa: FBT003
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    argv = [argv[0], "--info-fd", str(writer), *argv[1:]]
    try:
        pid = os.posix_spawn(
            which(argv[0]), argv, env, setsid=True,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, output, 1),
                (os.POSIX_SPAWN_DUP2, output, 2),
            ],
        )  # fmt: skip
    finally:
        os.close(output)
        os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        return pid, pipe.read()
