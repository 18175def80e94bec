"""Series in the cache: a folder of patches by their content, wherever they came from."""

from __future__ import annotations

from pathlib import Path

from xenlab.cache.entry import Recipe
from xenlab.cache.store import EntryStore
from xenlab.kernel.patch_series import PatchSeries

SERIES = "series"


def keep_series(series: PatchSeries, store: EntryStore) -> Path:
    """The folder with the patches of a series in their order, which `PatchSeries.read` takes.

    The same patches are always the same folder: what is named by it is known again.
    """

    def build(part: Path) -> dict[str, str]:
        for number, patch in enumerate(series.patches, start=1):
            (part / f"{number:04}.patch").write_bytes(patch.content)
        return {}

    recipe = Recipe(kind=SERIES, inputs={"patches": series.digests})
    return store.provide(recipe, build).folder
