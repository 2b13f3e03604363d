"""One caller of every kind, written straight into the store of who may come in."""

from __future__ import annotations

import itertools
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

from flow.clock import NS_PER_S
from web.access.permissions import Permission, Role
from web.access.recognise import GUEST_COOKIE, SESSION_COOKIE, digest_of, new_cookie, new_token
from web.access.store import AccessStore

DAY_NS = 86_400 * NS_PER_S
API = frozenset({"watch", "mark", "review", "export", "keep", "share", "operate"})
METRICS = frozenset({"operate"})
_numbers = itertools.count(2)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a caller shows with each request, and the address it calls from."""

    letter: str
    headers: Mapping[str, str] = field(default_factory=dict)
    address: str = field(default_factory=lambda: f"127.0.2.{next(_numbers)}")
    id: str = ""  # the account's, the guest's or the token's
    row: str = ""  # of its table


class Registry:
    """Makes accounts, tokens, links and guests in the store of a running service."""

    def __init__(self, store: AccessStore, now_ns: int) -> None:
        self._store, self._now_ns = store, now_ns

    async def account(self, letter: str, *roles: Role) -> Credentials:
        """A new account, logged in on a new device."""
        id_ = f"account-{secrets.token_hex(4)}"
        row = (id_, id_, f"Person {letter}", " ".join(roles), self._now_ns)
        await self._store.change(
            lambda file: file.execute(
                "INSERT INTO accounts (id, login, name, roles, created_ns) VALUES (?, ?, ?, ?, ?)", row
            )
        )
        return await self.device(Credentials(letter, id=id_))

    async def device(self, account: Credentials) -> Credentials:
        """The same account on another device."""
        value, session = new_cookie(self._store.book.house_key)
        row = (session, account.id, self._now_ns, self._now_ns + DAY_NS)
        await self._store.change(
            lambda file: file.execute(
                "INSERT INTO sessions (id, account_id, created_ns, expires_ns) VALUES (?, ?, ?, ?)", row
            )
        )
        return Credentials(
            account.letter, {"Cookie": f"{SESSION_COOKIE}={value}"}, id=account.id, row=session
        )

    async def token(self, letter: str, grants: frozenset[str], incident_id: str | None = None) -> Credentials:
        token, id_ = new_token(), f"token-{secrets.token_hex(4)}"
        words = " ".join(Permission(each) for each in grants)
        row = (id_, digest_of(token), f"Maschine {letter}", words, self._now_ns, "", incident_id)
        await self._store.change(
            lambda file: file.execute(
                "INSERT INTO tokens (id, digest, name, grants, created_ns, by, incident_id) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        )
        return Credentials(letter, {"Authorization": f"Bearer {token}"}, id=id_, row=id_)

    async def link(self, incident_id: str) -> str:
        """The link's id."""
        id_ = f"link{secrets.token_hex(8)}"
        row = (id_, incident_id, self._now_ns, self._now_ns + DAY_NS, "", "ELW")
        await self._store.change(
            lambda file: file.execute(
                "INSERT INTO links (id, incident_id, created_ns, expires_ns, by, note) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )
        )
        return id_

    async def guest(self, letter: str, link_id: str, name: str = "Gast") -> Credentials:
        value, session = new_cookie(self._store.book.house_key)
        id_ = f"guest{secrets.token_hex(6)}"
        row = (id_, session, link_id, name, self._now_ns)
        await self._store.change(
            lambda file: file.execute(
                "INSERT INTO guests (id, session, link_id, name, entered_ns) VALUES (?, ?, ?, ?, ?)", row
            )
        )
        return Credentials(letter, {"Cookie": f"{GUEST_COOKIE}={value}"}, id=id_)

    async def revoke(self, link_id: str) -> None:
        def edit(file: sqlite3.Connection) -> None:
            file.execute("UPDATE links SET revoked_ns = ? WHERE id = ?", (self._now_ns, link_id))

        await self._store.change(edit)

    async def expire(self, table: str, credentials: Credentials, expires_ns: int) -> None:
        edit = f"UPDATE {table} SET expires_ns = ? WHERE id = ?"
        await self._store.change(lambda file: file.execute(edit, (expires_ns, credentials.row)))

    async def prepare(self) -> None:
        """The house's key is made with the first change."""
        await self._store.change(lambda file: None)


async def callers(registry: Registry, incident_id: str, key: str) -> dict[str, Credentials]:
    """One for each letter of the table but `o`, who is at the machine itself."""
    await registry.prepare()
    link = await registry.link(incident_id)
    return {
        "S": Credentials("S"),
        "V": await registry.account("V", Role.VIEWER),
        "P": await registry.account("P", Role.PILOT),
        "D": await registry.account("D", Role.DISPATCHER),
        "A": await registry.account("A", Role.ADMINISTRATOR),
        "G": await registry.guest("G", link),
        "m": await registry.token("m", METRICS),
        "t": await registry.token("t", API),
        "i": await registry.token("i", API, incident_id),
        "k": Credentials("k", {"Authorization": f"Bearer {key}"}),
    }
