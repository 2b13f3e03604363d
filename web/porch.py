"""Who may come in: the rooms of access, wired to each other: to people what house.py is to pictures."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from flow.bus import Bus
from flow.clock import Clock
from flow.flights import Aircraft
from recordings.archive import Archive

from .access import Door
from .access.forwarded import Proxies
from .access.logins import Logins
from .access.passwords import Passwords
from .access.presence import Presence
from .access.reach import IncidentReach
from .access.recognise import Gatekeeper
from .access.store import AccessStore
from .access.sweeping import Sweeper
from .archive_calls import in_time
from .audit_desk import AuditDesk
from .first_link import address_for_people, welcome_link
from .oidc.flow import OidcLogin
from .routes.accounts import add_account_routes
from .routes.audit import add_audit_routes
from .routes.login import add_login_routes
from .routes.oidc import add_oidc_routes
from .routes.tokens import add_token_routes
from .settings import Settings
from .unsecured import is_loopback

Run: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


class Porch:
    """Raises ConfigError where the file of accounts cannot be used. Without an archive nothing is recorded:
    no incidents, and no links to them."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        clock: Clock,
        aircraft: tuple[Aircraft, ...],
        archive: Archive | None,
    ) -> None:
        self._settings, self._clock, self._archive = settings, clock, archive
        self.store = AccessStore(Path(settings.server.data_dir), clock)
        self.store.open()
        self.presence = Presence(clock)
        self.reach = IncidentReach(bus, clock, aircraft, archive)
        self._sweeper = Sweeper(self.store, self.presence, self.reach, clock)
        self.reach.on_change(self._sweeper.sweep)
        days = settings.privacy.audit_days
        self.audit = AuditDesk(Path(settings.server.data_dir), clock, days, lambda: self.store.book)
        self.audit.follow(self.presence)
        self.audit.open()
        self.guard = Gatekeeper(
            self.store,
            self.reach,
            self.audit,
            clock,
            trusts_this_machine=settings.access.this_machine and is_loopback(settings.server.host),
            proxies=Proxies(settings.server.proxies),
        )
        self._passwords = Passwords()
        self.logins = Logins(self.store, self.guard, self._passwords, clock, settings.access.session_days)
        self._oidc = OidcLogin(settings.oidc, self.store, clock) if settings.oidc.issuer else None

    def open_doors(self, door: Door) -> None:
        """Register every route of access."""
        oidc = self._settings.oidc
        oidc_name = oidc.name or "OpenID Connect" if oidc.issuer else None
        add_login_routes(door, self.store, self.logins, self._incident_name, oidc_name)
        add_account_routes(door, self.store)
        add_audit_routes(door, self.audit)
        add_token_routes(door, self.store, self._incident_name)
        if self._oidc:
            add_oidc_routes(door, self._oidc, self.logins)

    async def first_link(self, url: str) -> str:
        """With which the first administrator's account is made; "": there is one, or no need of one."""
        token = None if self.guard.trusts_this_machine else await self.logins.first_link()
        return welcome_link(address_for_people(self._settings.server, url), token) if token else ""

    async def _incident_name(self, incident_id: str) -> str:
        if self._archive is None:
            return ""
        incidents = await in_time(self._archive.incidents())
        return next((each.name for each in incidents if each.id == incident_id), "")

    def tellers(self) -> Iterator[tuple[str, Run]]:
        """What runs beside the pictures, and never ends them."""
        yield "access", self.store.run
        yield "logins", self.logins.run
        yield "sweeping", self._sweeper.run
        yield "incidents", self.reach.run

    def close(self) -> None:
        """Let go of the threads."""
        self._passwords.close()
        self.store.close()
        self.audit.close()
