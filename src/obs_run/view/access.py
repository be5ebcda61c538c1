"""Who may ask: a browser or program on this machine that has the token; and what pages may do in the browser."""

from __future__ import annotations

import binascii
from base64 import b64decode
from http.cookies import CookieError, SimpleCookie
from secrets import compare_digest
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import PlainTextResponse, RedirectResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
TOKEN = "token"  # noqa: S105 (the name of the parameter)
_HEADERS = {
    # Scripts and styles of ours only, and no way to make either out of text: a prompt stays a text.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


class Access:
    """Lets requests through to ``application`` that come to a loopback name with the token."""

    def __init__(self, application: ASGIApp, token: str, cookie: str) -> None:
        self._application, self._token, self._cookie = application, token, cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._chosen(scope)(scope, receive, send_with_headers)

    def _chosen(self, scope: Scope) -> ASGIApp:
        """Return what answers: the application, or why it does not."""
        headers = Headers(scope=scope)
        if _hostname(headers.get("host", "")) not in LOOPBACK:
            # Another site's name that leads to this machine (DNS rebinding).
            return PlainTextResponse("obsctl view answers at 127.0.0.1 and localhost only\n", 421)
        if scope["method"] not in {"GET", "HEAD"}:
            return PlainTextResponse("obsctl view only reads\n", 405, {"Allow": "GET, HEAD"})
        query = QueryParams(scope["query_string"])
        if self._is_token(query.get(TOKEN)):
            return self._signed_in(scope, query)
        if self._is_token(self._cookie_of(headers)) or self._is_token(_authorization(headers)):
            return self._application
        said = "open the address that obsctl view printed, which has the token; programs send it as a bearer token\n"
        return PlainTextResponse(said, 401, {"WWW-Authenticate": 'Basic realm="obsctl view"'})

    def _signed_in(self, scope: Scope, query: QueryParams) -> ASGIApp:
        """Have the browser keep the token, and take it out of the address."""
        rest = urlencode([(name, value) for name, value in query.multi_items() if name != TOKEN])
        # A path that begins with two slashes would lead to another host.
        path = "/" + scope["path"].lstrip("/\\")
        response = RedirectResponse(f"{path}?{rest}" if rest else path, 303)
        response.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
        return response

    def _is_token(self, text: str | None) -> bool:
        return text is not None and compare_digest(text.encode(), self._token.encode())

    def _cookie_of(self, headers: Headers) -> str | None:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return None
        return None if cookie is None else cookie.value


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _authorization(headers: Headers) -> str | None:
    """Return the token of a program's header: as it is, or as the password of whatever user."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        return b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return None
