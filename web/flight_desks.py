"""Recorded flights from the command line: by the server that has them, or, where none has, from the folder.

So two processes never write the same recordings. What either answers is the JSON of the API.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import msgspec

from flow.clock import SystemClock
from flow.errors import ConfigError, LagebildError, NotFoundError, UnavailableError
from flow.memory_bus import MemoryBus
from recordings.archive import Archive
from recordings.entries import FlightQuery, Rule
from recordings.folders import CATALOGUE_FILE, FLIGHT_ID_PATTERN
from recordings.keeper import Keeper, every_flight
from recordings.owner import Owner, claim, owner_of
from recordings.protocol.retention import Days

from .access import Permission
from .access.audit import Action
from .command_access import let_in, own_certificate
from .command_log import record_command
from .data_folder import become_its_user
from .flight_views import deletion_view, flight_view, planned_view
from .room_settings import recordings_settings
from .settings import Settings
from .views import Json

_PATIENCE_S = 60.0
_PAGE = 1000
_NEEDED = frozenset({Permission.REVIEW, Permission.KEEP, Permission.DELETE})


class FlightDesk(Protocol):
    """Raises LagebildError: no such flight, a hold, a server that does not answer."""

    async def flights(self, aircraft_id: str, incident_id: str) -> list[Json]:
        """FlightViews, the newest first."""
        ...

    async def hold(self, flight_id: str, reason: str, by: str) -> None: ...

    async def release(self, flight_id: str, by: str) -> None: ...

    async def delete(self, flight_id: str, reason: str, by: str) -> Json:
        """A DeletionView."""
        ...

    async def planned(self) -> list[Json]:
        """PlannedViews, the first to go first."""
        ...

    async def retain(self) -> list[Json]:
        """Delete what is due; DeletionViews."""
        ...


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[FlightDesk]:
    """Raises ConfigError where there are no recordings, or they cannot be had."""
    root = _existing(settings)
    owner = owner_of(root)
    if owner is not None:
        async with _server(root, owner, own_certificate(settings)) as desk:
            yield desk
        return
    with claim(root, "lagebild flights"):
        async with _opened_archive(settings) as archive:
            yield _FolderDesk(settings, archive)


async def rebuild(settings: Settings) -> int:
    """Make the catalogue anew from the folders; returns how many flights are in it. Raises ConfigError,
    also while a server has the folder."""
    root = _existing(settings)
    with claim(root, "lagebild flights rebuild"):
        for suffix in ("", "-wal", "-shm"):
            (root / (CATALOGUE_FILE + suffix)).unlink(missing_ok=True)
        async with _opened_archive(settings) as archive:
            return len(await every_flight(archive, FlightQuery()))


def _existing(settings: Settings) -> Path:
    root = Path(settings.server.data_dir)
    if not root.is_dir():
        raise ConfigError(f"{root.absolute()}: there are no recordings; server.data_dir says where they are")
    become_its_user(root)
    return root


@asynccontextmanager
async def _opened_archive(settings: Settings) -> AsyncIterator[Archive]:
    days = Days(settings.recording.einsatz_days, settings.recording.uebung_days)
    archive = Archive(Path(settings.server.data_dir), SystemClock(), days)
    await archive.open()
    try:
        yield archive
    finally:
        await archive.aclose()


class _FolderDesk:
    def __init__(self, settings: Settings, archive: Archive) -> None:
        self._settings, self._archive, self._clock = settings, archive, SystemClock()
        self._keeper = Keeper(MemoryBus(), self._clock, recordings_settings(settings), archive)

    async def flights(self, aircraft_id: str, incident_id: str) -> list[Json]:
        query = FlightQuery(aircraft_id=aircraft_id, incident_id=incident_id)
        now_ns = self._clock.now_ns()
        return [_json(flight_view(each, now_ns)) for each in await every_flight(self._archive, query)]

    async def hold(self, flight_id: str, reason: str, by: str) -> None:
        await self._archive.hold(flight_id, reason, by)
        self._tell(Action.CHANGED, "hold", flight_id, by, reason)

    async def release(self, flight_id: str, by: str) -> None:
        await self._archive.release(flight_id, by)
        self._tell(Action.CHANGED, "release", flight_id, by)

    async def delete(self, flight_id: str, reason: str, by: str) -> Json:
        deleted = await self._archive.delete(flight_id, Rule.PERSON, by, reason)
        self._tell(Action.DELETED, "delete", flight_id, by, reason)
        return _json(deletion_view(deleted))

    async def planned(self) -> list[Json]:
        return [_json(planned_view(each)) for each in await self._keeper.plan()]

    async def retain(self) -> list[Json]:
        deletions = await self._keeper.retain()
        if days := self._keeper.doubted_days:
            raise LagebildError(
                f"the clock is {days} days ahead of when this folder was last used, so nothing is deleted by "
                "its days: if it is right, a server does so after 24 h, and `lagebild flights delete` at once"
            )
        for each in deletions:
            self._tell(Action.DELETED, "retention", each.flight_id, "", str(each.rule))
        return [_json(deletion_view(each)) for each in deletions]

    def _tell(self, action: Action, command: str, flight_id: str, by: str, reason: str = "") -> None:
        named, detail = {"flight": flight_id}, {"by": by, "reason": reason}
        record_command(self._settings, action, f"lagebild flights {command}", named, detail)


def _json(view: object) -> Json:
    told: Json = msgspec.to_builtins(view)
    return told


@asynccontextmanager
async def _server(root: Path, owner: Owner, known_by: ssl.SSLContext | bool) -> AsyncIterator[FlightDesk]:
    if not owner.is_of_this_host:
        raise ConfigError(f"{root}: {owner} has this folder: give the command there")
    if not owner.address:
        raise UnavailableError(f"{root}: {owner} has this folder and does not listen yet: try again")
    timeout = aiohttp.ClientTimeout(total=_PATIENCE_S)
    async with AsyncExitStack() as access:
        connector = aiohttp.TCPConnector(ssl=known_by)
        session = aiohttp.ClientSession(owner.address, timeout=timeout, connector=connector)
        await access.enter_async_context(session)
        with _explained(owner):
            await access.enter_async_context(let_in(session, root, _NEEDED))
        yield _ServerDesk(session, owner)


@contextmanager
def _explained(owner: Owner) -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        why = str(error) or "no answer in time"
        raise UnavailableError(f"{owner} has this folder and does not answer: {why}") from None


class _ServerDesk:
    def __init__(self, session: aiohttp.ClientSession, owner: Owner) -> None:
        self._session, self._owner = session, owner

    async def flights(self, aircraft_id: str, incident_id: str) -> list[Json]:
        found: list[Json] = []
        page: list[Json] | None = None
        while page is None or page:
            query = {"aircraft": aircraft_id, "incident": incident_id, "limit": str(_PAGE)}
            query["before"] = found[-1]["id"] if found else ""
            named = {name: value for name, value in query.items() if value}
            page = (await self._ask("GET", "/api/v1/flights", params=named))["flights"]
            found += page
        return found

    async def hold(self, flight_id: str, reason: str, by: str) -> None:
        await self._ask("PUT", f"{_path(flight_id)}/hold", json={"reason": reason, "by": by})

    async def release(self, flight_id: str, by: str) -> None:
        await self._ask("DELETE", f"{_path(flight_id)}/hold", json={"by": by})

    async def delete(self, flight_id: str, reason: str, by: str) -> Json:
        return await self._ask("DELETE", _path(flight_id), json={"reason": reason, "by": by})

    async def planned(self) -> list[Json]:
        planned: list[Json] = (await self._ask("GET", "/api/v1/retention"))["planned"]
        return planned

    async def retain(self) -> list[Json]:
        raise LagebildError(
            f"{self._owner} has this folder, and deletes what is due every hour by itself; "
            "--dry-run shows what that will be"
        )

    async def _ask(self, method: str, path: str, **what: Any) -> Json:
        with _explained(self._owner):
            async with self._session.request(method, path, **what) as answer:
                told: Json = await answer.json() if answer.status != 204 else {}
        if "error" in told:
            raise LagebildError(told["error"]["message"], code=told["error"]["code"])
        return told


def _path(flight_id: str) -> str:
    """Raises NotFoundError for what can be no flight's id, such as a path."""
    if not FLIGHT_ID_PATTERN.fullmatch(flight_id):
        raise NotFoundError("there is no such flight")
    return f"/api/v1/flights/{flight_id}"
