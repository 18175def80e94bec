"""A domU waits for its vifs as long as it is told to, and says then what has not come."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from importlib.resources import files
from pathlib import Path

import pytest

SCRIPT = files("xenlab.images") / "rootfs/domu/usr/sbin/connect-vifs"
MAC = "00:16:3e:00:00:01"
PROGRAMS = ("modprobe", "insmod", "ip", "ethtool", "xenstore-read")
LATE_S = 2.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The files of a domU with one vif, without carrier; its programs note their words."""
    device = tmp_path / "sys/class/net/eth0"
    for folder in ("bin", "run/xenlab", "xenlab/nodes", "proc/sys/net/ipv6/conf/default"):
        (tmp_path / folder).mkdir(parents=True)
    device.mkdir(parents=True)
    (device / "address").write_text(f"{MAC}\n")
    (device / "carrier").write_text("0\n")
    for program in PROGRAMS:
        path = tmp_path / "bin" / program
        path.write_text(f'#!/bin/sh\necho "${{0##*/}} $*" >> {tmp_path}/told\n')
        path.chmod(0o755)
    (tmp_path / "bin/hostname").write_text("#!/bin/sh\necho alice\n")
    (tmp_path / "bin/hostname").chmod(0o755)
    nodes = tmp_path / "xenlab/nodes"
    (nodes / "alice.vifs").write_text(f"0 {MAC} xenbr0 1500 - Domain-0 trusted=1\n")
    (nodes / "alice.ip").write_text("")
    (nodes / "alice.features").write_text("")
    return tmp_path


def connect(root: Path, *words: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run the program in that root, by a shell that reads fractions of seconds as mksh does."""
    text = SCRIPT.read_text().replace("PATH=/usr/sbin:/usr/bin", f"PATH={root}/bin:/usr/bin:/bin")
    for top in ("/xenlab/nodes", "/run/xenlab", "/sys/class", "/proc/sys"):
        text = text.replace(top, f"{root}{top}")
    bash = shutil.which("bash")
    assert bash is not None
    started_s = time.monotonic()
    argv = [bash, "-c", text, "connect-vifs", *words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    return done, time.monotonic() - started_s


def test_vif_that_does_not_come_is_told_when_its_time_is_over(root: Path) -> None:
    done, elapsed_s = connect(root, "-t", "1", "/run/x.ko", "debug=1")

    assert done.returncode == 1
    assert "eth0: carrier is not 1; frontend state" in done.stderr
    assert elapsed_s < LATE_S + 5
    assert "insmod /run/x.ko debug=1" in (root / "told").read_text()


def test_vif_that_comes_late_is_waited_for_where_there_is_time(root: Path) -> None:
    carrier = root / "sys/class/net/eth0/carrier"
    timer = threading.Timer(LATE_S, lambda: carrier.write_text("1\n"))
    timer.start()
    try:
        done, elapsed_s = connect(root, "-t", "50")
    finally:
        timer.join()

    assert done.returncode == 0, done.stderr
    assert elapsed_s >= LATE_S
    assert "modprobe xen-netfront" in (root / "told").read_text()
