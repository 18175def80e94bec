"""Faults in real labs: each ends in time, says what it is, and leaves nothing behind.

F1, F2, F3, F5, F12, F17, F19 and F20 of the fault list; labs come from checkpoints where they can.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.lab.conftest import ROOT, Xenlab
from xenlab.errors import BootFailed
from xenlab.hypervisor import machine
from xenlab.hypervisor.acceleration import Acceleration
from xenlab.lab import Lab, open_lab
from xenlab.life import boot
from xenlab.life.boot import TAIL_LINES
from xenlab.life.order import Undertaking, UpOrder
from xenlab.life.phases import Phases
from xenlab.life.up import COLD_BOOT, BringUp
from xenlab.plan.model import Accel
from xenlab.registry.places import runtime_root
from xenlab.transport.process import which
from xenlab.waiting import Deadline, wait_until

F1_LIMIT_S = 5.0
SOON_S = 20.0
START_LIMIT_S = 90.0

# The first test is over when the second begins, which goes on until somebody ends it.
TESTS = """
from pathlib import Path
from xenlab.waiting import Deadline

def test_that_ends(dom0, judge):
    assert dom0.run(["true"], deadline=Deadline.after(20)).status == 0

def test_that_goes_on(dom0):
    Path({marker!r}).touch()
    dom0.run(["sleep", "100"], deadline=Deadline.after(100))
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Xenlab]:
    """The command line in a home of this test's own; this process looks at the same labs."""
    opened = Xenlab(state_home=tmp_path / "state")
    monkeypatch.setenv("XDG_STATE_HOME", str(opened.state_home))
    try:
        yield opened
    finally:
        opened.succeed("down", "--all")
        assert opened.find_processes() == []
        assert not runtime_root().exists()


def find_pids(home: Xenlab, program: str, name: str) -> list[int]:
    """The processes of a program in a lab."""
    lab_id = json.loads((home.state / "labs" / name / "record.json").read_text())["lab_id"]
    commands = {
        int(pid): Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
        for pid in home.find_processes(lab_id)
        if Path(f"/proc/{pid}").exists()
    }
    return [pid for pid, command in commands.items() if command.endswith(program.encode())]


def await_machine(home: Xenlab, name: str) -> int:
    """The pid of a lab's QEMU, as soon as it runs."""

    def find() -> int | None:
        with contextlib.suppress(FileNotFoundError):
            return next(iter(find_pids(home, "qemu-system-x86_64", name)), None)
        return None

    return wait_until(find, f"the machine of lab {name}", Deadline.after(START_LIMIT_S))


def await_end_of_all(home: Xenlab) -> None:
    wait_until(lambda: home.find_processes() == [], "no process", Deadline.after(F1_LIMIT_S))


def start_tests(home: Xenlab, folder: Path) -> subprocess.Popen[bytes]:
    """`xenlab test` in a lab of its own, in the middle of its second test."""
    testing = home.start(*write_tests(folder))
    await_second_test(testing, folder)
    return testing


def write_tests(folder: Path) -> tuple[str, ...]:
    """Write the tests; the words that run them."""
    (folder / "test_own.py").write_text(TESTS.format(marker=str(folder / "marker")))
    return ("test", str(folder / "test_own.py"), "--lab", "trial")


def await_second_test(testing: subprocess.Popen[bytes], folder: Path) -> None:
    def has_begun() -> bool:
        if testing.poll() is not None:
            said = testing.stderr.read() if testing.stderr else b"it ended"
            raise AssertionError(said.decode(errors="replace"))
        return (folder / "marker").exists()

    wait_until(has_begun, "the second test", Deadline.after(START_LIMIT_S))


def read_results(home: Xenlab) -> str:
    (path,) = (home.state / "runs").glob("*/results.json")
    assert json.loads(path.read_text())["complete"] is False
    return path.read_text()


@pytest.mark.usefixtures("lab")  # its checkpoint
class TestKilledXenlab:
    """F1: nobody runs cleanup code; the kernel ends the lab, and the next command sweeps."""

    def test_in_the_boot_phase(self, home: Xenlab) -> None:
        with home.start("test", "smoke", "--cold", "--lab", "trial") as testing:
            await_machine(home, "trial")
            testing.kill()
            testing.communicate(timeout=SOON_S)
        await_end_of_all(home)
        assert "died" in home.succeed("status")
        assert "trial" in home.succeed("gc", "--limit", "1TiB")
        assert not (home.state / "labs" / "trial").exists()

    def test_in_the_test_phase(self, home: Xenlab, tmp_path: Path) -> None:
        with start_tests(home, tmp_path) as testing:
            testing.kill()
            testing.communicate(timeout=SOON_S)
        await_end_of_all(home)
        assert "test_that_ends" in read_results(home)
        assert b"swept lab trial" in home.run("up", "pair", "--no-proof", "--lab", "next").stderr
        assert not (home.state / "labs" / "trial").exists()


@pytest.mark.usefixtures("lab")
class TestInterruptedXenlab:
    """F2: once is a request, twice is an order."""

    def test_once_ends_in_good_order(self, home: Xenlab, tmp_path: Path) -> None:
        with start_tests(home, tmp_path) as testing:
            testing.send_signal(signal.SIGINT)
            _out, said = testing.communicate(timeout=SOON_S)
        assert testing.returncode == 130, said.decode(errors="replace")
        assert b"Traceback" not in said
        assert home.find_processes() == []
        assert not (home.state / "labs" / "trial").exists()
        assert "test_that_ends" in read_results(home)

    def test_twice_ends_a_bring_up_at_once_and_the_next_one_sweeps(self, home: Xenlab) -> None:
        with start_unread(home, "up", "pair", "--cold", "--lab", "trial") as (coming_up, silence):
            await_machine(home, "trial")
            interrupt_twice(coming_up, silence)
        assert find_pids(home, "qemu-system-x86_64", "trial"), "nobody has ended it yet"
        assert "died" in home.succeed("status")

        swept = home.run("up", "pair", "--no-proof", "--lab", "next")
        assert b"swept lab trial: its owner was gone" in swept.stderr
        assert not (home.state / "labs" / "trial").exists()
        home.succeed("down", "next")
        assert home.find_processes() == []

    def test_twice_ends_a_test_at_once_with_its_lab(self, home: Xenlab, tmp_path: Path) -> None:
        words = write_tests(tmp_path)
        with start_unread(home, *words) as (testing, silence):
            await_second_test(testing, tmp_path)
            interrupt_twice(testing, silence)
        await_end_of_all(home)
        assert "test_that_ends" in read_results(home)
        assert home.succeed("gc", "--limit", "1TiB").split()[2:4] == ["lab", "trial"]
        assert not (home.state / "labs" / "trial").exists()


Unread = tuple[subprocess.Popen[bytes], Callable[[], None]]


@contextlib.contextmanager
def start_unread(home: Xenlab, *words: str) -> Iterator[Unread]:
    """A command, and how to let it say no more word on stderr: its next one is never taken.

    Whoever says something before taking a lab down, as `xenlab` does, then never begins with it.
    """
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, os.sysconf("SC_PAGE_SIZE"))
    ours = os.open(f"/proc/self/fd/{write}", os.O_WRONLY | os.O_NONBLOCK)

    def silence() -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(ours, b".")

    argv = [*home.argv, *words]
    try:
        with subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=write, env=home.env,
            cwd=ROOT,
        ) as command:  # fmt: skip
            try:
                yield command, silence
            finally:
                command.kill()
    finally:
        for descriptor in (read, write, ours):
            os.close(descriptor)


def interrupt_twice(command: subprocess.Popen[bytes], silence: Callable[[], None]) -> None:
    """Once, and again as soon as that was heeded; the second ends it, as 130 to a shell."""
    silence()
    command.send_signal(signal.SIGINT)
    heeded = partial(catches_no_more, command.pid, signal.SIGINT)
    wait_until(heeded, "the first signal to be heeded", Deadline.after(SOON_S))
    started_s = time.monotonic()
    command.send_signal(signal.SIGINT)
    assert command.wait(SOON_S) == -signal.SIGINT
    assert time.monotonic() - started_s < 2.0


def catches_no_more(pid: int, number: signal.Signals) -> bool:
    """Whether a process has no handler for a signal any more (proc(5), /proc/pid/status)."""
    status = Path(f"/proc/{pid}/status").read_text()
    (mask,) = re.findall(r"^SigCgt:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return not int(mask, 16) >> (number - 1) & 1


@pytest.mark.usefixtures("lab")
class TestDyingMachine:
    """F3: QEMU dies in the middle of a command."""

    def test_command_ends_at_once_and_the_state_is_told(
        self, xenlab: Xenlab, lab: str, home: Xenlab
    ) -> None:
        home.succeed("up", "pair", "--lab", "doomed", "--no-proof")
        with home.start("exec", "alice", "--", "sh", "-c", "echo on; sleep 100") as running:
            assert running.stdout is not None
            assert running.stdout.readline() == b"on\n"
            started_s = time.monotonic()
            os.kill(await_machine(home, "doomed"), signal.SIGKILL)
            _out, said = running.communicate(timeout=SOON_S)
            elapsed_s = time.monotonic() - started_s
        assert running.returncode == 6
        assert b"shut off (crashed)" in said
        assert elapsed_s < SOON_S / 2
        assert xenlab.succeed("exec", "--lab", lab, "alice", "--", "hostname") == "alice\n"

    def test_verdict_of_a_test_is_an_error_of_the_lab(self, home: Xenlab, tmp_path: Path) -> None:
        with start_tests(home, tmp_path) as testing:
            os.kill(await_machine(home, "trial"), signal.SIGKILL)
            out, said = testing.communicate(timeout=SOON_S)
        assert testing.returncode == 6, said.decode(errors="replace")
        assert b"LAB_ERROR" in out
        assert b"shut off (crashed)" in out


@pytest.mark.usefixtures("lab")
class TestDyingDaemon:
    """F5: libvirtd dies; its machine lives on, and whoever holds the lab finds it again."""

    def test_lab_goes_on_with_a_warning(self, home: Xenlab) -> None:
        home.succeed("up", "pair", "--lab", "trial", "--no-proof")
        machine = await_machine(home, "trial")
        with open_lab("trial") as lab:
            assert hostname_of(lab, "alice") == "alice"
            (daemon,) = find_pids(home, "libvirtd", "trial")
            os.kill(daemon, signal.SIGKILL)

            assert hostname_of(lab, "bob") == "bob", "control does not need libvirt"
            assert lab.machine.state() == "running"
            assert lab.ssh_port() > 0
            assert [re.match("libvirt went away and was found", one) is not None
                    for one in lab.warnings] == [True]  # fmt: skip
        assert await_machine(home, "trial") == machine
        assert "up (running)" in home.succeed("status", "--full")
        assert home.succeed("exec", "alice", "--", "hostname") == "alice\n"

    def test_machine_that_died_meanwhile_is_told_as_that(self, home: Xenlab) -> None:
        home.succeed("up", "pair", "--lab", "trial", "--no-proof")
        with open_lab("trial") as lab:
            (daemon,) = find_pids(home, "libvirtd", "trial")
            machine = await_machine(home, "trial")
            os.kill(daemon, signal.SIGKILL)
            os.kill(machine, signal.SIGKILL)
            wait_until(lambda: lab.machine.state() != "running", "its end", Deadline.after(SOON_S))
            assert lab.machine.state() == "shut off (crashed)"


def hostname_of(lab: Lab, node: str) -> str:
    return lab.shell(node).run(["hostname"], deadline=Deadline.after(SOON_S)).text.strip()


class Silence:
    """A watcher that shows nothing."""

    def begin(self, phase: str) -> None: ...

    def detail(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def end(self, phase: str, elapsed_s: float) -> None: ...


class Listener(Silence):
    """A watcher that keeps what it was warned of."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


class TestHangingBoot:
    """F12: a boot that comes to nothing is told as a hang, with its phase and last lines."""

    @pytest.mark.usefixtures("home")
    def test_dom0_that_never_gets_ready(self, tmp_path: Path) -> None:
        (tmp_path / "asleep.yaml").write_text(
            "dom0: {command_line: 'loglevel=7 rdinit=/bin/cat'}\ndomus: {alice: {}}\n"
        )
        order = UpOrder(topology=str(tmp_path / "asleep.yaml"), accel=Accel.TCG, cold=True)
        phases = Phases(watcher=Silence())
        undertaking = Undertaking(order=order, phases=phases)
        request = undertaking._request(
            undertaking._provide_images(), Acceleration(accel=Accel.TCG, reason="a test")
        )
        started_s = time.monotonic()
        bringing_up = BringUp(request=request, phases=phases, deadline=Deadline.after(25))
        with pytest.raises(BootFailed, match="dom0 hangs") as hang:
            bringing_up.run()

        assert 25 <= time.monotonic() - started_s < 25 + SOON_S
        assert hang.value.phase == "boot Xen and dom0"
        assert 0 < len(hang.value.console_tail) <= TAIL_LINES
        assert "Run /bin/cat as init process" in "\n".join(hang.value.console_tail)
        assert re.search(
            r"; Xen takes keys, and finds dom0's vCPU 0 at [0-9a-f]{16}, dom0's vCPU 1 at ",
            str(hang.value),
        )

    def test_boot_that_qemu_keeps_back_is_begun_anew(
        self, home: Xenlab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Planted is that stale code was found; to find it has tests of its own."""
        found = iter(["CPU 1 at ffffffff81108630"])
        monkeypatch.setattr(machine, "find_stale_code", lambda _ask: next(found, ""))
        monkeypatch.setattr(boot, "SUSPICION_S", 1.0)
        listener = Listener()
        order = UpOrder(topology="pair", accel=Accel.TCG, cold=True, lab="anew")

        raised = Undertaking(order=order, phases=Phases(watcher=listener)).bring_up()

        with contextlib.closing(raised.lab) as lab:
            assert lab.record.origin == COLD_BOOT
        (warning,) = listener.warnings
        assert re.fullmatch("booted anew: QEMU runs .*: CPU 1 at ffffffff81108630", warning)
        assert home.succeed("exec", "alice", "--", "hostname") == "alice\n"
        assert len(find_pids(home, "qemu-system-x86_64", "anew")) == 1


@pytest.mark.usefixtures("lab")
class TestLabsAtOnce:
    """F19 and F20: labs share no name, port or directory, and one lab has one owner."""

    def test_of_two_who_want_one_lab_one_wins_and_the_other_is_told_fast(
        self, home: Xenlab
    ) -> None:
        words = ("up", "pair", "--lab", "wanted", "--no-proof")
        started_s = time.monotonic()
        with home.start(*words) as one, home.start(*words) as two:
            first = wait_until(
                lambda: next((who for who in (one, two) if who.poll() is not None), None),
                "the loser",
                Deadline.after(START_LIMIT_S),
            )
            elapsed_s = time.monotonic() - started_s
            winner = two if first is one else one
            _out, said = first.communicate(timeout=SOON_S)
            winner.communicate(timeout=START_LIMIT_S)
        assert (first.returncode, winner.returncode) == (4, 0)
        assert f"lab wanted is in use: pid {winner.pid}, xenlab up".encode() in said
        assert elapsed_s < 5.0
        assert home.succeed("exec", "alice", "--", "hostname") == "alice\n"

    def test_four_labs_come_up_together_and_have_nothing_in_common(self, home: Xenlab) -> None:
        names = ("one", "two", "three", "four")
        with contextlib.ExitStack() as stack:
            starting = [
                stack.enter_context(home.start("up", "pair", "--lab", name, "--no-proof"))
                for name in names
            ]
            for one in starting:
                _out, said = one.communicate(timeout=4 * START_LIMIT_S)
                assert one.returncode == 0, said.decode(errors="replace")
        with contextlib.ExitStack() as stack:
            labs = [stack.enter_context(open_lab(name)) for name in names]
            ports = [lab.ssh_port() for lab in labs]
            assert len(set(ports)) == len(names)
            assert len({lab.places.run for lab in labs}) == len(names)
            assert len({lab.record.lab_id for lab in labs}) == len(names)
            for lab in labs:
                lab.shell("alice").write_file(
                    "/tmp/whose", lab.record.name.encode(), deadline=Deadline.after(SOON_S)
                )
            for lab in labs:
                whose = lab.shell("alice").read_file("/tmp/whose", deadline=Deadline.after(SOON_S))
                assert whose == lab.record.name.encode()
            assert listening_addresses(ports) == {"0100007F"}, "127.0.0.1 alone"


def listening_addresses(ports: list[int]) -> set[str]:
    """The local addresses of the sockets that listen on some ports (proc(5), /proc/net/tcp)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    local = [row[1].split(":") for row in rows if row[3] == "0A"]
    return {address for address, port in local if int(port, 16) in ports}


@pytest.mark.usefixtures("lab")
class TestRefusingDisks:
    """F17 for state and run directories: exit 4 with the path and a hint, and no traceback."""

    def up_inside(self, home: Xenlab, *mounts: str) -> tuple[int, str]:
        """`xenlab up` where some directories are mounted in another way."""
        argv = [which("bwrap"), "--dev-bind", "/", "/", *mounts]
        done = subprocess.run(
            [*argv, *home.argv, "up", "pair", "--offline", "--no-proof"], env=home.env, cwd=ROOT,
            capture_output=True, timeout=START_LIMIT_S, check=False,
        )  # fmt: skip
        said = done.stderr.decode(errors="replace")
        assert "Traceback" not in said
        return done.returncode, said

    def test_state_that_is_read_only(self, home: Xenlab) -> None:
        home.state_home.mkdir()
        code, said = self.up_inside(home, "--ro-bind", str(home.state_home), str(home.state_home))
        assert code == 4, said
        assert f"{home.state_home}/xenlab" in said
        assert "XDG_STATE_HOME" in said

    def test_state_that_is_full(self, home: Xenlab) -> None:
        home.state_home.mkdir()
        code, said = self.up_inside(home, "--size", "16384", "--tmpfs", str(home.state_home))
        assert code == 6, said
        assert "the disk is full" in said
        assert str(home.state_home) in said

    def test_run_directory_that_is_read_only(self, home: Xenlab) -> None:
        root = runtime_root()
        root.mkdir(parents=True)
        try:
            code, said = self.up_inside(home, "--ro-bind", str(root), str(root))
        finally:
            root.rmdir()
        assert code == 4, said
        assert str(root) in said
        assert "make it writable" in said
