"""aiortc's, aioice's and pylibsrtp's private names gone: one clear error that names what is missing.

`python -m tests.prove.names` reads [[where, name], ...] from its standard input, takes each name away in a
process of its own, imports the relay there, and prints [where, name, what it said] for each.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, TypeAlias

from flow.errors import LagebildError

Taken: TypeAlias = tuple[str, str]
"""Where ("aiortc.sdp", or "aiortc.sdp.SessionDescription()" for an object of the class), and the name."""

LIBRARIES = ("aiortc", "aiortc.sdp", "aioice.ice", "pylibsrtp")
CLEAR = re.compile(r"this version of (?:aiortc or aioice|pylibsrtp) lacks (.+); \d+\.\d+\.\d+ has them")
IMPORTED_WITHIN_S = 60


def taken_away() -> list[Taken]:
    """Every private name that the relay says it uses."""
    from relay import aiortc_seam, srtp  # not in the processes that import it anew

    seam = [(where, name) for where, _, names in aiortc_seam.PRIVATE_NAMES for name in names]
    return seam + [(where, name) for where, _, name in srtp.PRIVATE_NAMES]


def names(taken: Sequence[Taken]) -> dict[str, Any]:
    """What the relay says when each of them is gone."""
    tried = subprocess.run(
        [sys.executable, "-m", "tests.prove.names"],
        input=json.dumps(taken), capture_output=True, text=True, timeout=IMPORTED_WITHIN_S, check=True,
    )  # fmt: skip
    said = {(where, name): text for where, name, text in map(json.loads, tried.stdout.splitlines())}
    unclear = [f"{where}.{name}" for where, name in taken if not is_clear(said.get((where, name), ""), name)]
    return {
        "said": {f"{where}.{name}": text for (where, name), text in said.items()},
        "unclear": unclear,
        "ok": bool(taken) and not unclear,
    }


def is_clear(said: str, name: str) -> bool:
    """Whether this is the one error that it should be, and names what is gone, first of all that."""
    found = CLEAR.fullmatch(said)
    return found is not None and found[1].split(", ")[0].rpartition(".")[2] == name


class Without:
    """Everything that `whole` has but one name; for what lets nobody delete it."""

    def __init__(self, whole: Any, name: str) -> None:
        self._whole, self._name = whole, name

    def __getattr__(self, name: str) -> Any:
        if name == self._name:
            raise AttributeError(name)
        return getattr(self._whole, name)


def take_away(where: str, name: str) -> None:
    """As if the library no longer had it."""
    if where.endswith("()"):
        _take_from_objects(pkgutil.resolve_name(where.removesuffix("()")), name)
        return
    owner = pkgutil.resolve_name(where)
    try:
        delattr(owner, name)
    except (AttributeError, TypeError):
        parent, _, last = where.rpartition(".")
        setattr(pkgutil.resolve_name(parent), last, Without(owner, name))


def _take_from_objects(kind: Any, name: str) -> None:
    make = kind.__init__

    def init(self: Any, *arguments: Any, **more: Any) -> None:
        make(self, *arguments, **more)
        delattr(self, name)

    kind.__init__ = init


def _said() -> str:
    """How the relay takes it."""
    try:
        importlib.import_module("relay.hub")
    except LagebildError as error:
        return str(error)
    except Exception as error:
        return f"nothing clear: {type(error).__name__}: {error}"
    return "nothing at all"


def main() -> None:
    for library in LIBRARIES:  # once for all
        importlib.import_module(library)
    children = []
    for where, name in json.load(sys.stdin):
        children.append(os.fork())
        if not children[-1]:
            take_away(where, name)
            line = json.dumps([where, name, _said()]) + "\n"
            os.write(sys.stdout.fileno(), line.encode())  # in one piece: the others write there too
            os._exit(0)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
