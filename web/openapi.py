"""The OpenAPI 3.1 description, made from the registered routes, so that it cannot forget one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import msgspec

from .access import Route
from .access.policy import EVERYBODY
from .access.recognise import GUEST_COOKIE, SESSION_COOKIE
from .errors import RETRY_AFTER_S

HEADERS = {
    "Accept-Post": "Media types that may be posted",
    "Cache-Control": "no-store: this is good for one moment, or secret",
    "Content-Disposition": "A name to save it by",
    "ETag": "The session's one ICE session, for If-Match of PATCH (RFC 9725 4.3.1)",
    "Last-Modified": "When it was taken, to the second",
    "Location": "Where it is; a session is ended by DELETE there",
    "Retry-After": "Seconds after which to ask again",
    "WWW-Authenticate": "How to bring the key (RFC 6750 3)",
    "X-Lagebild-Age-Ms": "How old the picture was when it was handed out, in milliseconds",
    "X-Lagebild-Picture": "newest, or keyframe: the first still in a while is of the newest keyframe",
    "X-Lagebild-Time-Origin": "Where its time comes from: source (the camera's clock) or arrival",
}
"""Every header that an answer may carry beside those of HTTP itself."""

JSON = "application/json"
_REF = "#/components/schemas/{name}"
_AT_THE_DOOR = {
    401: "nobody is logged in (login_needed), or the token is wrong or was withdrawn (token_wrong)",
    403: "not permitted to who asks; or asked for by a page of another site, or by a name that is not the "
    "service's",
    429: "this address asks too much; Retry-After says when to ask again",
}

_KEY = {
    "key": {"type": "http", "scheme": "bearer"},
    "keyInAddress": {"type": "apiKey", "in": "query", "name": "key"},
}
"""Either will do (RFC 9725 4.7)."""

_CALLER = {
    "token": {"type": "http", "scheme": "bearer"},
    "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
    "guest": {"type": "apiKey", "in": "cookie", "name": GUEST_COOKIE},
}
"""Any will do where more is asked for than what everybody may."""

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        }
    },
}


def describe(routes: Iterable[Route]) -> dict[str, Any]:
    """The description as a JSON-ready tree; the page's own files are left out."""
    routes = [route for route in routes if not route.is_page]
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    types = [kind for route in routes for kind in (route.schema, route.body_schema) if kind]
    schemas = msgspec.json.schema_components(types, ref_template=_REF)[1]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lagebild", "version": version("lagebild")},
        "paths": paths,
        "components": {"schemas": {"Error": _ERROR} | schemas, "securitySchemes": _KEY | _CALLER},
    }


def _operation(route: Route) -> dict[str, Any]:
    answers = _AT_THE_DOOR | route.answers
    operation: dict[str, Any] = {
        "summary": route.summary,
        "x-permission": str(route.permission),
        "responses": {str(status): _response(route, status, answers[status]) for status in sorted(answers)},
    }
    names = re.findall(r"{(\w+)}", route.path)
    parameters = [(name, "path", {"type": "string"}) for name in names]
    parameters += [(name, "query", schema) for name, schema in route.query.items()]
    if parameters:
        operation["parameters"] = [
            {"name": name, "in": place, "required": place == "path", "schema": schema}
            for name, place, schema in parameters
        ]
    if route.keyed:
        operation["security"] = [{name: []} for name in _KEY]
    elif route.permission not in EVERYBODY:
        operation["security"] = [{name: []} for name in _CALLER]
    if route.body:
        content = {route.body: {"schema": _schema(route.body, route.body_schema)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _response(route: Route, status: int, text: str) -> dict[str, Any]:
    response: dict[str, Any] = {"description": text}
    is_error = status >= 400 and (status in _AT_THE_DOOR or not route.says_why_itself)
    headers = {"Cache-Control", *(_headers_of_error(status) if is_error else route.headers)}
    response["headers"] = {
        name: {"description": HEADERS[name], "required": True, "schema": {"type": "string"}}
        for name in sorted(headers)
    }
    if is_error:
        response["content"] = {JSON: {"schema": {"$ref": _REF.format(name="Error")}}}
    elif route.media_type and status not in (101, 204):
        response["content"] = {route.media_type: {"schema": _schema(route.media_type, route.schema)}}
    return response


def _headers_of_error(status: int) -> tuple[str, ...]:
    if status in RETRY_AFTER_S:
        return ("Retry-After",)
    return ("WWW-Authenticate",) if status == 401 else ()


def _schema(media_type: str, kind: type | None) -> dict[str, Any]:
    if kind is not None:
        return {"$ref": _REF.format(name=kind.__name__)}
    if media_type == JSON or media_type.endswith("+json"):
        return {"type": "object"}
    if media_type.startswith("image/"):
        return {"contentMediaType": media_type}  # bytes as they are (OpenAPI 3.1 4.8.14.2)
    return {"type": "string"}
