"""Who may talk to the page: a browser on this machine that was given the address with its token.

The token of the address becomes a cookie that no script reads and no other site's request carries. A ``Host``
that is not this machine's is refused (a name that was rebound to it), and so is a form that is not ours.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie

ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class Gate:
    """What one server asks for; nothing of it outlives the server."""

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def url(self) -> str:
        """Return the address to open, which holds the token."""
        return f"{self.origin}/?token={self.token}"

    @property
    def origin(self) -> str:
        """Return the address without a path."""
        return f"http://{ADDRESS}:{self.port}"

    @property
    def cookie_name(self) -> str:
        """Return the cookie's name; cookies are shared by all ports, so it holds the port."""
        return f"tdlab-review-{self.port}"

    @property
    def cookie(self) -> str:
        """Return the cookie that lets a browser in, as a header says it."""
        return f"{self.cookie_name}={self._derived('cookie')}; Path=/; HttpOnly; SameSite=Strict"

    @property
    def form_token(self) -> str:
        """Return what every form of ours holds."""
        return self._derived("form")

    def is_here(self, host: str) -> bool:
        """Return whether a request's Host is this machine's, and not a name that leads here."""
        return host in {f"{ADDRESS}:{self.port}", f"localhost:{self.port}"}

    def admits(self, token: str) -> bool:
        """Return whether a token is the one of the address."""
        return _same(token, self.token)

    def knows(self, cookies: str) -> bool:
        """Return whether the cookies of a request hold ours."""
        try:
            found = SimpleCookie(cookies).get(self.cookie_name)
        except CookieError:
            return False
        return found is not None and _same(found.value, self._derived("cookie"))

    def is_ours(self, form: Mapping[str, list[str]], origin: str | None, site: str | None) -> bool:
        """Return whether a form was sent by a page of ours, by its token and by what the browser says."""
        from_here = origin is None or origin in {self.origin, f"http://localhost:{self.port}"}
        same_site = site in {None, "same-origin", "none"}
        return from_here and same_site and _same(form.get("form", [""])[0], self.form_token)

    def _derived(self, use: str) -> str:
        return hmac.new(self.token.encode(), use.encode(), hashlib.sha256).hexdigest()


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())
