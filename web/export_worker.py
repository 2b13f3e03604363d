"""The process that makes one export: `python -m web.export_worker PARENT`. What is said: export_talk.py.

It takes only what nobody else needs: the lowest priority, and one processor, by which libav and OpenCV choose
how many threads they start. It ends with its parent, at once, wherever it is.
"""

from __future__ import annotations

import logging
import os
import select
import sys
import threading
import time
from typing import IO

import msgspec

from flow.confinement import WRITING
from ingest.child import end_with

from .children import step_back
from .export_making import Making, check_room, failed
from .export_talk import Failed, Progress, Task, Word

log = logging.getLogger("lagebild.export")

LOWEST = 19
LOOK_EVERY_S = 1.0
SAY_EVERY_S = 0.2


class Mouth:
    """Where words go. Progress is said five times a second, unless another part begins."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._said: tuple[float, str] = (0.0, "")

    def progress(self, word: Progress) -> None:
        now_s, (said_s, step) = time.monotonic(), self._said
        if word.step != step or now_s - said_s >= SAY_EVERY_S:
            self._said = now_s, word.step
            self.say(word)

    def say(self, word: Word) -> None:
        with self._lock:
            self._out.write(msgspec.json.encode(word) + b"\n")
            self._out.flush()


def main(arguments: list[str]) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    end_with(int(arguments[0]), WRITING)
    use_little()
    mouth = Mouth(_own_output())
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    threading.Thread(target=_watch, args=(task, mouth), daemon=True).start()
    try:
        mouth.say(Making(task, mouth.progress).run())
    except Exception as error:
        told = failed(error)
        if told is None:
            log.exception("export %s: a defect of Lagebild", task.job_id)
        mouth.say(told or Failed("export_failed", repr(error)))
    return 0


def use_little() -> None:
    """Behind everything else, and on one processor."""
    step_back(LOWEST)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _own_output() -> IO[bytes]:
    """What libraries print goes where errors go: our words alone are on standard output."""
    own = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return own


def _watch(task: Task, mouth: Mouth) -> None:
    """Ends us with our input, and when the disk has no room left for us: makers may be long on their way."""
    stdin = sys.stdin.fileno()
    while True:
        if select.select([stdin], [], [], LOOK_EVERY_S)[0] and not os.read(stdin, 4096):
            os._exit(0)
        try:
            check_room(task)
        except OSError as error:
            mouth.say(failed(error) or Failed("disk_failed"))
            os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
