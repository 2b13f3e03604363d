"""Accounts, sessions, tokens, links and guests as they are now: in memory, replaced whole.

Secrets are kept as SHA-256 (sessions, tokens, invites: 256 random bits each) or argon2id (passwords).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .caller import Caller, CallerKind
from .permissions import Permission, Role
from .policy import EVERYBODY, GUEST, granted


@dataclass(frozen=True, slots=True)
class Account:
    """A person. Without a password hash only OpenID Connect or an invite lets him in."""

    id: str
    login: str  # lower case; what he types
    name: str
    roles: frozenset[Role]
    created_ns: int
    password_hash: str = field(default="", repr=False)
    subject: str = ""  # of OpenID Connect: "ISSUER SUB"
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """One device on which somebody has logged in. `id` is the SHA-256 (hex) of what its cookie says."""

    id: str
    account_id: str
    created_ns: int
    expires_ns: int
    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """What lets a machine in. `digest` is the SHA-256 (hex) of the token."""

    id: str
    digest: str = field(repr=False)
    name: str
    grants: frozenset[Permission]
    created_ns: int
    by: str  # whose account made it
    expires_ns: int | None = None
    incident_id: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """Lets whoever holds it watch an incident. Its token is its id, signed by the house's key."""

    id: str
    incident_id: str
    created_ns: int
    expires_ns: int
    by: str
    note: str = ""  # for whom: "ELW 1"
    revoked_ns: int | None = None

    def is_valid(self, now_ns: int) -> bool:
        return self.revoked_ns is None and now_ns < self.expires_ns


@dataclass(frozen=True, slots=True)
class Guest:
    """Who came by a link, on one device. `session` is the SHA-256 (hex) of what its cookie says."""

    id: str
    session: str
    link_id: str
    name: str
    entered_ns: int
    dismissed_ns: int | None = None


class InviteKind(StrEnum):
    """What a one-time link is for."""

    FIRST_ADMINISTRATOR = "first_administrator"
    PASSWORD = "password"  # an account sets its (first, or a new) password


@dataclass(frozen=True, slots=True)
class Invite:
    """A one-time link. `digest` is the SHA-256 (hex) of its token."""

    digest: str
    kind: InviteKind
    account_id: str  # "" of the first administrator, who has none yet
    expires_ns: int


@dataclass(frozen=True, slots=True)
class Book:
    """Everything at one moment."""

    house_key: bytes = field(default=b"", repr=False)  # signs cookies and links; b"": nothing was ever made
    accounts: Mapping[str, Account] = field(default_factory=dict)  # by id
    sessions: Mapping[str, Session] = field(default_factory=dict)  # by id
    tokens: Mapping[str, Token] = field(default_factory=dict)  # by digest
    links: Mapping[str, Link] = field(default_factory=dict)  # by id
    guests: Mapping[str, Guest] = field(default_factory=dict)  # by session
    invites: Mapping[str, Invite] = field(default_factory=dict)  # by digest

    @property
    def has_administrator(self) -> bool:
        return any(Role.ADMINISTRATOR in a.roles and not a.disabled for a in self.accounts.values())

    def account_named(self, login: str) -> Account | None:
        return next((a for a in self.accounts.values() if a.login == login.lower()), None)

    def person(self, session_id: str, now_ns: int) -> Caller | None:
        """Who has that session now."""
        session = self.sessions.get(session_id)
        account = self.accounts.get(session.account_id) if session else None
        if session is None or account is None or account.disabled or now_ns >= session.expires_ns:
            return None
        permissions = granted(account.roles)
        return Caller(CallerKind.PERSON, account.id, account.name, permissions, session_id=session.id)

    def guest(self, session: str, now_ns: int) -> Caller | None:
        """Who came by a link that is still valid."""
        guest = self.guests.get(session)
        link = self.links.get(guest.link_id) if guest else None
        if guest is None or link is None or guest.dismissed_ns is not None or not link.is_valid(now_ns):
            return None
        return Caller(
            CallerKind.GUEST,
            guest.id,
            guest.name,
            GUEST,
            link.incident_id,
            session_id=session,
            link_id=link.id,
        )

    def machine(self, digest: str, now_ns: int) -> Caller | None:
        """Whose token that is."""
        token = self.tokens.get(digest)
        if token is None or (token.expires_ns is not None and now_ns >= token.expires_ns):
            return None
        permissions = EVERYBODY | token.grants
        return Caller(
            CallerKind.MACHINE, token.id, token.name, permissions, token.incident_id, session_id=digest
        )

    def again(self, caller: Caller, now_ns: int) -> Caller | None:
        """The same caller as he is now; None where he is let in no more. Strangers and this machine stay."""
        match caller.kind:
            case CallerKind.PERSON:
                return self.person(caller.session_id, now_ns)
            case CallerKind.GUEST:
                return self.guest(caller.session_id, now_ns)
            case CallerKind.MACHINE:
                return self.machine(caller.session_id, now_ns)
            case _:
                return caller
