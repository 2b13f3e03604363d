"""`lagebild audit show | search | export | check`, beside a running service or without one."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from flow.clock import NS_PER_S
from flow.errors import ConfigError
from recordings.export.signature import grouped, signing_key

from .access.audit import Action
from .audit.anchor import public_key_of
from .audit.chain import End, Line, utc_ns_of
from .audit.checking import Report, check, check_files
from .audit.reading import FOLDER
from .audit.sealing import as_csv, check_sealed, sealed
from .audit.searching import Query, forwards, search
from .command_log import record_at
from .data_folder import become_its_user
from .flights_cli import plain
from .settings import Settings

SHOWN = 50
_FINDINGS_SHOWN = 50
INTACT, NOT_INTACT = 0, 1


async def run_audit(options: argparse.Namespace, settings: Settings) -> int:
    """What `add_audit_command` parsed; returns the exit code. Raises LagebildError."""
    root = Path(settings.server.data_dir)
    try:
        return _ACTIONS[options.action](root, options)
    except OSError as error:
        raise ConfigError(f"{error.filename or root / FOLDER}: {error.strerror or error}") from None


def _show(root: Path, options: argparse.Namespace) -> int:
    _existing(root)
    record_at(root, Action.READ_AUDIT, "lagebild audit show", {}, {})
    for line in reversed(search(root, Query(limit=options.number))):
        print(as_line(line))
    return 0


def _search(root: Path, options: argparse.Namespace) -> int:
    _existing(root)
    record_at(root, Action.READ_AUDIT, "lagebild audit search", {}, {})
    found = search(root, _query_of(options, options.number))
    for line in reversed(found):
        print(as_line(line))
    if not found:
        print("lagebild: no such entries")
    return 0


def _export(root: Path, options: argparse.Namespace) -> int:
    _existing(root)
    record_at(root, Action.READ_AUDIT, "lagebild audit export", {}, {"form": options.form})
    lines = forwards(root, _query_of(options))
    parts = as_csv(lines) if options.form == "csv" else sealed(lines, signing_key(root), time.time_ns())
    if options.out is None:
        sys.stdout.buffer.writelines(parts)
        sys.stdout.buffer.flush()
        return 0
    with options.out.open("xb") as file:
        file.writelines(parts)
    print(f"lagebild: the audit log is in {options.out}")
    return 0


def _check(root: Path, options: argparse.Namespace) -> int:
    if options.file:
        return _check_files(root, options.file)
    _existing(root)
    report = check(root, options.seen)
    print("\n".join(_told(report)))
    return INTACT if report.intact else NOT_INTACT


def _check_files(root: Path, files: list[Path]) -> int:
    """An export, or months that were kept elsewhere."""
    report = check_sealed(files[0], public_key_of(root)) if len(files) == 1 else None
    if report is None:
        told = check_files(files)
        print("\n".join(_told(told)))
        return INTACT if told.intact else NOT_INTACT
    print(f"{'INTACT' if report.intact else 'NOT INTACT'}: {report.entries} entries, sealed {report.utc}")
    if report.why:
        print(f"  {report.why}")
    if not report.complete:
        print("  entries between them were left out: it is a selection")
    print(f"  key         {grouped(report.fingerprint)}")
    return INTACT if report.intact else NOT_INTACT


def _told(report: Report) -> Iterator[str]:
    if report.intact:
        yield f"INTACT: {report.entries} entries, from {report.first_seq} to {report.last_seq}"
    else:
        yield f"NOT INTACT: {len(report.findings)} findings in {report.entries} entries"
        yield from (f"  {each.found:<10}  {plain(each.text)}" for each in report.findings[:_FINDINGS_SHOWN])
    if report.lost:
        yield f"  {report.lost} entries are missing: the disk did not take them; the log says when"
    yield f"  end         {report.last_seq}:{report.last_hash}"
    if report.anchored_seq:
        yield f"  anchored    up to {report.anchored_seq}, at {report.anchored_utc}"
        yield f"  key         {grouped(report.fingerprint)}"
    yield "  whoever has this folder and its key could have written all of it anew: note the end elsewhere,"
    yield "  and give it with --seen next time"


def as_line(line: Line) -> str:
    """One entry for people, in local time."""
    moment = datetime.fromtimestamp(utc_ns_of(line.utc) / NS_PER_S).astimezone()
    who = " ".join(filter(None, (line.kind, line.name or line.id, line.address)))
    what = " ".join(f"{name}={value}" for name, value in (line.named | line.detail).items())
    return plain(f"{line.seq:>7}  {moment:%Y-%m-%d %H:%M:%S}  {who}  {line.action}  {line.about}  {what}")


def _query_of(options: argparse.Namespace, limit: int | None = None) -> Query:
    return Query(
        options.since, options.until, options.who, options.what, options.about, options.text, None, limit
    )


def _existing(root: Path) -> None:
    """Raises ConfigError."""
    if not (root / FOLDER).is_dir():
        raise ConfigError(f"{root / FOLDER}: there is no audit log; server.data_dir says where it is")
    become_its_user(root)


_ACTIONS = {"show": _show, "search": _search, "export": _export, "check": _check}


def add_audit_command(audit: argparse.ArgumentParser, every: argparse.ArgumentParser) -> None:
    """The actions of `lagebild audit`; `every` brings the options of every command."""
    actions = audit.add_subparsers(required=True, metavar="ACTION", dest="action")

    def add(name: str, what: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, parents=[every], help=what, description=what)

    show = add("show", "the newest entries")
    _numbered(show)
    searching = add("search", "entries of some time, person, action or thing")
    _filtered(searching)
    _numbered(searching)
    export = add("export", "the entries, or some of them, as JSON lines with a seal, or as CSV")
    _filtered(export)
    export.add_argument("--form", choices=("jsonl", "csv"), default="jsonl")
    export.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    checking = add("check", "is the log as it was written, and all there? 0: yes, 1: no")
    checking.add_argument("file", type=Path, nargs="*", metavar="FILE", help="an export, or months elsewhere")
    checking.add_argument("--seen", type=_end, metavar="SEQ:HASH", help="an end that was noted before")


def _numbered(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--number", "-n", type=int, default=SHOWN, metavar="N", help="so many at most")


def _filtered(parser: argparse.ArgumentParser) -> None:
    when = "2026-11-24 or 2026-11-24T14:03, in local time"
    parser.add_argument("--since", type=_moment, metavar="TIME", help=when)
    parser.add_argument("--until", type=_moment, metavar="TIME", help="before then")
    parser.add_argument("--who", default="", help="an id, a kind of caller, part of a name or address")
    parser.add_argument("--what", default="", choices=("", *sorted(Action)), help="the action")
    parser.add_argument("--about", default="", help="part of a path; or the id of a feed, flight, incident")
    parser.add_argument("--text", default="", help="anywhere in an entry")


def _moment(text: str) -> int:
    return round(datetime.fromisoformat(text).astimezone().timestamp()) * NS_PER_S


def _end(text: str) -> End:
    seq, _, digest = text.partition(":")
    if not seq.isdigit() or len(digest) != 64:
        raise argparse.ArgumentTypeError("an end is SEQ:HASH, as `lagebild audit check` shows it")
    return End(int(seq), digest)
