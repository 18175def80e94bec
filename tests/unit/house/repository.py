"""Repository: the files of this checkout, as git sees them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]


def list_files(*patterns: str) -> tuple[Path, ...]:
    """All files that are, or could be, committed and match one of the git patterns."""
    # A checkout mounted into a container may belong to somebody else: git refuses it unless told.
    git = ["git", "-c", f"safe.directory={ROOT}"]
    listed = subprocess.run(
        [*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return tuple(path for path in sorted(paths) if path.is_file())


def read_lines(path: Path) -> list[str]:
    """The lines of a file; undecodable bytes replaced."""
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def read_example(page: str) -> str:
    """The Python of a page that shows one example in full, as a reader would copy it."""
    text = (ROOT / page).read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(example)
