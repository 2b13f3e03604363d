"""What the provider says somebody is, as roles of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web.access import Role
from web.access.accounts import NAME_MOST
from web.settings import OidcSettings

_SAID_MOST, _SAID_ITEMS_MOST = 60, 20


def roles_of(claims: Mapping[str, Any], oidc: OidcSettings) -> frozenset[Role]:
    """Each role of which the claim says something that the settings list; none: he may not come in."""
    told = claim_at(claims, oidc.roles_claim)
    said = {each for each in (told if isinstance(told, list) else [told]) if isinstance(each, str)}
    listed = {
        Role.VIEWER: oidc.viewer,
        Role.PILOT: oidc.pilot,
        Role.DISPATCHER: oidc.dispatcher,
        Role.ADMINISTRATOR: oidc.administrator,
    }
    return frozenset(role for role, texts in listed.items() if not said.isdisjoint(texts))


def said_of(claims: Mapping[str, Any], path: str) -> str:
    """What the claim says, for whoever writes the settings: in the log, without whom it is about."""
    told = claim_at(claims, path)
    if told is None:
        return f"there is no claim {path}"
    said = [_one_line(str(each))[:_SAID_MOST] for each in (told if isinstance(told, list) else [told])]
    return f"{path} is {', '.join(said[:_SAID_ITEMS_MOST]) or 'empty'}"


def claim_at(claims: Any, path: str) -> Any:
    """The claim of that name, or what the dots in it lead to: names may have dots themselves
    ("https://city.example/roles"). None: there is none."""
    if not isinstance(claims, Mapping):
        return None
    if path in claims:
        return claims[path]
    at = path.find(".")
    while at >= 0:
        found = claim_at(claims.get(path[:at]), path[at + 1 :])
        if found is not None:
            return found
        at = path.find(".", at + 1)
    return None


def name_of(claims: Mapping[str, Any]) -> str:
    """As others see the person."""
    return _first_text(claims, ("name", "preferred_username", "email", "sub"))


def login_of(claims: Mapping[str, Any]) -> str:
    """What the person types at the provider, as far as it says."""
    return _first_text(claims, ("preferred_username", "email", "sub")).lower()


def _first_text(claims: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        told = claims.get(name)
        if isinstance(told, str) and (text := _one_line(told)):
            return text[:NAME_MOST]
    return "?"


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
