"""Settings of the whole service: `lagebild.toml`, closed (unknown keys are refused), then the environment.

Every key can be overridden by `LAGEBILD_` and its path in capitals: `LAGEBILD_SERVER_PORT=8081`,
`LAGEBILD_AIRCRAFT_0_FEED_1_SOURCE=rtp://127.0.0.1:5602`.
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from flow.errors import ConfigError

from .map_background import FILE
from .settings import Settings
from .settings_checks import check_settings

ENVIRONMENT_PREFIX = "LAGEBILD"
NOT_SETTINGS = frozenset({"LAGEBILD_FEEDS"})  # read by the tests only


def load_settings(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """Read the file (none: defaults), apply the environment, and check the whole.

    Raises ConfigError with file, key and the nearest right name.
    """
    where = str(path) if path else "configuration"
    tree = _read(path) if path else {}
    _refuse_unknown_keys(tree, Settings, where, "")
    _apply_environment(tree, Settings, ENVIRONMENT_PREFIX, _own_variables(environment))
    try:
        settings = msgspec.convert(tree, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}") from None
    check_settings(settings, where)
    return _in_its_folder(settings, path) if path else settings


def _in_its_folder(settings: Settings, path: Path) -> Settings:
    """With files counted from the settings' folder: wherever a command is given, it means the same ones."""
    folder = path.parent.resolve()
    server = dataclasses.replace(settings.server, data_dir=str(folder / settings.server.data_dir))
    under = settings.map
    if under.background.startswith(FILE):
        package = folder / under.background.removeprefix(FILE)
        under = dataclasses.replace(under, background=f"{FILE}{package}")
    oidc = settings.oidc
    if oidc.ca:
        oidc = dataclasses.replace(oidc, ca=str(folder / oidc.ca))
    privacy = settings.privacy
    if privacy.notice:
        privacy = dataclasses.replace(privacy, notice=str(folder / privacy.notice))
    tls = settings.tls
    if tls.certificate and tls.key:
        tls = dataclasses.replace(tls, certificate=str(folder / tls.certificate), key=str(folder / tls.key))
    return dataclasses.replace(settings, server=server, map=under, tls=tls, oidc=oidc, privacy=privacy)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; start from config.example.toml") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: no valid TOML: {error}") from None


def _fields_of(schema: type) -> dict[str, Any]:
    hints = typing.get_type_hints(schema)
    return {f.name: hints[f.name] for f in dataclasses.fields(schema)}


def _table_of(kind: Any) -> tuple[type | None, bool]:
    """(the dataclass a value of this type is a table of, whether it is an array of them)."""
    if dataclasses.is_dataclass(kind):
        return typing.cast(type, kind), False
    inner = typing.get_args(kind)
    if typing.get_origin(kind) is tuple and dataclasses.is_dataclass(inner[0]):
        return typing.cast(type, inner[0]), True
    return None, False


def _refuse_unknown_keys(tree: Mapping[str, Any], schema: type, where: str, at: str) -> None:
    known = _fields_of(schema)
    for key, value in tree.items():
        if key not in known:
            raise ConfigError(f"{where}: unknown key '{at}{key}'{_nearest(key, known)}")
        table, many = _table_of(known[key])
        if table is None:
            continue
        rows = value if many and isinstance(value, list) else [value]
        for index, row in enumerate(rows):
            if isinstance(row, Mapping):
                _refuse_unknown_keys(row, table, where, f"{at}{key}[{index}]." if many else f"{at}{key}.")


def _nearest(key: str, known: typing.Iterable[str]) -> str:
    names = sorted(known)
    match = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
    return f"; did you mean '{match[0]}'?" if match else f"; known here: {', '.join(names)}"


def _own_variables(environment: Mapping[str, str]) -> dict[str, str]:
    prefix = ENVIRONMENT_PREFIX + "_"
    return {k: v for k, v in environment.items() if k.startswith(prefix) and k not in NOT_SETTINGS}


def _apply_environment(tree: dict[str, Any], schema: type, prefix: str, variables: dict[str, str]) -> None:
    used = _overrides(tree, schema, prefix, variables)
    for name in variables.keys() - used:
        raise ConfigError(f"environment: unknown setting {name}{_nearest(name, _variables(schema, prefix))}")


def _variables(schema: type, prefix: str) -> typing.Iterator[str]:
    """Every variable there is; of arrays the first element's."""
    for key, kind in _fields_of(schema).items():
        name = _variable(prefix, key)
        table, many = _table_of(kind)
        if table is None:
            yield name
        else:
            yield from _variables(table, f"{name}_0" if many else name)


def _overrides(tree: dict[str, Any], schema: type, prefix: str, variables: dict[str, str]) -> set[str]:
    used: set[str] = set()
    for key, kind in _fields_of(schema).items():
        name = _variable(prefix, key)
        table, many = _table_of(kind)
        if table is None:
            if name in variables:
                tree[key] = _value(variables[name], kind, name)
                used.add(name)
        elif many:
            rows = tree.setdefault(key, [])
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                continue  # msgspec says what is wrong with it
            while any(v.startswith(f"{name}_{len(rows)}_") for v in variables):
                rows.append({})
            for index, row in enumerate(rows):
                used |= _overrides(row, table, f"{name}_{index}", variables)
        elif isinstance(part := tree.setdefault(key, {}), dict):
            used |= _overrides(part, table, name, variables)
    return used


def _variable(prefix: str, key: str) -> str:
    return f"{prefix}_{key.upper()}"


def _value(text: str, kind: Any, name: str) -> Any:
    """A variable's text as the setting's type: strings as they are, lists at commas, the rest as TOML."""
    if kind is str:
        return text
    if typing.get_origin(kind) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        raise ConfigError(f"environment: {name}={text} is no {getattr(kind, '__name__', kind)}") from None
