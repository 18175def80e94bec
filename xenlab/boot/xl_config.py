"""xl.cfg of a domU: pure, from the plan; vifs are attached later, so that none is in it."""

from __future__ import annotations

from collections.abc import Mapping

from xenlab.plan.command_lines import render_domu_command_line
from xenlab.plan.model import DomUKind, DomUPlan

# libxlu_cfg.c, xlu__cfgl_dequote: the escapes that xl undoes in a double-quoted string.
ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"})

TYPES: Mapping[DomUKind, tuple[tuple[str, str | int], ...]] = {
    DomUKind.PV: (("type", "pv"),),
    DomUKind.PVH: (("type", "pvh"),),
    DomUKind.HVM: (("type", "hvm"), ("vga", "none"), ("vnc", 0)),
    DomUKind.PVSHIM: (("type", "pvh"), ("pvshim", 1)),
}


def render_xl_config(
    domu: DomUPlan, *, kernel: str, ramdisk: str, driver_domain: bool = False, pci: str = ""
) -> str:
    """The configuration file; `kernel` and `ramdisk` are paths in dom0. See xl.cfg(5).

    A driver domain may have its own corner of xenstore in which it is the backend of others. `pci`
    is the address of a device that dom0 hides: for a PV domU, xl then lays out its memory as the
    machine's is (e820_host), so that there is room for the device's.
    """
    settings: list[tuple[str, str | int | tuple[str, ...]]] = [
        ("name", domu.name),
        *TYPES[domu.kind],
        ("kernel", kernel),
        ("ramdisk", ramdisk),
        ("cmdline", render_domu_command_line(domu)),
        ("memory", domu.memory_mib),
        ("vcpus", domu.vcpus),
        # Else Xen emulates each RDTSC of a guest where the TSC is not known to be invariant, which
        # no emulated one is (xen/arch/x86/time.c, tsc_set_info): 4.5 us in place of 0.1 us, and in
        # a PVH guest four of five exits.
        ("tsc_mode", "native"),
        ("on_poweroff", "preserve"),
        ("on_reboot", "preserve"),
        ("on_crash", "preserve"),
        *((("driver_domain", 1),) if driver_domain else ()),
        *((("pci", (pci,)),) if pci else ()),
    ]
    return "".join(f"{name} = {_render_value(value)}\n" for name, value in settings)


def _render_value(value: str | int | tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_render_value, value))}]"
    return str(value) if isinstance(value, int) else f'"{value.translate(ESCAPES)}"'
