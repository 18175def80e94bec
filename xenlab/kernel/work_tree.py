"""WorkTree: a source laid out for a compiler, brought from one state to another file by file.

A file is written only when its content becomes another: make builds by dates, so a change of one
file costs the build of what depends on it, whatever was built from this tree before.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from xenlab.cache.disk import locked, make_folder, mark_used, remove, write_whole
from xenlab.kernel.origin import SourceOrigin
from xenlab.kernel.patch_series import PatchSeries
from xenlab.waiting import Deadline

KEY_DIGITS = 24
SOURCE = "source"
PRISTINE = "pristine"
STATE = "state.json"
LOCKS = "locks"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTree:
    """The folder of one lineage of sources: `source`, what patches changed of it, and its builds.

    Hold it by `hold_work_tree`: two builds in it would be none.
    """

    folder: Path
    deadline: Deadline

    @property
    def source(self) -> Path:
        """The source's root."""
        return self.folder / SOURCE

    def bring_to(self, origin: SourceOrigin, series: Iterable[PatchSeries]) -> None:
        """Make the source that of an origin with series on it, in their order.

        Raises InputError if one of them does not apply; then the tree is as it was before.
        """
        chosen = tuple(series)
        touched, changed = self._follow(origin)
        patched = _list_files(chosen)
        files = tuple(sorted({*touched, *changed, *patched}))
        with self._stage() as stage:
            if files and not origin.extract(files, stage):
                self._copy_pristine(files, frozenset(touched), stage)
            for each in chosen:
                each.apply(stage, self.deadline)
            # While this is under way the tree is neither: whoever finds it so begins anew.
            remove(self.folder / STATE)
            for file in files:
                _put(stage / file, self.source / file)
        self._write_state(origin.state, sorted(patched))

    def require_applicable(self, origin: SourceOrigin, series: Iterable[PatchSeries]) -> None:
        """Nothing, or InputError for the first patch that does not apply to an origin.

        The source is laid out if it has to be, and else stays as it is.
        """
        chosen = tuple(series)
        files = tuple(sorted(_list_files(chosen)))
        with self._stage() as stage:
            if files and not origin.extract(files, stage):
                touched, _changed = self._follow(origin)
                self._copy_pristine(files, frozenset(touched), stage)
            for each in chosen:
                each.apply(stage, self.deadline)

    def _follow(self, origin: SourceOrigin) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What patches changed of the source that is there, and what differs from it in an origin.

        The origin is laid out where nobody knows.
        """
        state, touched = self._read_state()
        changed = origin.find_changed(state) if state else None
        if changed is not None:
            return touched, changed
        self._fill(origin)
        return (), ()

    @contextmanager
    def _stage(self) -> Iterator[Path]:
        """A folder to lay files out in before they are those of the source."""
        with tempfile.TemporaryDirectory(prefix="stage-", dir=self.folder) as scratch:
            yield Path(scratch)

    def _fill(self, origin: SourceOrigin) -> None:
        remove(self.folder / STATE)
        for name in (SOURCE, PRISTINE):
            remove(self.folder / name)
        origin.fill(make_folder(self.source))
        self._write_state(origin.state, [])

    def _copy_pristine(self, files: Iterable[str], touched: frozenset[str], stage: Path) -> None:
        """Lay files out as no patch has changed them, and remember those that one is to change."""
        for file in files:
            if file not in touched:
                _put(self.source / file, self.folder / PRISTINE / file)
            _put(self.folder / PRISTINE / file, stage / file)

    def _read_state(self) -> tuple[str, tuple[str, ...]]:
        """Which source is there and what patches changed of it; nothing if that is not known."""
        path = self.folder / STATE
        if not path.is_file():
            return "", ()
        record = json.loads(path.read_bytes())
        return record["state"], tuple(record["touched"])

    def _write_state(self, state: str, touched: list[str]) -> None:
        text = json.dumps({"state": state, "touched": touched})
        write_whole(self.folder / STATE, text.encode())


@contextmanager
def hold_work_tree(builds: Path, lineage: str, deadline: Deadline) -> Iterator[WorkTree]:
    """The work tree of a lineage below the folder of builds, for one process at a time."""
    name = lineage[:KEY_DIGITS]
    with locked(builds / LOCKS / name, deadline):
        folder = make_folder(builds / name)
        mark_used(folder)
        yield WorkTree(folder=folder, deadline=deadline)


def _list_files(series: Iterable[PatchSeries]) -> set[str]:
    return {file for each in series for file in each.files}


def _put(source: Path, target: Path) -> None:
    """Make a file another's copy, or absent as the other is; what is equal already stays."""
    if source.is_symlink() or not source.is_file():
        target.unlink(missing_ok=True)
        if source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source.readlink())
        return
    mode = source.stat().st_mode
    if target.is_file() and not target.is_symlink():
        if target.read_bytes() == source.read_bytes() and target.stat().st_mode == mode:
            return
        target.unlink()  # an entry of the store may be a second name of it
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)
