"""A worker of exports whose makers do what the order's `by` says: the process around them is the real one.

`python -m tests.fakes.export_maker PARENT`
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from flow.errors import NotFoundError
from recordings.export.order import Part
from recordings.export.source import ExportSource, Progress
from web import export_making, export_worker
from web.export_making import Step

FINISHES, STICKS, FILLS, FAILS, FINDS_NOTHING = "finishes", "sticks", "fills", "fails", "finds nothing"
_PIECE = bytes(1 << 20)


def _steps(source: ExportSource, parts: Path) -> Iterator[Step]:
    def make(progress: Progress) -> None:
        what = source.order.by
        if what == FINDS_NOTHING:
            raise NotFoundError("there is no picture", code="no_pictures")
        if what == FAILS:
            raise RuntimeError("a defect")
        with (parts / "telemetry.csv").open("wb") as file:
            while True:
                file.write(_PIECE)
                progress(0.5)
                while what == STICKS:
                    time.sleep(0.01)
                    progress(0.5)
                if what != FILLS:
                    return

    yield Step(Part.CSV, "", 1.0, make)


if __name__ == "__main__":
    export_making.steps_of = _steps
    sys.exit(export_worker.main(sys.argv[1:]))
