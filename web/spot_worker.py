"""`python -m web.spot_worker PARENT`: searches one flight for a place, and ends."""

from __future__ import annotations

from .errands import serve_errand
from .spots import SpotQuestion, find_spots

if __name__ == "__main__":
    serve_errand(SpotQuestion, find_spots)
