"""One Chromium for all these tests, and one that has a camera: each test has contexts of its own in it.

They run in its event loop: `pytest.mark.asyncio(loop_scope="package")`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.harness import CAMERA, chromium


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def _chromium() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def _chromium_with_camera() -> AsyncIterator[Browser]:
    async with chromium(*CAMERA) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="package")
async def browser(_chromium: Browser) -> AsyncIterator[Browser]:
    """Headless Chromium; whatever the test leaves open in it is closed."""
    yield _chromium
    await _close_all(_chromium)


@pytest_asyncio.fixture(loop_scope="package")
async def camera_browser(_chromium_with_camera: Browser) -> AsyncIterator[Browser]:
    """Headless Chromium with a made camera, which any page may use unasked."""
    yield _chromium_with_camera
    await _close_all(_chromium_with_camera)


async def _close_all(browser: Browser) -> None:
    for context in browser.contexts:
        await context.close()
