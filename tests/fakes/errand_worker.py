"""A process for an errand that tells how far it stands back: `python -m tests.fakes.errand_worker PARENT`"""

from __future__ import annotations

from pathlib import Path

import msgspec

from web.errands import serve_errand


class Nothing(msgspec.Struct, frozen=True):
    """There is nothing to know."""


def answer(question: Nothing) -> bytes:
    return Path("/proc/self/autogroup").read_bytes()


if __name__ == "__main__":
    serve_errand(Nothing, answer)
