"""`make prove-ingest`: a million hostile inputs over all parsers of ingest, to build/prove/ingest.json."""

from __future__ import annotations

from .parsers import PARSERS
from .parsing import prove_all

if __name__ == "__main__":
    prove_all("ingest", PARSERS)
