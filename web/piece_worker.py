"""`python -m web.piece_worker PARENT`: makes one piece of a recorded feed for browsers, and ends."""

from __future__ import annotations

import resource

from .errands import serve_errand
from .piece_making import PieceQuestion, answer_piece

_MEMORY_BYTES = 6 * 1024**3  # address space, much of which is never touched

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    serve_errand(PieceQuestion, answer_piece)
