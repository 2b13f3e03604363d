"""The pages themselves: the built dashboard, from the package."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from flow.errors import NotFoundError
from web.access import Door, Handler, Permission, Route

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

    page, html = Permission.PAGE, "text/html"
    live, pilot = document("index.html"), document("pilot.html")
    camera, flights = document("camera.html"), document("flights.html")
    review, effect = document("review.html"), document("effect.html")
    door.route(Route("GET", "/", page, "The live page", {200: "HTML"}, media_type=html), live)
    door.route(Route("GET", "/pilot", page, "The pilot page", {200: "HTML"}, media_type=html), pilot)
    door.route(Route("GET", "/flights", page, "Recorded flights", {200: "HTML"}, media_type=html), flights)
    door.route(
        Route("GET", "/flights/{flight}", page, "Review of a flight", {200: "HTML"}, media_type=html), review
    )
    door.route(
        Route("GET", "/incidents/{incident}", page, "Effect of an incident", {200: "HTML"}, media_type=html),
        effect,
    )
    door.route(
        Route(
            "GET", "/camera/{feed}", page, "Film with the browser's camera", {200: "HTML"}, media_type=html
        ),
        camera,
    )
    door.route(Route("GET", "/assets/{name}", page, "A file of the page", {200: "file"}), asset)
    door.route(Route("GET", "/favicon.svg", page, "The page's icon", {200: "SVG"}), icon)
    door.route(Route("GET", "/favicon.ico", page, "The page's icon", {200: "SVG"}), icon)
