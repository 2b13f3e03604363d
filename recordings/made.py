"""What the server makes of a flight beside its folder: it goes with the flight."""

from __future__ import annotations

import shutil
from pathlib import Path

from .export.jobs import JobShelf
from .folders import flight_folder, renditions_folder, thumbnails_folder


def remove_made_of(root: Path, flight_id: str) -> None:
    """Exports, renditions and thumbnail of a flight that is deleted. May be called again. Raises OSError."""
    flight_id = flight_folder(root, flight_id).name
    JobShelf(root).remove_of(flight_id)
    shutil.rmtree(renditions_folder(root) / flight_id, ignore_errors=True)
    for path in thumbnails_folder(root).glob(f"{flight_id}.*"):
        path.unlink(missing_ok=True)
