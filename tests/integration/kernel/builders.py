"""A module of a few lines, and a process of its own that builds one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from xenlab.plan.model import KernelPlan

TINY = """\
#include <linux/module.h>
#include <linux/netdevice.h>

static int __init tiny_init(void)
{
	pr_info("tiny: %d\\n", ETH_HLEN);
	return 0;
}
module_init(tiny_init);

MODULE_DESCRIPTION("A module of a few lines");
MODULE_LICENSE("GPL");
"""

BUILD = """\
import sys
from pathlib import Path
from xenlab.kernel.workshop import open_workshop
from xenlab.plan.model import KernelOrigin, KernelPlan
from xenlab.waiting import Deadline

cache, folder, suite, package = sys.argv[1:]
kernel = KernelPlan(name="kernel", origin=KernelOrigin(suite=suite, package=package))
with open_workshop(
    Path(cache), report=print, offline=True, deadline=Deadline.after(120.0)
) as workshop:
    workshop.provide_module(Path(folder), kernel)
"""


def write_source(folder: Path, text: str = TINY) -> Path:
    """The sources of a module in a new folder."""
    folder.mkdir(parents=True)
    (folder / "Kbuild").write_text("obj-m := tiny.o\n")
    (folder / "tiny.c").write_text(text)
    return folder


def build_twice_at_once(cache: Path, source: Path, kernel: KernelPlan) -> list[str]:
    """Two processes build the same module, without a network; what each of them said."""
    origin = kernel.origin
    argv = (sys.executable, "-c", BUILD, str(cache), str(source), origin.suite, origin.package)
    builders = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [builder.communicate(timeout=120)[0] for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0], said
    return said
