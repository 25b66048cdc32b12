"""The page for staff at ``/``: type a customer, read the brief, try a cart.

Reads  the files in ``page/``, once.
Gives  routes that serve them, with headers that let the page load nothing else.
Never  a customer: the page asks ``/v1`` for them, with the key that staff type.
"""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FILES = {
    "index.html": "text/html; charset=utf-8",
    "staff.css": "text/css; charset=utf-8",
    "staff.js": "text/javascript; charset=utf-8",
    "service.js": "text/javascript; charset=utf-8",
    "show.js": "text/javascript; charset=utf-8",
    "words.js": "text/javascript; charset=utf-8",
    "staff.svg": "image/svg+xml",
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def page_routes() -> list[Route]:
    """``/`` and the files it loads; they hold no data, so they need no key."""
    folder = files(__package__) / "page"
    return [_route(name, (folder / name).read_bytes(), kind) for name, kind in FILES.items()]


def _route(name: str, content: bytes, kind: str) -> Route:
    async def send(request: Request) -> Response:
        return Response(content, headers={**HEADERS, "Content-Type": kind})

    path = "/" if name == "index.html" else f"/{name}"
    return Route(path, send, methods=["GET"], name=f"page:{name}", include_in_schema=False)
