"""`python -m web.still_worker PARENT`: decodes one picture of a recorded flight, and ends."""

from __future__ import annotations

import resource

import cv2

from .errands import serve_errand
from .flight_stills import StillQuestion, answer_still

_MEMORY_BYTES = 6 * 1024**3  # address space, much of which is never touched

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    cv2.setNumThreads(1)
    serve_errand(StillQuestion, answer_still)
