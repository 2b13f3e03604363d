"""Who may do what: callers, the policy table, and the door that every HTTP route goes through.

permissions.py  what there is to allow, and what a route is about
caller.py       who calls
policy.py       the one table: roles, and what a caller who is bound to an incident reaches
door.py         every route's registration; recognises the caller, asks the policy, tells the audit log
book.py         accounts, sessions, tokens, links and guests as they are now, in memory
store.py        the same in `data_dir`/access.sqlite
forwarded.py    what reverse proxies say of a request
recognise.py    cookies, bearer tokens, and this machine
reach.py        which feeds, aircraft and flights belong to an incident
accounts.py     people: made, changed, removed; never the last administrator
passwords.py    argon2id, one at a time
logins.py       logging in and out; attempts.py, throttle.py: how often somebody may try
sessions.py     devices on which somebody is logged in, or was
invites.py      one-time links
tokens.py       what lets machines in
presence.py     who is connected, and how each is let go of at once
audit.py        what the audit log is told
"""

from __future__ import annotations

from .caller import Caller, CallerKind
from .door import (
    Door,
    ForbiddenError,
    Handler,
    Route,
    UnauthenticatedError,
    caller_of,
    said_by,
    tell_audit,
)
from .forwarded import is_secure, origin_url
from .permissions import Permission, Role, Scope

__all__ = [
    "Caller",
    "CallerKind",
    "Door",
    "ForbiddenError",
    "Handler",
    "Permission",
    "Role",
    "Route",
    "Scope",
    "UnauthenticatedError",
    "caller_of",
    "is_secure",
    "origin_url",
    "said_by",
    "tell_audit",
]
