"""The files of the web page, in `page/`, and the headers that they are sent with."""

from __future__ import annotations

import importlib.resources
from typing import TYPE_CHECKING

from fastapi import Response

if TYPE_CHECKING:
    from fastapi import FastAPI

_FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    **{
        f"/{name}.js": (f"{name}.js", "text/javascript")
        for name in ("page", "form", "api", "sound", "stream", "waveform", "transcript", "dom")
    },
}
PAGE_PATHS = frozenset(_FILES)
"""Of the URLs; they need no API key."""

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def add_page(app: FastAPI) -> None:
    """Add a route for each file of the page."""
    folder = importlib.resources.files("kittentts.server") / "page"

    def add(path: str, file: str, media_type: str) -> None:
        content = (folder / file).read_bytes()

        @app.get(path, include_in_schema=False)
        async def _() -> Response:
            return Response(content, media_type=media_type, headers=_HEADERS)

    for path, (file, media_type) in _FILES.items():
        add(path, file, media_type)
