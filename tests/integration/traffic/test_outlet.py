"""What the kernel and ip tell of a device is what was set on it; files come with it."""

from __future__ import annotations

from tests.integration.traffic.namespace_lab import NamespaceLab
from xenlab.guest.outlet import Outlet, read_outlet

FILE = "/proc/sys/kernel/ostype"
LACKING = "/sys/module/xen_netfront/parameters/slots_max"


def test_device_is_read_as_it_is_set_and_files_with_it(lab: NamespaceLab) -> None:
    shell = lab.shell("alice")

    def read() -> Outlet:
        outlet, files = read_outlet(shell, "eth0", [FILE, LACKING], lab.budget(10), sender=None)
        assert files.files == {FILE: ("Linux",)}
        return outlet

    assert read() == Outlet(gso_max_size_bytes=65536, gso_max_segs=65535, has_xdp=False)
    lab.command("alice", "ip link set dev eth0 gso_max_size 8192 gso_max_segs 7")
    assert read() == Outlet(gso_max_size_bytes=8192, gso_max_segs=7, has_xdp=False)
