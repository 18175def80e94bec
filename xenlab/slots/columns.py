"""LayoutColumns: many layouts as arrays, one row of each array a column of all layouts.

The array types are numpy's; only those who call it pay for its import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from xenlab.slots.frontend import TCP
from xenlab.slots.layout import Checksum, Layout

Integers: TypeAlias = NDArray[np.int32]
Booleans: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutColumns:
    """`linear_*`, `gso_size_bytes` and `offloads` have one entry a layout.

    `frag_offsets_bytes` and `frag_sizes_bytes` have one row for each frag that any layout has. A
    frag that a layout lacks is one of no bytes at offset 0: nothing counts that either.
    `offloads` says TCP with an open checksum: what a device may segment.
    """

    linear_bytes: Integers
    linear_offset_bytes: Integers
    frag_offsets_bytes: Integers
    frag_sizes_bytes: Integers
    gso_size_bytes: Integers
    offloads: Booleans

    def __len__(self) -> int:
        return len(self.linear_bytes)

    @classmethod
    def of(cls, layouts: Sequence[Layout]) -> LayoutColumns:
        """The columns of `layouts`, in their order."""
        most = max((len(layout.frags) for layout in layouts), default=0)
        offsets = np.zeros((most, len(layouts)), dtype=np.int32)
        frag_sizes = np.zeros((most, len(layouts)), dtype=np.int32)
        for place, layout in enumerate(layouts):
            for row, frag in enumerate(layout.frags):
                offsets[row, place] = frag.offset_bytes
                frag_sizes[row, place] = frag.size_bytes
        return cls(
            linear_bytes=_column([layout.linear_bytes for layout in layouts]),
            linear_offset_bytes=_column([layout.linear_offset_bytes for layout in layouts]),
            frag_offsets_bytes=offsets,
            frag_sizes_bytes=frag_sizes,
            gso_size_bytes=_column([layout.gso_size_bytes for layout in layouts]),
            offloads=np.array(
                [
                    layout.protocol in TCP and layout.checksum is Checksum.PARTIAL
                    for layout in layouts
                ],
                dtype=np.bool_,
            ),
        )

    def cut(self, start: int, stop: int) -> LayoutColumns:
        """The layouts from `start` up to `stop`; the arrays are views."""
        return LayoutColumns(
            linear_bytes=self.linear_bytes[start:stop],
            linear_offset_bytes=self.linear_offset_bytes[start:stop],
            frag_offsets_bytes=self.frag_offsets_bytes[:, start:stop],
            frag_sizes_bytes=self.frag_sizes_bytes[:, start:stop],
            gso_size_bytes=self.gso_size_bytes[start:stop],
            offloads=self.offloads[start:stop],
        )

    def pick(self, chosen: NDArray[np.intp]) -> LayoutColumns:
        """The layouts at these places."""
        return LayoutColumns(
            linear_bytes=self.linear_bytes[chosen],
            linear_offset_bytes=self.linear_offset_bytes[chosen],
            frag_offsets_bytes=self.frag_offsets_bytes[:, chosen],
            frag_sizes_bytes=self.frag_sizes_bytes[:, chosen],
            gso_size_bytes=self.gso_size_bytes[chosen],
            offloads=self.offloads[chosen],
        )


def _column(values: list[int]) -> Integers:
    return np.array(values, dtype=np.int32)
