"""What people are told of their data: the notice on privacy, and the record of processing activities."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from aiohttp import web
from msgspec import Meta

from flow.clock import Clock
from flow.errors import MalformedError
from web.access import Door, Permission, Route, Scope
from web.bodies import json_reply
from web.privacy.notice import OwnNotice, made
from web.privacy.record import record
from web.privacy.words import TITLES, Language
from web.settings import Settings

MARKDOWN = "text/markdown"


@dataclass(frozen=True, slots=True)
class PrivacyNotice:
    """What Art. 13 GDPR asks for, as Markdown. HTML in it is to be shown as text."""

    language: Language
    title: str
    text: Annotated[str, Meta(description="Markdown: headings, paragraphs, lists, bold, links")]
    own: Annotated[bool, Meta(description="The city's own text; else made from the settings")]


_NOTICE = Route(
    "GET",
    "/api/v1/privacy-notice",
    Permission.PUBLIC,
    "The notice on privacy",
    {200: "the notice", 400: "no such language"},
    schema=PrivacyNotice,
    query={"language": {"type": "string", "enum": list(TITLES), "default": "de"}},
    scope=Scope.NOTHING,
)
_RECORD = Route(
    "GET",
    "/api/v1/processing-record.md",
    Permission.ADMINISTER,
    "The record of processing activities (Art. 30 GDPR), in German, made from the settings",
    {200: "the record"},
    media_type=MARKDOWN,
    headers=("Cache-Control",),
    scope=Scope.HOUSE,
)


def add_privacy_routes(door: Door, settings: Settings, clock: Clock) -> None:
    """Raises ConfigError where the city's own text cannot be read."""
    own = OwnNotice(Path(settings.privacy.notice)) if settings.privacy.notice else None

    async def notice(request: web.Request) -> web.Response:
        asked = request.query.get("language", "de")
        if asked not in TITLES:
            raise MalformedError(f"language is one of {', '.join(TITLES)}")
        language: Language = "en" if asked == "en" else "de"
        if own is None:
            return json_reply(PrivacyNotice(language, TITLES[language], made(settings, language), own=False))
        text, language = await asyncio.to_thread(partial(own.text, language))
        return json_reply(PrivacyNotice(language, TITLES[language], text, own=True))

    async def shown(_: web.Request) -> web.Response:
        return web.Response(
            text=record(settings, clock.now_ns()),
            content_type=MARKDOWN,
            charset="utf-8",
            headers={"Cache-Control": "no-store"},
        )

    door.route(_NOTICE, notice)
    door.route(_RECORD, shown)
