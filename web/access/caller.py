"""Who calls."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .permissions import Permission


class CallerKind(StrEnum):
    """How a caller is known."""

    NOBODY = "nobody"  # a stranger
    PERSON = "person"  # by an account
    GUEST = "guest"  # by an incident link
    MACHINE = "machine"  # by a token
    LOCAL = "local"  # by sitting at this machine, where the settings trust it


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and what that allows.

    `id` is the account's, guest's or token's; `session_id` names this one device of his. A caller with an
    `incident_id` reaches what belongs to that incident now, and nothing else.
    """

    kind: CallerKind
    id: str = ""
    name: str = ""  # as others see it
    permissions: frozenset[Permission] = frozenset()
    incident_id: str | None = None
    session_id: str = ""
    link_id: str = ""  # of guests: by which link they came

    @property
    def is_known(self) -> bool:
        return self.kind is not CallerKind.NOBODY


NOBODY = Caller(CallerKind.NOBODY, permissions=frozenset({Permission.PUBLIC, Permission.PUBLISH}))
"""A stranger. Publishers are known by the key of their feed, which the feed's own door checks."""
