"""Incident links, and the guests who come by them: made, shown again, entered, taken back, forgotten.

A link's token is its id with a signature by the house's key: nothing but the key and the id is kept, and
whoever may share can be shown address and QR code again.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import sqlite3
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, replace

from flow.clock import NS_PER_S, Clock
from flow.errors import LagebildError, MalformedError, NotFoundError

from .book import Book, Guest, Link
from .recognise import new_cookie
from .store import AccessStore

HOURS_MOST = 30 * 24.0
HOURS_LEAST = 0.1
LINKS_MOST = 200
"""Of one incident, that let somebody in."""
GUESTS_MOST = 1000
"""Of one link, over its days: who holds it can come again and again."""

_ID_BYTES = 8
_SIGNATURE_BYTES = 16
_ID_CHARACTERS = 11
_NS_PER_HOUR = 3600 * NS_PER_S


class LinkGoneError(NotFoundError):
    """It has expired, was taken back, is nobody's, or its incident is closed: which, is not told."""

    code = "link_gone"

    def __init__(self) -> None:
        super().__init__("this link lets nobody in (any more): ask for a new one")


@dataclass(frozen=True, slots=True)
class Entered:
    """A guest on his device. `cookie` is "" where it has the right one already."""

    guest: Guest
    link: Link
    cookie: str


def token_of(house_key: bytes, link_id: str) -> str:
    return link_id + _signature(house_key, link_id)


def link_id_of(house_key: bytes, token: str) -> str | None:
    """Whose token that is; None where it is none that we have signed."""
    link_id = token[:_ID_CHARACTERS]
    if not house_key or len(link_id) < _ID_CHARACTERS:
        return None
    made = token_of(house_key, link_id)
    return link_id if hmac.compare_digest(token.encode("utf-8", "replace"), made.encode()) else None


class Links:
    """Changes the book; what a link shows is decided at every request anew (policy.py, reach.py)."""

    def __init__(self, store: AccessStore, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def of(self, incident_id: str) -> list[Link]:
        """The newest first."""
        links = [each for each in self._store.book.links.values() if each.incident_id == incident_id]
        return sorted(links, key=lambda each: (each.created_ns, each.id), reverse=True)

    def one(self, incident_id: str, link_id: str) -> Link:
        """Raises NotFoundError."""
        link = self._store.book.links.get(link_id)
        if link is None or link.incident_id != incident_id:
            raise NotFoundError("there is no such link of this incident")
        return link

    def token(self, link: Link) -> str:
        return token_of(self._store.book.house_key, link.id)

    def is_valid(self, link: Link) -> bool:
        return link.is_valid(self._clock.now_ns())

    def guests(self, link: Link) -> int:
        """How many have come by it, and were not dismissed."""
        return sum(g.link_id == link.id and g.dismissed_ns is None for g in self._store.book.guests.values())

    async def make(self, incident_id: str, hours: float, note: str, by: str) -> Link:
        """Raises MalformedError for a time that is none, LagebildError("links_full")."""
        if not HOURS_LEAST <= hours <= HOURS_MOST:
            raise MalformedError(f"hours is {HOURS_LEAST:g} to {HOURS_MOST:g}: 30 days at most")
        if sum(map(self.is_valid, self.of(incident_id))) >= LINKS_MOST:
            raise LagebildError(f"this incident has {LINKS_MOST} links, the limit", code="links_full")
        now_ns = self._clock.now_ns()
        link = Link(_new_id(), incident_id, now_ns, now_ns + round(hours * _NS_PER_HOUR), by, note)
        await self._store.change(lambda file: _insert_link(file, link))
        return link

    async def revoke(self, incident_id: str, link_id: str) -> None:
        """Everybody who came by it is let go of. Raises NotFoundError; may be repeated."""
        self.one(incident_id, link_id)
        now_ns = self._clock.now_ns()
        edit = "UPDATE links SET revoked_ns = coalesce(revoked_ns, ?) WHERE id = ?"
        await self._store.change(lambda file: _run(file, edit, (now_ns, link_id)))

    def look(self, token: str) -> Link:
        """The link that it opens. Raises LinkGoneError."""
        book = self._store.book
        link = book.links.get(link_id_of(book.house_key, token) or "")
        if link is None or not self.is_valid(link):
            raise LinkGoneError
        return link

    async def enter(self, token: str, name: str, session: str = "") -> Entered:
        """Let somebody in by that name, or by "NAME (2)" where another guest of the incident has it.

        `session`: the guest's that his device has already; by a link to the same incident he stays that
        guest. Raises LinkGoneError, LagebildError("link_full").
        """
        link, now_ns = self.look(token), self._clock.now_ns()
        before = self._known(session, link)
        cookie = ""
        if before is None:
            cookie, session = new_cookie(self._store.book.house_key)
            wish = Guest(f"g-{secrets.token_hex(6)}", session, link.id, name, now_ns)
        else:
            wish = replace(before, link_id=link.id, name=name)
        guest = await self._store.change(lambda file: _enter(file, link, wish, now_ns))
        return Entered(guest, link, cookie)

    def _known(self, session: str, link: Link) -> Guest | None:
        caller = self._store.book.guest(session, self._clock.now_ns())
        return self._store.book.guests[session] if caller and caller.incident_id == link.incident_id else None

    async def dismiss(self, guest_id: str) -> Guest:
        """Let go of one guest. Raises NotFoundError."""
        guest = next((each for each in self._store.book.guests.values() if each.id == guest_id), None)
        if guest is None or guest.dismissed_ns is not None:
            raise NotFoundError("there is no such guest (any more)")
        now_ns = self._clock.now_ns()
        edit = "UPDATE guests SET dismissed_ns = coalesce(dismissed_ns, ?) WHERE id = ?"
        await self._store.change(lambda file: _run(file, edit, (now_ns, guest_id)))
        return guest

    async def forget(self, incident_ids: Collection[str]) -> int:
        """Delete the links of these incidents, and with them who came; how many links there were."""
        ids = sorted(incident_ids)
        if not ids:
            return 0
        edit = f"DELETE FROM links WHERE incident_id IN ({', '.join('?' * len(ids))})"
        return await self._store.change(lambda file: _run(file, edit, tuple(ids)))

    @property
    def book(self) -> Book:
        return self._store.book


def _new_id() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(_ID_BYTES)).rstrip(b"=").decode()


def _signature(house_key: bytes, link_id: str) -> str:
    made = hmac.digest(house_key, b"link" + link_id.encode("utf-8", "replace"), "sha256")[:_SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def _run(file: sqlite3.Connection, edit: str, values: tuple[object, ...]) -> int:
    return file.execute(edit, values).rowcount


def _insert_link(file: sqlite3.Connection, link: Link) -> None:
    file.execute(
        "INSERT INTO links (id, incident_id, created_ns, expires_ns, by, note) VALUES (?, ?, ?, ?, ?, ?)",
        (link.id, link.incident_id, link.created_ns, link.expires_ns, link.by, link.note),
    )


def _enter(file: sqlite3.Connection, link: Link, guest: Guest, now_ns: int) -> Guest:
    """In one transaction: two who enter at once are told apart."""
    row = file.execute(
        "SELECT count(g.id) AS others, max(l.revoked_ns) AS revoked_ns FROM links AS l "
        "LEFT JOIN guests AS g ON g.link_id = l.id AND g.id != ? WHERE l.id = ? GROUP BY l.id",
        (guest.id, link.id),
    ).fetchone()
    if row is None or row["revoked_ns"] is not None:  # taken back meanwhile
        raise LinkGoneError
    if row["others"] >= GUESTS_MOST:
        told = f"{GUESTS_MOST} have come by this link, the limit: ask for another"
        raise LagebildError(told, code="link_full")
    others = file.execute(
        "SELECT g.name FROM guests AS g JOIN links AS l ON l.id = g.link_id "
        "WHERE l.incident_id = ? AND g.dismissed_ns IS NULL AND g.id != ? "
        "AND l.revoked_ns IS NULL AND l.expires_ns > ?",
        (link.incident_id, guest.id, now_ns),
    )
    guest = replace(guest, name=distinct(guest.name, {each["name"] for each in others}))
    file.execute(
        "INSERT INTO guests (id, session, link_id, name, entered_ns) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET link_id = excluded.link_id, name = excluded.name",
        (guest.id, guest.session, guest.link_id, guest.name, guest.entered_ns),
    )
    return guest


def distinct(name: str, taken: Collection[str]) -> str:
    """The name, with a number behind it where somebody else has it."""
    known = {_alike(each) for each in taken}
    number, told = 1, name
    while _alike(told) in known:
        number += 1
        told = f"{name} ({number})"
    return told


def _alike(name: str) -> str:
    """Equal for names that look the same, or nearly (UAX 15, UAX 31)."""
    return unicodedata.normalize("NFKC", name).casefold()
