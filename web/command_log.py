"""What is done at the command line is told to the audit log, too."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from flow.clock import SystemClock

from .access.audit import Action, Detail, Entry
from .access.caller import Caller, CallerKind
from .audit.folder import AuditFolder
from .audit.log import AuditLog
from .data_folder import become_its_user
from .settings import Settings


def record_command(
    settings: Settings,
    action: Action,
    about: str,
    named: Mapping[str, str] | None = None,
    detail: Mapping[str, Detail] | None = None,
) -> None:
    """Tell the log what was done at the command line: `about` is the command. No secrets. Blocking."""
    record_at(Path(settings.server.data_dir), action, about, named or {}, detail or {})


def record_at(
    root: Path, action: Action, about: str, named: Mapping[str, str], detail: Mapping[str, Detail]
) -> None:
    """The same of a data folder."""
    if root.exists():
        become_its_user(root)  # what root makes there, the service could not write to
    clock = SystemClock()
    log = AuditLog(AuditFolder(root), clock)
    log.open()
    caller = Caller(CallerKind.LOCAL, "command line")
    log.record(Entry(clock.now_ns(), caller, "", action, about, named, {"user": _user(), **detail}))
    log.close()


def _user() -> str:
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return ""
