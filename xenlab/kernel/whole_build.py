"""WholeBuild: a kernel and its modules out of a source tree, in a folder of their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xenlab.cache.disk import make_folder, require_room
from xenlab.errors import DoesNotCompile, InputError, Unavailable
from xenlab.kernel.build_progress import BuildProgress
from xenlab.kernel.compiler import Compiler, count_cpus, find_problems
from xenlab.kernel.config import KernelConfig, read_symbols
from xenlab.kernel.fragments import Fragment, find_unmet
from xenlab.transport.process import run, which
from xenlab.waiting import Deadline

# The small kernel of 6.1 takes 0.6 GB; with debug information it takes more than twice as much.
OUTPUT_BYTES = 1_500_000_000
CCACHE_BYTES = "4G"

# What a kernel build starts beyond what a module's does, and the header that objtool includes.
PROGRAMS = ("flex", "bison", "bc")
LIBELF = Path("/usr/include/libelf.h")
CCACHE = "ccache"

# The same source gives the same bytes, whoever builds it and when.
FIXED: Mapping[str, str] = {
    "KBUILD_BUILD_TIMESTAMP": "Sat Jan  1 00:00:00 UTC 2000",
    "KBUILD_BUILD_USER": "xenlab",
    "KBUILD_BUILD_HOST": "xenlab",
    "KBUILD_BUILD_VERSION": "1",
    "ARCH": "x86_64",
}

CONFIG = ".config"
COUNT = "compiled-files"
# Of a first build nothing is known but its configuration: Linux 6.1 with 818 symbols has 1500.
FILES_A_SYMBOL = 1.83
MERGE = "scripts/kconfig/merge_config.sh"
TARGETS = ("vmlinux", "modules")


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeBuild:
    """One build: `source` is not written to, but for temporary files of the kernel's own scripts.

    `out` keeps objects from one build to the next; `ccache` is a folder that all builds share.
    """

    source: Path
    out: Path
    fragments: Sequence[Fragment]
    compiler: Compiler
    ccache: Path
    report: Callable[[str], None]
    deadline: Deadline
    targets: tuple[str, ...] = field(default=TARGETS)

    def run(self) -> KernelConfig:
        """Configure and build.

        Raises InputError with the symbols that did not become what was asked for, DoesNotCompile
        with every error of the compiler; Unavailable for a program that is missing here.
        """
        require_programs()
        require_room(make_folder(self.out), OUTPUT_BYTES)
        config = self.configure()
        self.report("compiling")
        known = self._read_count()
        expected = known or round(FILES_A_SYMBOL * config.enabled)
        progress = BuildProgress(report=self.report, expected=expected)
        result = run(
            self._argv(*self.targets),
            env=self._env,
            on_line=lambda line: progress.take(line.replace(f"{self.out}/", "")),
            deadline=self.deadline,
        )
        if result.status != 0:
            # The source beside the output is `../source` to make, else it is its whole path.
            messages = result.stderr.decode(errors="replace")
            messages = messages.replace(f"../{self.source.name}/", "")
            raise DoesNotCompile(*find_problems(messages, self.source))
        if progress.compiled > known:
            (self.out / COUNT).write_text(str(progress.compiled), encoding="ascii")
        return config

    def configure(self) -> KernelConfig:
        """Merge the fragments by the source's own script; InputError for each symbol unmet."""
        path = self.out / CONFIG
        script = self.source / MERGE
        if not script.is_file():
            raise InputError(f"{self.source}: no {MERGE} in it, so no source of a kernel")
        pieces = (str(fragment.path.absolute()) for fragment in self.fragments)
        argv = ("sh", str(script), "-O", str(self.out), *pieces)
        result = run(argv, cwd=self.source, env=self._env, deadline=self.deadline)
        if result.status != 0:
            told = result.stderr.decode(errors="replace")
            raise InputError(*find_problems(told, self.source))
        config = KernelConfig.parse(path.read_text(encoding="utf-8"))
        unmet = tuple(find_unmet(self.fragments, config, lambda: read_symbols(self.source)))
        if unmet:
            raise InputError(*unmet)
        return config

    def install_modules(self, root: Path) -> None:
        """Lay the modules out below `root/lib/modules/<release>`, without debug sections."""
        words = (f"INSTALL_MOD_PATH={root}", "INSTALL_MOD_STRIP=1", "DEPMOD=true")
        argv = self._argv("modules_install", *words)
        run(argv, env=self._env, deadline=self.deadline).require_success()
        for link in root.glob("lib/modules/*/*"):
            if link.is_symlink():  # to the two trees
                link.unlink()

    def read_release(self) -> str:
        """The release that this build calls itself, as `uname -r` shows it."""
        path = self.out / "include/config/kernel.release"
        return path.read_text(encoding="ascii").strip()

    def _argv(self, *words: str) -> tuple[str, ...]:
        compiler = f"CC={CCACHE} gcc" if shutil.which(CCACHE) else "CC=gcc"
        where = ("-C", str(self.source), f"O={self.out}", compiler)
        return ("make", "--no-print-directory", f"-j{count_cpus()}", *where, *words)

    @property
    def _env(self) -> dict[str, str]:
        """Paths of this host stay out of what is built, and out of what ccache compares."""
        return {
            **FIXED,
            "KCFLAGS": f"-ffile-prefix-map={self.source}=.",
            "CCACHE_DIR": str(self.ccache),
            "CCACHE_BASEDIR": str(self.source.parent),
            "CCACHE_MAXSIZE": CCACHE_BYTES,
        }

    def _read_count(self) -> int:
        """How many files the longest build in this folder compiled: the first, most often."""
        path = self.out / COUNT
        return int(path.read_text(encoding="ascii")) if path.is_file() else 0


def require_programs() -> None:
    """Raise Unavailable, naming the package, for what a kernel build needs and is not here."""
    for program in PROGRAMS:
        which(program)
    if not LIBELF.is_file():
        raise Unavailable(
            f"the kernel's objtool needs {LIBELF.name}", try_next="apt-get install libelf-dev"
        )
