"""The whole login in headless Chromium, through the pages of a certified OpenID Connect provider."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.harness import RunningLagebild, lagebild
from tests.fakes.certified_provider import CLIENT_ID, CLIENT_SECRET, CertifiedProvider, certified_provider

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(120)]

PEOPLE = {
    "erika": {"name": "Erika Muster", "preferred_username": "muster", "realm_access": {"roles": ["fw-el"]}},
    "otto": {"name": "Otto Normal", "realm_access": {"roles": ["fw-drohne", "offline_access"]}},
    "fremd": {"name": "F. Remd", "realm_access": {"roles": ["offline_access"]}},
}


@dataclass(slots=True)
class House:
    """A service in whose settings the provider stands, and a browser that asks nobody else."""

    service: RunningLagebild
    provider: CertifiedProvider
    context: BrowserContext
    page: Page

    async def become(self, people: Mapping[str, Any] = PEOPLE, **how: Any) -> None:
        await self.provider.become([f"{self.service.url}login/oidc/back"], people, **how)

    async def go(self, next_path: str) -> None:
        """To the provider, by the address that the button leads to."""
        await self.page.goto(f"{self.service.url}login/oidc?{urlencode({'next': next_path})}")

    async def type_login(self, login: str) -> None:
        """Through the provider's own pages: who one is, and that Lagebild may know."""
        await self.page.locator("input[name=login]").fill(login)
        await self.page.locator("input[name=password]").fill("egal")
        await self.page.get_by_role("button", name="Sign-in").click()
        await self.page.get_by_role("button", name="Continue").click()

    async def me(self) -> dict[str, Any]:
        told: dict[str, Any] = await (await self.context.request.get(f"{self.service.url}api/v1/me")).json()
        return told


@asynccontextmanager
async def house(browser: Browser, folder: Path) -> AsyncIterator[House]:
    config = folder / "lagebild.toml"
    async with certified_provider() as provider:
        config.write_text(
            "[server]\ndata_dir = 'data'\n[access]\nthis_machine = false\n[oidc]\n"
            f"issuer = '{provider.issuer}'\nname = 'Stadt Musterstadt'\nclient_id = '{CLIENT_ID}'\n"
            f"client_secret = '{CLIENT_SECRET}'\nroles_claim = 'realm_access.roles'\n"
            "viewer = ['fw-el']\npilot = ['fw-drohne']\nadministrator = ['it']\n"
        )
        async with lagebild("serve", "--config", str(config)) as service:
            context = await browser.new_context(locale="de-DE")
            own = (service.url, f"{provider.issuer}/")

            async def answer(route: Route) -> None:
                await (route.continue_() if route.request.url.startswith(own) else route.abort())

            await context.route(re.compile(".*"), answer)
            try:
                yield House(service, provider, context, await context.new_page())
            finally:
                await context.close()


async def test_from_the_login_page_through_the_provider_to_where_one_wanted(
    browser: Browser, tmp_path: Path
) -> None:
    async with house(browser, tmp_path) as h:
        await h.become()
        await h.page.goto(f"{h.service.url}flights")
        await h.page.get_by_role("link", name="Anmelden mit Stadt Musterstadt").click()
        await h.type_login("erika")
        await h.page.wait_for_url(f"{h.service.url}flights")
        me = await h.me()
        assert (me["kind"], me["name"], me["login"]) == ("person", "Erika Muster", "muster")
        assert me["roles"] == ["viewer"]
        cookies = {each["name"]: each for each in await h.context.cookies(h.service.url)}
        session = cookies["lagebild_session"]
        assert (session["httpOnly"], session["sameSite"]) == (True, "Lax")
        assert "lagebild_oidc" not in {each["name"] for each in await h.context.cookies()}
        said = "\n".join(h.service.lines)
        assert not [secret for secret in (CLIENT_SECRET, session["value"], "code=") if secret in said]


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
async def test_each_algorithm_and_claims_that_only_the_user_info_tells(
    browser: Browser, tmp_path: Path, algorithm: str
) -> None:
    async with house(browser, tmp_path) as h:
        await h.become(algorithm=algorithm, in_token=algorithm == "RS256")
        await h.go("/pilot")
        await h.type_login("otto")
        await h.page.wait_for_url(f"{h.service.url}pilot")
        me = await h.me()
        assert (me["name"], me["roles"]) == ("Otto Normal", ["pilot"])


async def test_keys_and_roles_are_changed_at_the_provider(browser: Browser, tmp_path: Path) -> None:
    async with house(browser, tmp_path) as h:
        await h.become()
        await h.go("/")
        await h.type_login("otto")
        await h.page.wait_for_url(h.service.url)
        assert (await h.me())["roles"] == ["pilot"]
        await h.become(PEOPLE | {"otto": {"name": "Otto Neu", "realm_access": {"roles": ["fw-el"]}}})
        await h.go("/")
        await h.type_login("otto")
        await h.page.wait_for_url(h.service.url)
        me = await h.me()
        assert (me["name"], me["roles"]) == ("Otto Neu", ["viewer"])


async def test_without_a_role_one_reads_why(browser: Browser, tmp_path: Path) -> None:
    async with house(browser, tmp_path) as h:
        await h.become()
        await h.go("/flights")
        await h.type_login("fremd")
        await h.page.wait_for_url("**/login?error=oidc_no_role&next=%2Fflights")
        await expect(h.page.get_by_text("haben aber keine Rolle in Lagebild")).to_be_visible()
        assert (await h.me())["kind"] == "nobody"


async def test_whoever_breaks_off_reads_that(browser: Browser, tmp_path: Path) -> None:
    async with house(browser, tmp_path) as h:
        await h.become()
        await h.go("/flights")
        await h.page.get_by_role("link", name="Cancel").click()
        await h.page.wait_for_url("**/login?error=oidc_denied&next=%2Fflights")
        await expect(h.page.get_by_text("Die Anmeldung wurde abgebrochen.")).to_be_visible()


async def test_a_provider_that_does_not_know_us_says_so_itself(browser: Browser, tmp_path: Path) -> None:
    async with house(browser, tmp_path) as h:
        await h.provider.become(["https://other.example/login/oidc/back"], PEOPLE)
        await h.go("/flights")
        await expect(h.page.get_by_text("invalid_redirect_uri").first).to_be_visible()


async def test_while_the_provider_is_away_the_service_runs_and_says_so(
    browser: Browser, tmp_path: Path
) -> None:
    async with house(browser, tmp_path) as h:
        h.provider.process.kill()
        await h.provider.process.wait()
        await h.go("/flights")
        await h.page.wait_for_url("**/login?error=oidc_unavailable&next=%2Fflights")
        await expect(h.page.get_by_text("Lokale Konten gehen weiterhin")).to_be_visible()
        reply = await h.context.request.get(f"{h.service.url}healthz")
        assert json.loads(await reply.text()) == {"status": "ok"}
