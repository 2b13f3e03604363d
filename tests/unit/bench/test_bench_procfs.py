"""What the kernel counts for processes that are there, children and grandchildren included."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.bench import procfs

BUSY = "import time\nwhile time.process_time() < 0.1: pass\nprint(flush=True); input()"
PARENT = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BUSY!r}])"


def test_a_grandchild_counts_while_it_runs_and_after_it_ended() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdin
        assert parent.stdout
        parent.stdout.readline()
        assert len(procfs.tree([parent.pid])) == 2
        assert procfs.cpu_s([parent.pid]) >= 0.08  # user's and system's ticks of 10 ms are each cut off
        both, one = procfs.memory([parent.pid]), procfs.memory(procfs.tree([parent.pid])[1:])
        assert both.rss_mb > one.rss_mb > 1
        assert both.pss_mb <= both.rss_mb
        parent.stdin.close()
    assert procfs.cpu_s([parent.pid]) == 0  # gone


def test_a_core_was_busy_and_one_that_is_not_there_is_an_error() -> None:
    assert procfs.core_busy_s(min(os.sched_getaffinity(0))) > 0
    with pytest.raises(ValueError, match="no core"):
        procfs.core_busy_s(100_000)
