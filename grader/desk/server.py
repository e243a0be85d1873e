"""The review as a web page for this machine alone: loopback, a secret address, nothing from elsewhere."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import SplitResult, parse_qs, urlsplit

from domains.errors import TdlabError
from grader.desk import pages, words
from grader.desk.desk import Desk
from grader.desk.gate import ADDRESS, Gate
from grader.desk.giving import Refused, asked_for
from grader.desk.pages import Frame, Place
from grader.language import Lang
from grader.review.queue import Waiting

# Longer than any form of ours; a comment's letters take up to twelve bytes each.
_MOST_BYTES = 64 * 1024
# Seconds that a connection may say nothing.
_PATIENCE = 60
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": with it a browser hides the origin of our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
Form = dict[str, list[str]]


@dataclass(frozen=True)
class Reply:
    """What goes back to the browser: a page, or where to look next."""

    status: int
    body: bytes = b""
    kind: str = "text/html; charset=utf-8"
    goes_to: str = ""
    cookie: str = ""


class Server(ThreadingHTTPServer):
    """Serves one desk until it is shut down; ``port`` 0 takes any free one."""

    daemon_threads = True
    # Connections that wait while others are answered: with fewer, a burst is turned away.
    request_queue_size = 128
    # A port that somebody else listens on is refused rather than shared.
    allow_reuse_port = False

    def __init__(self, desk: Desk, lang: Lang, port: int = 0) -> None:
        self.desk = desk
        self.lang = lang
        # What was just done, told once on the next page.
        self.said = ""
        self.lock = threading.Lock()
        super().__init__((ADDRESS, port), _Handler)
        self.gate = Gate(self.server_address[1])

    def say(self, text: str) -> None:
        """Have the next page say it."""
        with self.lock:
            self.said = text

    def told(self) -> str:
        """Return what the next page says, once."""
        with self.lock:
            said, self.said = self.said, ""
            return said

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a browser that goes away is no event, and faults of ours are answered as pages."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "tdlab"
    sys_version = ""
    timeout = _PATIENCE

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _MOST_BYTES:
            # What was announced is not read, so this connection cannot go on.
            self.close_connection = True
            self._send(Reply(413 if length.isdecimal() else 411))
            return
        raw = self.rfile.read(int(length))
        try:
            form = parse_qs(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100)
        except ValueError:
            form = {}
        self._answer(form)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no request of ours (another method, a broken line) without a word."""
        self.close_connection = True
        self._send(Reply(code))

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal is the teacher's."""

    def _answer(self, form: Form | None) -> None:
        server = self.server
        try:
            reply = self._checked(form)
        except TdlabError as bad:
            text = words.REFUSED.say(server.lang, what=str(bad))
            reply = _page(500, pages.message(server.lang, text, back="/"))
        except OSError as bad:
            text = words.REFUSED.say(server.lang, what=bad.strerror or bad)
            reply = _page(500, pages.message(server.lang, text, back="/"))
        except Exception as bad:  # noqa: BLE001 - a fault of ours is said on the page, and ends nothing else
            text = words.OUR_FAULT.say(server.lang, what=f"{type(bad).__name__}: {bad}")
            reply = _page(500, pages.message(server.lang, text, back="/"))
        self._send(reply)

    def _checked(self, form: Form | None) -> Reply:
        """Let in who may, and hand on to what was asked for."""
        server, gate = self.server, self.server.gate
        where = urlsplit(self.path)
        if not gate.is_here(self.headers.get("Host", "")):
            return Reply(421)
        token = parse_qs(where.query).get("token", [""])[0]
        if form is None and where.path == "/" and token and gate.admits(token):
            return _page(200, pages.opening(server.lang), cookie=gate.cookie)
        if not gate.knows(self.headers.get("Cookie", "")):
            return _page(403, pages.message(server.lang, words.NOT_LET_IN.say(server.lang)))
        if form is None:
            return look(server, where)
        if not gate.is_ours(form, self.headers.get("Origin"), self.headers.get("Sec-Fetch-Site")):
            return _page(403, pages.message(server.lang, words.NOT_OURS.say(server.lang), back="/"))
        return do(server, where.path, form)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if reply.goes_to:
            self.send_header("Location", reply.goes_to)
        if reply.cookie:
            self.send_header("Set-Cookie", reply.cookie)
        if reply.body:
            self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)


def look(server: Server, where: SplitResult) -> Reply:
    """Return what a GET asks for; it changes nothing."""
    if where.path == "/favicon.ico":
        return Reply(204)
    if file := pages.static(where.path):
        return Reply(200, file[1], file[0])
    if where.path == "/":
        return _page(200, pages.overview(_frame(server), server.desk.waiting()))
    if where.path == "/help":
        return _page(200, pages.keys(_frame(server)))
    one = _named(server, where.path)
    if one is None:
        return _nowhere(server)
    desk = server.desk
    place = Place(*desk.neighbours(one), desk.after(one))
    names = desk.names(one) if parse_qs(where.query).get("names") == ["1"] else []
    return _page(200, pages.item(_frame(server), one, place, desk.beside(one), names=names))


def do(server: Server, path: str, form: Form) -> Reply:
    """Carry out a POST, and lead on to the page after it."""
    desk, lang = server.desk, server.lang
    if path == "/undo":
        undone = desk.undo()
        server.say((words.TAKEN_BACK if undone else words.NOTHING_TO_UNDO).say(lang))
        return _go(undone)
    if path == "/settle":
        desk.settle()
        server.say(words.MARKS_WRITTEN.say(lang, file=desk.grade_file))
        return _go(None)
    one = _named(server, path)
    if one is None:
        return _nowhere(server)
    try:
        fraction, comment = asked_for(one, form, lang)
    except Refused as bad:
        return _page(400, pages.message(lang, str(bad), back=f"/item/{one.id}"))
    desk.decide(one, fraction, comment)
    if fraction is None:
        server.say(words.TAKEN_BACK.say(lang))
        return _go(one)
    most = one.question.points
    server.say(words.SAVED.say(lang, what=words.some_points(fraction * most, lang, most)))
    return _go(desk.after(one))


def _frame(server: Server) -> Frame:
    desk = server.desk
    return Frame(
        lang=server.lang,
        lab=desk.book.lab,
        progress=desk.progress(),
        form=server.gate.form_token,
        said=server.told(),
        can_undo=desk.can_undo,
    )


def _named(server: Server, path: str) -> Waiting | None:
    return server.desk.find(path.removeprefix("/item/")) if path.startswith("/item/") else None


def _go(one: Waiting | None) -> Reply:
    return Reply(303, goes_to=f"/item/{one.id}" if one else "/")


def _nowhere(server: Server) -> Reply:
    return _page(404, pages.message(server.lang, words.NOT_FOUND_PAGE.say(server.lang), back="/"))


def _page(status: int, text: str, *, cookie: str = "") -> Reply:
    return Reply(status, text.encode("utf-8", "replace"), cookie=cookie)
