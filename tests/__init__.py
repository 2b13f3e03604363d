"""Tests, benchmarks and proofs."""

import os

os.environ.setdefault("LAGEBILD_RECORDING_ENABLED", "false")
"""Whatever starts `lagebild` as a process would record into the checkout's folder, and what was measured
before there were recordings would not compare. Who wants recordings says so, and where."""
