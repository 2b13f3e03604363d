"""As much of JSON Schema (draft 2020-12) as our OpenAPI description uses; what that does not say is wrong."""

from __future__ import annotations

import re
from typing import Any

Schema = dict[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_KNOWN = {
    "$ref",
    "anyOf",
    "type",
    "properties",
    "required",
    "items",
    "enum",
    "additionalProperties",
    "pattern",
}
_SAYS_NOTHING = {"title", "description", "default", "examples", "discriminator"}


def complaints(value: Any, schema: Schema, schemas: dict[str, Schema], at: str = "") -> list[str]:
    """Where `value` is not as described; a property that nothing describes is a complaint, too."""
    unknown = schema.keys() - _KNOWN - _SAYS_NOTHING
    if unknown:
        return [f"{at}: the test does not know {sorted(unknown)}"]
    if "$ref" in schema:
        return complaints(value, schemas[schema["$ref"].rpartition("/")[2]], schemas, at)
    if "anyOf" in schema:
        each = [complaints(value, one, schemas, at) for one in schema["anyOf"]]
        return [] if not all(each) else min(each, key=len)
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{at}: {value!r} is none of {schema['enum']}"]
    kind = schema.get("type")
    if kind is None:
        return []
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        return [f"{at}: {value!r} is no {kind}"]
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        return [f"{at}: {value!r} does not match {schema['pattern']}"]
    if isinstance(value, list):
        items = schema.get("items", {})
        return [c for n, one in enumerate(value) for c in complaints(one, items, schemas, f"{at}[{n}]")]
    return _of_object(value, schema, schemas, at) if isinstance(value, dict) else []


def _of_object(value: dict[str, Any], schema: Schema, schemas: dict[str, Schema], at: str) -> list[str]:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    found = [f"{at}.{name} is missing" for name in schema.get("required", ()) if name not in value]
    for name, one in value.items():
        if name in properties:
            found += complaints(one, properties[name], schemas, f"{at}.{name}")
        elif isinstance(others, dict):
            found += complaints(one, others, schemas, f"{at}.{name}")
        elif properties:
            found.append(f"{at}.{name} is not described")
    return found
