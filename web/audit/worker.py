"""`python -m web.audit.worker PARENT`: reads the audit log for one question, so that no picture waits for it.

The question comes as a line of JSON on standard input, the answer goes to standard output as it is found. An
exit code other than 0 says that the log cannot be read.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from flow.errors import LagebildError
from ingest.child import end_with
from recordings.export.signature import signing_key
from web.children import step_back

from .checking import check
from .sealing import as_csv, sealed
from .searching import Query, forwards, search

_NICE = 5
Form = Literal["page", "jsonl", "csv", "check"]


class Question(msgspec.Struct, frozen=True):
    """What to do with the log of that data folder."""

    root: str
    form: Form
    query: Query = Query()


def answer(question: Question) -> Iterator[bytes]:
    """Raises OSError, ConfigError."""
    root = Path(question.root)
    match question.form:
        case "page":
            yield msgspec.json.encode(search(root, question.query))
        case "check":
            yield msgspec.json.encode(check(root))
        case "jsonl":
            yield from sealed(forwards(root, question.query), signing_key(root), time.time_ns())
        case "csv":
            yield from as_csv(forwards(root, question.query))


def main() -> int:
    end_with(int(sys.argv[1]))
    step_back(_NICE)
    question = msgspec.json.decode(sys.stdin.buffer.readline(), type=Question)
    try:
        for part in answer(question):
            sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
    except (OSError, LagebildError) as error:
        print(f"audit: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
