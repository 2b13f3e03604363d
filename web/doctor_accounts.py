"""Whether somebody can log in, where that is asked for."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from flow.clock import SystemClock
from flow.errors import ConfigError

from .access.store import AccessStore
from .doctor_report import Finding, fail, ok, warn
from .settings import Settings
from .unsecured import is_loopback


def check_accounts(settings: Settings) -> Finding:
    """Changes nothing; beside a running service, too."""
    server = settings.server
    with closing(AccessStore(Path(server.data_dir), SystemClock())) as store:
        try:
            store.open()
        except ConfigError as error:
            todo = "run the doctor as the user who runs the service; the service does not start until then"
            return fail("accounts", str(error), todo)
        people = [each for each in store.book.accounts.values() if not each.disabled]
        has_administrator = store.book.has_administrator
    if settings.access.this_machine and is_loopback(server.host) and not server.proxies:
        return ok("accounts", "only this machine can call, and whoever does may do everything")
    if not has_administrator:
        todo = (
            "open the one-time link that `lagebild serve` prints, or: "
            "lagebild account add LOGIN --role administrator"
        )
        return warn("accounts", "there is no administrator: nobody can let others in", todo)
    return ok("accounts", f"{len(people)} can log in")
