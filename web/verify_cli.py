"""`lagebild verify EXPORT`: is an export as it was signed? 0: intact, 1: not, 2: it cannot be looked at."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from flow.errors import ConfigError, MalformedError
from recordings.export.signature import PublicKey, as_fingerprint, grouped
from recordings.export.verify import Fault, Finding, KeyIs, Verdict, verify
from recordings.plain_files import read_plain

from .flights_cli import plain

INTACT, NOT_INTACT, NOT_LOOKED_AT = 0, 1, 2
_KEY_LIMIT_BYTES = 16 * 1024
_SHOWN_MOST = 100

_FAULTS = {
    Fault.CHANGED: "changed",
    Fault.ADDED: "added",
    Fault.MISSING: "missing",
    Fault.UNSIGNED: "signature",
    Fault.FOREIGN_KEY: "key",
    Fault.ZIP: "zip",
}


def run_verify(options: argparse.Namespace) -> int:
    """What `add_verify_command` parsed; returns the exit code. No settings are read: anybody may check."""
    try:
        expected = _expected(options.key)
        verdict = verify(options.export, expected)
    except ConfigError as error:
        print(f"lagebild: {error}", file=sys.stderr)
        return NOT_LOOKED_AT
    except OSError as error:
        print(f"lagebild: {plain(str(options.export))}: {error.strerror or error}", file=sys.stderr)
        return NOT_LOOKED_AT
    print(_as_json(verdict) if options.json else "\n".join(_lines(verdict, plain(options.export.name))))
    return INTACT if verdict.intact else NOT_INTACT


def add_verify_command(verify_: argparse.ArgumentParser) -> None:
    verify_.add_argument(
        "export", type=Path, metavar="EXPORT", help="export.zip, or the folder unpacked of it"
    )
    verify_.add_argument(
        "--key",
        default="",
        metavar="FINGERPRINT|PEM",
        help="the key it should be signed with, known by another way: its fingerprint, or a file with it",
    )
    verify_.add_argument("--json", action="store_true", help="for programs")
    verify_.set_defaults(command=None, alone=run_verify)


def _expected(key: str) -> str:
    """The fingerprint that is meant; "": none. Raises ConfigError."""
    if not key:
        return ""
    try:
        return as_fingerprint(key)
    except MalformedError as error:
        if not Path(key).exists():
            raise ConfigError(f"--key: {error}, and no file of that name is there") from None
    try:
        return PublicKey.read(read_plain(Path(key), _KEY_LIMIT_BYTES)).fingerprint
    except (OSError, MalformedError) as error:
        raise ConfigError(f"--key {plain(key)}: {error}") from None


def _lines(verdict: Verdict, name: str) -> Iterator[str]:
    if verdict.intact:
        yield f"INTACT: {name} is as it was signed: nothing changed, added or removed"
    else:
        yield f"NOT INTACT: {name}"
        yield from map(_line, verdict.findings[:_SHOWN_MOST])
        if len(verdict.findings) > _SHOWN_MOST:
            yield f"  and {len(verdict.findings) - _SHOWN_MOST} more; --json shows all"
    yield from _of(verdict)
    if verdict.fingerprint:
        yield f"  key         {grouped(verdict.fingerprint)}"
    if verdict.key is KeyIs.EXPECTED:
        yield "  that is the key it should be signed with"
    elif verdict.key is KeyIs.NOT_COMPARED:
        yield "  whose key that is was NOT checked: a forger would enclose his own. Ask for the fingerprint"
        yield "  by another way and give it with --key"


def _line(finding: Finding) -> str:
    what = f"{plain(finding.name)}: " if finding.name else ""
    return f"  {_FAULTS[finding.fault]:<11} {what}{plain(finding.detail)}"


def _of(verdict: Verdict) -> Iterator[str]:
    manifest = verdict.manifest
    if manifest is None:
        return
    said = "" if verdict.intact else " (as it says, which is worth nothing now)"
    if manifest.origin.flight_id:
        yield f"  flight      {plain(manifest.origin.flight_id)}{said}"
    if manifest.origin.made:
        yield f"  made        {plain(manifest.origin.made)} by the server's own clock{said}"
    yield f"  files       {len(manifest.files)}{said}"


def _as_json(verdict: Verdict) -> str:
    return json.dumps(
        {
            "intact": verdict.intact,
            "key": verdict.key.value,
            "fingerprint": verdict.fingerprint,
            "flight_id": verdict.manifest.origin.flight_id if verdict.manifest else "",
            "made": verdict.manifest.origin.made if verdict.manifest else "",
            "findings": [
                {"fault": each.fault.value, "name": each.name, "detail": each.detail}
                for each in verdict.findings
            ],
        },
        indent=1,
    )
