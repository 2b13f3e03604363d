"""The policy: one table, and what being bound to an incident means. Deny by default; no I/O.

A test walks every route with every role, inside and outside of the caller's incident.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Protocol

from .caller import Caller
from .permissions import Permission as P
from .permissions import Role, Scope

EVERYBODY = frozenset({P.PUBLIC, P.PUBLISH})
GUEST = EVERYBODY | {P.PAGE, P.SELF, P.WATCH}
_VIEWER = GUEST | {P.MARK, P.REWIND}

GRANTS: Mapping[Role, frozenset[P]] = {
    Role.VIEWER: _VIEWER,
    Role.PILOT: _VIEWER | {P.CONNECT},
    Role.DISPATCHER: _VIEWER | {P.REVIEW, P.EXPORT, P.KEEP, P.DELETE, P.SHARE, P.TRAIN, P.OPERATE},
    Role.ADMINISTRATOR: frozenset(P),
}
"""What each role allows; an account may have several."""

TOKEN_GRANTS = frozenset({P.WATCH, P.MARK, P.REVIEW, P.EXPORT, P.KEEP, P.SHARE, P.OPERATE})
"""What a machine's token may be given. Feeds are published with keys of their own (publish_keys.py)."""


class Verdict(Enum):
    """What becomes of a request."""

    ALLOWED = auto()
    LOGIN = auto()  # a stranger: 401, or the login page
    FORBIDDEN = auto()  # 403
    HIDDEN = auto()  # 404: of another incident, so not even that it exists


class Reach(Protocol):
    """What belongs to an incident now (reach.py). Answers at once, from memory."""

    def feeds(self, incident_id: str) -> frozenset[str]:
        """Of the aircraft that it has; none once it is closed."""
        ...

    def aircraft(self, incident_id: str) -> frozenset[str]: ...

    def flights(self, incident_id: str) -> frozenset[str]: ...

    def running(self) -> frozenset[str]:
        """The flights that go on, of any incident or none."""
        ...

    def since_ns(self, incident_id: str, aircraft_id: str) -> int:
        """Since when the incident has that aircraft."""
        ...


def granted(roles: frozenset[Role]) -> frozenset[P]:
    """What these roles allow together."""
    return EVERYBODY.union(*(GRANTS[role] for role in roles))


def decide(caller: Caller, permission: P, scope: Scope, named: Mapping[str, str], reach: Reach) -> Verdict:
    """May this caller? `named` are the path's parameters: "feed", "aircraft", "flight", "incident"."""
    if not _may(caller, permission, scope, named, reach):
        return Verdict.FORBIDDEN if caller.is_known else Verdict.LOGIN
    if caller.incident_id is None or permission in EVERYBODY:
        return Verdict.ALLOWED
    if scope is Scope.HOUSE:
        return Verdict.FORBIDDEN
    return Verdict.ALLOWED if _is_inside(caller.incident_id, scope, named, reach) else Verdict.HIDDEN


def _may(caller: Caller, permission: P, scope: Scope, named: Mapping[str, str], reach: Reach) -> bool:
    has = caller.permissions
    # Whoever watches may go back in what goes on, and note it: in no other flight.
    goes_on = scope is Scope.FLIGHT and named.get("flight") in reach.running()
    match permission:
        case P.REWIND:
            return P.REWIND in has or P.REVIEW in has
        case P.REVIEW:
            return P.REVIEW in has or (P.REWIND in has and goes_on)
        case P.MARK if scope is Scope.FLIGHT:
            return P.MARK in has and (P.REVIEW in has or goes_on)
    return permission in has


def _is_inside(incident_id: str, scope: Scope, named: Mapping[str, str], reach: Reach) -> bool:
    if scope in (Scope.NOTHING, Scope.FILTERED):
        return True
    if scope is Scope.INCIDENT:
        return named.get("incident") == incident_id
    inside = {Scope.FEED: reach.feeds, Scope.AIRCRAFT: reach.aircraft, Scope.FLIGHT: reach.flights}[scope]
    return named.get(scope.value) in inside(incident_id)
