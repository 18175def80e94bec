"""DaemonUser: as whom libvirtd and QEMU run."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

UNPRIVILEGED_USER = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonUser:
    """As whom libvirtd and QEMU run: we ourselves, or an unprivileged user when we are root."""

    uid: int
    gid: int
    switches: bool

    @property
    def name(self) -> str:
        """The user's name."""
        return pwd.getpwuid(self.uid).pw_name

    @classmethod
    def choose(cls) -> DaemonUser:
        """`nobody` for root, else the calling user."""
        if os.geteuid() != 0:
            return cls(uid=os.geteuid(), gid=os.getegid(), switches=False)
        entry = pwd.getpwnam(UNPRIVILEGED_USER)
        return cls(uid=entry.pw_uid, gid=entry.pw_gid, switches=True)

    def own(self, *paths: Path) -> None:
        """Give files that we made to the daemon's user."""
        if self.switches:
            for path in paths:
                os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def let_through(self, *directories: Path) -> None:
        """Let the daemon's user pass through directories that are mounted into its sandbox."""
        if self.switches:
            for directory in directories:
                directory.chmod(0o711)
