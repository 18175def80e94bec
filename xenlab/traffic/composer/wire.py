"""The binary forms of kernels/modules/xlcompose/xlcompose.h; tests compare the two."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from struct import Struct

VERSION = 1
BATCH_MAGIC = 0x42434C58
ARM_MAGIC = 0x41434C58
SENT_MAGIC = 0x53434C58
ARRIVAL_MAGIC = 0x52434C58

IDS_MAX = 65536
LENGTH_MAX_BYTES = 65549
BATCH_MAX_BYTES = 16 << 20
MARK_BYTES = 16
BURST_MAX = 64
QUEUE_ANY = 0xFFFF
HEADROOM_PAGE = 0xFFFF
NO_INDEX = 0xFFFFFFFF

# mac to, mac from, ip4 from, ip4 to, ip6 from, ip6 to; ports in network order
FLOW_FORMAT = "6s6s4s4s16s16s2s2s"
BATCH = Struct(f"<IHHIIQQ16s{FLOW_FORMAT}BBHIIHH")
RECORD = Struct("<IHHBBBBHH")
# offset; size in the low 24 bits, order above
FRAG = Struct("<II")
SENT_SUMMARY = Struct("<IHHIIIIII")
SENT = Struct("<HbBHHII")
ARM = Struct(f"<IHHIIQQIIQII16s{FLOW_FORMAT}")
ARRIVAL_SUMMARY = Struct("<IHHIIQIIIIII")
ARRIVAL = Struct("<IIIIIHHBBBBI")


class Op(IntEnum):
    """What an order to a receiver is for."""

    ARM = 0
    FINISH = 1


class SentFlag(IntFlag):
    """What is known of a packet that was sent."""

    GIVEN = 0x01
    DROPPED = 0x02
    COMPLETED = 0x04
    IN_CALL = 0x08
    LINEARISED = 0x10
    INTACT = 0x20
    HEAD_MOVED = 0x40
    OMITTED = 0x80


class ArrivalFlag(IntFlag):
    """What is wrong with a packet that arrived, and in what form it came."""

    BAD_PAYLOAD = 0x001
    BAD_MARK = 0x002
    BAD_LENGTH = 0x004
    BAD_ETHERNET = 0x008
    BAD_IP = 0x010
    BAD_L4 = 0x020
    BAD_CHECKSUM = 0x040
    BAD_ID = 0x080
    DUPLICATE = 0x100
    SHORT_ID = 0x200
    IS_PART = 0x400
    HAS_FRAG_LIST = 0x800
    BAD_SEGMENTS = 0x1000


BAD = (
    ArrivalFlag.BAD_PAYLOAD
    | ArrivalFlag.BAD_MARK
    | ArrivalFlag.BAD_LENGTH
    | ArrivalFlag.BAD_ETHERNET
    | ArrivalFlag.BAD_IP
    | ArrivalFlag.BAD_L4
    | ArrivalFlag.BAD_CHECKSUM
    | ArrivalFlag.BAD_ID
    | ArrivalFlag.BAD_SEGMENTS
)


class Plant(IntFlag):
    """A fault that the sender plants."""

    NOTHING = 0
    CORRUPT = 1
    DUPLICATE = 2
    OMIT = 4


class Mode(IntEnum):
    """By which way an skb goes to the driver."""

    REAL = 0
    DIRECT = 1


class End(IntEnum):
    """Why a receiver stopped waiting."""

    COMPLETE = 0
    IDLE = 1
    TIMEOUT = 2
    FINISHED = 3
    DEVICE_GONE = 4
