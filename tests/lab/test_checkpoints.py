"""Checkpoints and the disk: what they may take, and what becomes of a lab where there is no room.

Each test has a cache of its own: the user's images, and of his checkpoints the bare one of `pair`,
so that `up` has a connected one to save.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.conftest import PROGRAM, ROOT, Xenlab
from xenlab.checkpoint.key import Level
from xenlab.checkpoint.store import CheckpointFacts, CheckpointStore
from xenlab.registry.places import cache_dir
from xenlab.transport.process import which

LIMIT_S = 200.0
OLD_BYTES = 20 << 20
# bob is told to boot a kernel that it does not boot.
OTHER_KERNEL = """
from xenlab.life import up

def list_wrongly(plan, images, right=up.list_build_ids):
    return tuple((node, "5a" * 20 if node == "bob" else one) for node, one in right(plan, images))

up.list_build_ids = list_wrongly
"""
# `sh -c SCRIPT SOURCE COMMAND...`: the cache is filled where it is mounted, then the command runs.
SCRIPT = 'cp -a "$0/." "$XDG_CACHE_HOME/" && exec "$@"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """A cache directory, and what is laid into it before each command where it is a tmpfs."""

    home: Xenlab
    content: Path

    @property
    def checkpoints(self) -> CheckpointStore:
        """Its checkpoints."""
        return CheckpointStore(root=self.content / "xenlab" / "checkpoints")

    @property
    def levels(self) -> list[str]:
        """Those of `pair`."""
        return sorted(one.facts.level for one in self.checkpoints.list() if one.facts.domids)

    def run(
        self, *words: str, tmpfs: str = "", fault: str = ""
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command with this cache, or with a copy of it on a file system of that size.

        `fault` is Python that runs first.
        """
        argv = [which("bwrap"), "--dev-bind", "/", "/", "--setenv", "XDG_CACHE_HOME"]
        if tmpfs:
            small = self.content.with_name("small")
            small.mkdir()
            argv += [str(small), "--size", tmpfs, "--tmpfs", str(small)]
            argv += ["sh", "-c", SCRIPT, str(self.content)]
        else:
            argv += [str(self.content)]
        return subprocess.run(
            [*argv, sys.executable, "-c", f"{fault}\n{PROGRAM}", *words], env=self.home.env,
            cwd=ROOT, capture_output=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip

    def save_old_one(self, key: str) -> None:
        """A checkpoint of a lab that was never used again."""
        with self.checkpoints.new(key) as part:
            (part / "memory").write_bytes(os.urandom(OLD_BYTES))
            facts = CheckpointFacts(
                level=Level.BARE, topology="old", machine_uuid="", machine_name="", domids=(),
                created_unix_s=0.0,
            )  # fmt: skip
            self.checkpoints.publish(part, key, facts)
        os.utime(self.checkpoints.root / key, (1, 1))


@pytest.fixture
def cache(xenlab: Xenlab, lab: str, tmp_path: Path) -> Iterator[Cache]:
    record = json.loads((xenlab.state / "labs" / lab / "record.json").read_text())
    (bare,) = (
        one
        for one in CheckpointStore(root=cache_dir() / "checkpoints").list()
        if one.facts.level is Level.BARE and one.facts.machine_uuid == record["machine_uuid"]
    )
    content = tmp_path / "cache"
    shutil.copytree(cache_dir() / "requests", content / "xenlab" / "requests")
    (content / "xenlab" / "images").symlink_to(cache_dir() / "images")
    shutil.copytree(bare.directory, content / "xenlab" / "checkpoints" / bare.key)
    home = Xenlab(state_home=tmp_path / "state")
    try:
        yield Cache(home=home, content=content)
    finally:
        home.succeed("down", "--all")
        assert home.find_processes() == []


def test_old_checkpoints_go_for_a_new_one_and_those_of_the_lab_stay(cache: Cache) -> None:
    cache.save_old_one("old")
    cache.save_old_one("older")
    words = ("up", "pair", "--no-proof", "--offline", "--checkpoint-limit", "1M")
    came_up = cache.run(*words)

    assert came_up.returncode == 0, came_up.stderr.decode()
    assert b"save the connected checkpoint" in came_up.stderr
    assert cache.levels == ["bare", "connected"]
    assert not {"old", "older"} & {path.name for path in cache.checkpoints.root.iterdir()}

    assert cache.run("gc", "--limit", "0").returncode == 0
    assert cache.levels == ["bare", "connected"], "their lab is up"
    assert cache.run("down").returncode == 0
    assert cache.run("gc", "--limit", "0").returncode == 0
    assert cache.levels == []


def test_lab_without_room_for_a_checkpoint_comes_up_without_one_and_says_so(cache: Cache) -> None:
    came_up = cache.run("up", "pair", "--no-proof", "--offline", tmpfs="900000000")
    said = came_up.stderr.decode()

    assert came_up.returncode == 0, said
    (warning,) = [line for line in said.splitlines() if line.startswith("warning: ")]
    where = cache.content.with_name("small") / "xenlab" / "checkpoints"
    assert warning.startswith(f"warning: no connected checkpoint: {where}: ")
    assert "MB free" in warning
    assert warning.endswith("MB needed; try: xenlab gc")
    assert "save the connected checkpoint" not in said
    assert cache.home.succeed("exec", "alice", "--", "hostname") == "alice\n"


def test_restored_node_with_another_kernel_than_was_meant_costs_the_checkpoint_and_the_lab(
    cache: Cache,
) -> None:
    done = cache.run("up", "pair", "--no-proof", "--offline", fault=OTHER_KERNEL)
    said = done.stderr.decode()

    assert done.returncode == 6, said
    told = rf"bob runs another kernel than it was told to: build id \w+, .* is {'5a' * 20}"
    assert re.search(f"checkpoint thrown away: {told}", said), said
    assert len(re.findall(told, said)) > 1, "what was booted cold is proved as well"
    assert "phase: prove the kernels" in said
    assert cache.levels == []
