"""The pages themselves: the built dashboard, from the package."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from flow.errors import NotFoundError
from web.access import Door, Handler, Permission, Route, Scope

DASHBOARD = Path(__file__).resolve().parent.parent / "dashboard" / "dist"


def add_page_routes(door: Door, dashboard: Path | None = None) -> None:
    """Serve `dashboard` (default: the built one). Assets carry their hash in the name and are cached."""
    folder = (dashboard or DASHBOARD).resolve()

    def document(name: str) -> Handler:
        async def answer(_: web.Request) -> web.FileResponse:
            page = folder / name
            if not page.is_file():
                raise NotFoundError("the dashboard has not been built; run: make setup")
            return web.FileResponse(page, headers={"Cache-Control": "no-cache"})

        return answer

    async def asset(request: web.Request) -> web.FileResponse:
        path = (folder / "assets" / request.match_info["name"]).resolve()
        if path.parent != folder / "assets" or not path.is_file():
            raise NotFoundError(f"no file '{request.match_info['name']}'")
        return web.FileResponse(path, headers={"Cache-Control": "public, max-age=31536000, immutable"})

    async def icon(_: web.Request) -> web.StreamResponse:
        path = folder / "favicon.svg"
        return web.FileResponse(path) if path.is_file() else web.Response(status=204)

    def page(path: str, name: str, summary: str) -> None:
        route = Route(
            "GET",
            path,
            Permission.PAGE,
            summary,
            {200: "HTML"},
            media_type="text/html",
            is_page=True,
            scope=Scope.NOTHING,
        )
        door.route(route, document(name))

    def file(path: str, summary: str, told: str, answer: Handler, kind: str = "application/json") -> None:
        public, nothing = Permission.PUBLIC, Scope.NOTHING
        door.route(
            Route("GET", path, public, summary, {200: told}, media_type=kind, is_page=True, scope=nothing),
            answer,
        )

    def open_page(path: str, name: str, summary: str) -> None:
        file(path, summary, "HTML", document(name), "text/html")

    page("/", "index.html", "The live page")
    page("/pilot", "pilot.html", "The pilot page")
    page("/flights", "flights.html", "Recorded flights")
    page("/flights/{flight}", "review.html", "Review of a flight")
    page("/incidents/{incident}", "effect.html", "Effect of an incident")
    # The token is in the path: no page is told it, and nothing is asked with it but `enter` itself.
    open_page("/f/{token}", "enter.html", "Come in by an incident link")
    open_page("/login", "login.html", "Log in")
    open_page("/welcome", "welcome.html", "Set a password, by a one-time link")
    open_page("/privacy", "privacy.html", "The notice on privacy")
    page("/admin", "admin.html", "Accounts, tokens and the audit log")
    # Whoever films has the key of the feed, and no account.
    open_page("/camera/{feed}", "camera.html", "Film with the browser's camera")
    file("/assets/{name}", "A file of the page", "file", asset)
    file("/favicon.svg", "The page's icon", "SVG", icon)
    file("/favicon.ico", "The page's icon", "SVG", icon)
