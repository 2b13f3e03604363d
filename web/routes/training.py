"""Recordings played for an exercise."""

from __future__ import annotations

import msgspec
from aiohttp import web

from flow.clock import Clock
from web.access import Door, Permission, Route, Scope, said_by, tell_audit
from web.access.audit import Action
from web.bodies import JSON, json_body
from web.pace import Pace
from web.training import NewTraining, Training, TrainingChange, TrainingView
from web.training_aircraft import TRAINING

ORDERS_AT_ONCE, ORDERS_A_SECOND = 20, 5.0
"""Of one address: a hand on a slider."""

_PATH = "/api/v1/training"
_NONE = {404: "nothing is played", 429: "this address asks too often"}

_STATE = Route(
    "GET",
    _PATH,
    Permission.WATCH,
    "What is played for an exercise",
    {200: "it, or that there is none"},
    schema=TrainingView,
    scope=Scope.FILTERED,
)

_BEGIN = Route(
    "POST",
    _PATH,
    Permission.TRAIN,
    "Play a flight for an exercise, marked as that wherever it shows",
    {
        201: "it plays",
        400: "not such a wish",
        404: "no such flight, or it has no such feed",
        409: "one is played already (training_runs), or the flight cannot be read (flight_damaged)",
        429: _NONE[429],
        503: "it cannot be played (replay_failed)",
    },
    body=JSON,
    body_schema=NewTraining,
    schema=TrainingView,
    action=Action.MADE,
)

_CHANGE = Route(
    "PATCH",
    _PATH,
    Permission.TRAIN,
    "Go on elsewhere, at another speed, or stand still",
    {200: "what is played", 400: "not such a change"} | _NONE,
    body=JSON,
    body_schema=TrainingChange,
    schema=TrainingView,
)

_END = Route(
    "DELETE",
    _PATH,
    Permission.TRAIN,
    "End the exercise",
    {204: "it has ended"} | _NONE,
    media_type="",
    action=Action.CHANGED,
)


def add_training_routes(door: Door, training: Training, clock: Clock) -> None:
    pace = Pace(clock, ORDERS_AT_ONCE, ORDERS_A_SECOND)

    async def state(request: web.Request) -> web.Response:
        """What is played is of no incident."""
        is_shown = door.within(request).has_aircraft(TRAINING.id)
        return _json(training.view() if is_shown else TrainingView(playing=False))

    async def begin(request: web.Request) -> web.Response:
        pace.take(request.remote or "")
        wish = await json_body(request, NewTraining)
        wish.by = said_by(request, wish.by)
        tell_audit(request, flight=wish.flight_id)
        return _json(await training.begin(wish), 201)

    async def change(request: web.Request) -> web.Response:
        pace.take(request.remote or "")
        return _json(await training.change(await json_body(request, TrainingChange)))

    async def end(request: web.Request) -> web.Response:
        pace.take(request.remote or "")
        await training.end()
        return web.Response(status=204)

    door.route(_STATE, state)
    door.route(_BEGIN, begin)
    door.route(_CHANGE, change)
    door.route(_END, end)


def _json(view: TrainingView, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(view), content_type=JSON, status=status)
