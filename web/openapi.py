"""The OpenAPI 3.1 description, made from the registered routes, so that it cannot forget one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import msgspec

from .access import Permission, Route


def describe(routes: Iterable[Route]) -> dict[str, Any]:
    """The description as a JSON-ready tree; the page's own files are left out."""
    routes = list(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.permission is not Permission.PAGE:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lagebild", "version": version("lagebild")},
        "paths": paths,
        "components": {"schemas": {"Error": _ERROR} | _schemas(routes), "securitySchemes": _KEY},
    }


_REF = "#/components/schemas/{name}"


def _schemas(routes: Iterable[Route]) -> dict[str, Any]:
    types = [route.schema for route in routes if route.schema]
    return msgspec.json.schema_components(types, ref_template=_REF)[1]


_KEY = {
    "key": {"type": "http", "scheme": "bearer"},
    "keyInAddress": {"type": "apiKey", "in": "query", "name": "key"},
}
"""Either will do (RFC 9725 4.7)."""

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


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "x-permission": str(route.permission),
        "responses": {str(status): _response(route, status, text) for status, text in route.answers.items()},
    }
    names = re.findall(r"{(\w+)}", route.path)
    if names:
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    if route.keyed:
        operation["security"] = [{name: []} for name in _KEY]
    if route.body:
        operation["requestBody"] = {
            "required": True,
            "content": {route.body: {"schema": {"type": "string"}}},
        }
    return operation


def _response(route: Route, status: int, text: str) -> dict[str, Any]:
    if status >= 400 and route.path not in ("/readyz",):
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
        return {"description": text, "content": content}
    if status in (101, 204) or not route.media_type:
        return {"description": text}
    schema = {"schema": {"$ref": _REF.format(name=route.schema.__name__)}} if route.schema else {}
    return {"description": text, "content": {route.media_type: schema}}
