"""The review over HTTP: who is let in, what is saved, and that nothing of a student's ever becomes active."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from grader.classroom.markbook import open_markbook
from grader.desk.desk import Desk
from grader.desk.server import Server
from grader.review import decisions
from grader.review.decisions import Decision

NOW = datetime(2025, 3, 11, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Got:
    """One answer of the server."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Browser:
    """Sends requests as a browser would, with its cookie; every request is a connection of its own."""

    server: Server
    cookie: str = ""
    sent: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Got:
        host, port = self.server.server_address[:2]
        connection = http.client.HTTPConnection(str(host), int(port), timeout=30)
        try:
            given = {
                "Cookie": self.cookie,
                **({"Content-Type": "application/x-www-form-urlencoded"} if body else {}),
            }
            connection.request(
                method, path, body, given | {k.replace("_", "-"): v for k, v in headers.items()}
            )
            reply = connection.getresponse()
            return Got(reply.status, dict(reply.getheaders()), reply.read().decode())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Got:
        return self.ask("GET", path, **headers)

    def post(self, path: str, headers: dict[str, str] | None = None, **fields: str | list[str]) -> Got:
        form = {"form": self.server.gate.form_token} | fields
        return self.ask("POST", path, urlencode(form, doseq=True), **(headers or {}))

    def enter(self) -> None:
        got = self.get(f"/?token={self.server.gate.token}")
        self.cookie = got.headers["Set-Cookie"].split(";")[0]


@pytest.fixture
def server(small_class: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    desk = Desk(open_markbook(small_class / "markbook"), lambda: NOW)
    with Server(desk, getattr(request, "param", "en")) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def browser(server: Server) -> Browser:
    made = Browser(server)
    made.enter()
    return made


def first(browser: Browser) -> str:
    return browser.server.desk.waiting()[0].id


def saved(browser: Browser) -> list[Decision]:
    return decisions.read(browser.server.desk.book.folder / "decisions.jsonl")


def hostile(browser: Browser) -> str:
    return next(one.id for one in browser.server.desk.waiting() if "<script>" in one.answer)


def test_it_listens_on_this_machine_alone(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.gate.url.startswith(f"http://127.0.0.1:{server.server_address[1]}/?token=")


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=wrong", "/help", "/review.css", "/item/0"])
def test_without_the_token_nobody_is_let_in(server: Server, path: str) -> None:
    got = Browser(server).get(path)
    assert got.status == 403
    assert "Set-Cookie" not in got.headers
    assert "small lab" not in got.text


@pytest.mark.parametrize("cookie", ["", "tdlab-review=1", "tdlab-review-{port}=wrong", "{", 'a="\\'])
def test_another_cookie_lets_nobody_in(server: Server, cookie: str) -> None:
    stranger = Browser(server, cookie.replace("{port}", str(server.server_address[1])))
    assert stranger.get("/").status == 403
    assert stranger.post("/undo").status == 403


def test_the_token_becomes_a_cookie_that_no_script_and_no_other_site_can_use(server: Server) -> None:
    got = Browser(server).get(f"/?token={server.gate.token}")
    assert got.status == 200
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(got.headers["Set-Cookie"].split("; "))
    assert server.gate.token not in got.headers["Set-Cookie"] + got.text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", ""])
def test_a_name_that_was_rebound_to_this_machine_is_refused(browser: Browser, host: str) -> None:
    port = str(browser.server.server_address[1])
    got = browser.get("/", Host=host.replace("{port}", port))
    assert (got.status, got.text) == (421, "")
    assert browser.get(f"/?token={browser.server.gate.token}", Host="evil.example").status == 421


def test_every_answer_forbids_what_it_does_not_need(browser: Browser) -> None:
    browser.enter()
    for got in (
        browser.get("/"),
        browser.get(f"/item/{first(browser)}"),
        browser.get("/none"),
        browser.get("/review.js"),
        browser.ask("DELETE", "/"),
        browser.post("/undo", form=""),
        Browser(browser.server).get("/"),
    ):
        rules = got.headers["Content-Security-Policy"]
        assert rules.startswith("default-src 'none'")
        assert "unsafe" not in rules
        assert (got.headers["X-Content-Type-Options"], got.headers["X-Frame-Options"]) == ("nosniff", "DENY")
        assert got.headers["Cache-Control"] == "no-store"


def test_pages_hold_nothing_inline_and_fetch_nothing_from_elsewhere(browser: Browser) -> None:
    names = f"/item/{hostile(browser)}?names=1"
    pages = [browser.get(path).text for path in ("/", "/help", names, f"/item/{first(browser)}")]
    for text in pages:
        assert re.findall(r"<script[^>]*>", text) == ['<script src="/review.js" defer>']
        assert not re.search(r"<style|<[^>]*\s(style|on\w+)=|javascript:(?!alert\(1\)\))", text)
        links = re.findall(r'(?:src|href|action)="([^"]*)"', text)
        assert links
        assert all(link.startswith("/") and not link.startswith("//") for link in links)


def test_what_a_student_wrote_is_text_and_nothing_else(browser: Browser) -> None:
    text = browser.get(f"/item/{hostile(browser)}").text
    assert "&lt;script&gt;document.title=" in text
    assert "**bold** [link](javascript:alert(1))" in text
    assert "&amp;amp;lt;" in text
    assert "{{ 7*7 }}" in text
    assert not re.search(r"<script>|<img|</textarea></blockquote>|<b>", text)


def test_controls_and_marks_that_turn_text_round_are_shown_as_numbers(browser: Browser) -> None:
    comment = "\x1b[31mred \u202eturned\u2066 </textarea><script>"
    browser.post(f"/item/{first(browser)}", give="full", comment=comment)
    text = browser.get(f"/item/{first(browser)}").text
    assert "⟨U+001B⟩[31mred ⟨U+202E⟩turned⟨U+2066⟩ &lt;/textarea&gt;&lt;script&gt;" in text
    assert not set("\x1b\u202e\u2066") & set(text)


def test_marking_is_blind_until_names_are_asked_for(browser: Browser) -> None:
    path = f"/item/{first(browser)}"
    assert not re.search(r"\b(ann|bob)\b", browser.get(path).text)
    assert {"<bdi>ann</bdi>", "<bdi>bob</bdi>"} <= set(
        re.findall(r"<bdi>\w+</bdi>", browser.get(f"{path}?names=1").text)
    )


@pytest.mark.parametrize(
    ("fields", "fraction"),
    [
        ({"give": "full"}, 1),
        ({"give": "zero"}, 0),
        ({"give": "ideas", "idea": ["exits"]}, 0.5),
        ({"give": "ideas", "idea": ["exits", "imitated", "unknown"]}, 1),
        ({"give": "ideas"}, 0),
        ({"give": "points", "points": "0,5"}, 0.25),
        ({"give": "points", "points": " 2 "}, 1),
    ],
)
def test_a_decision_is_on_disk_before_the_next_answer_is_shown(
    browser: Browser, fields: dict[str, str | list[str]], fraction: float
) -> None:
    waiting = browser.server.desk.waiting()
    got = browser.post(f"/item/{waiting[0].id}", comment="well\r\nsaid", **fields)
    assert (got.status, got.headers["Location"]) == (303, f"/item/{waiting[1].id}")
    (made,) = saved(browser)
    assert (made.key, made.fraction, made.comment) == (waiting[0].key, fraction, "well\nsaid")
    assert 'role="status">Saved: ' in browser.get(got.headers["Location"]).text
    assert 'role="status"' not in browser.get(got.headers["Location"]).text


@pytest.mark.parametrize(
    "fields",
    [
        {"give": "points", "points": "3"},
        {"give": "points", "points": "-1"},
        {"give": "points", "points": "nan"},
        {"give": "points", "points": ""},
        {"give": "points", "points": "1e400"},
        {"give": "other"},
        {},
        {"give": "full", "comment": "x" * 2001},
    ],
)
def test_what_cannot_be_given_is_said_and_nothing_is_saved(browser: Browser, fields: dict[str, str]) -> None:
    got = browser.post(f"/item/{first(browser)}", **fields)
    assert got.status == 400
    assert f'href="/item/{first(browser)}"' in got.text
    assert saved(browser) == []


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}],
)
def test_a_form_from_elsewhere_is_refused(browser: Browser, headers: dict[str, str]) -> None:
    path = f"/item/{first(browser)}"
    assert browser.post(path, headers, give="full").status == 403
    assert browser.post(path, form="", give="full").status == 403
    assert browser.post(path, form="wrong\u00e9", give="full").status == 403
    assert saved(browser) == []
    origin = {"Origin": browser.server.gate.origin, "Sec_Fetch_Site": "same-origin"}
    assert browser.post(path, origin, give="full").status == 303


def test_looking_changes_nothing(browser: Browser) -> None:
    for path in (
        "/undo",
        "/settle",
        f"/item/{first(browser)}?give=full&form={browser.server.gate.form_token}",
    ):
        browser.get(path)
    assert saved(browser) == []
    assert browser.get("/undo").status == 404


def test_undo_and_taking_back_are_later_decisions(browser: Browser) -> None:
    path = f"/item/{first(browser)}"
    browser.post(path, give="full")
    assert browser.post("/undo").headers["Location"] == path
    browser.post(path, give="zero")
    assert browser.post(path, give="back").headers["Location"] == path
    assert [one.fraction for one in saved(browser)] == [1, None, 0, None]
    assert browser.server.desk.progress().decided == 0
    browser.post("/undo")
    browser.post("/undo")
    assert browser.post("/undo").headers["Location"] == "/"
    assert "nothing to undo" in browser.get("/").text


def test_the_marks_are_written_when_asked_for(browser: Browser) -> None:
    before = browser.server.desk.book.grade()
    for one in browser.server.desk.waiting():
        browser.post(f"/item/{one.id}", give="full")
    assert browser.server.desk.book.grade() == before
    assert browser.post("/settle").status == 303
    assert browser.server.desk.book.grade().submissions[0].score == 3
    assert "Nothing waits for you." in browser.get("/").text


def test_many_at_once_lose_nothing(browser: Browser) -> None:
    paths = [f"/item/{one.id}" for one in browser.server.desk.waiting()] * 12
    threads = [threading.Thread(target=browser.post, args=(path,), kwargs={"give": "full"}) for path in paths]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(saved(browser)) == len(paths)


def test_what_could_not_be_saved_is_said(browser: Browser) -> None:
    path = f"/item/{first(browser)}"
    (browser.server.desk.book.folder / "decisions.jsonl").mkdir()
    got = browser.post(path, give="full")
    assert got.status == 500
    assert "It could not be saved" in got.text


def test_requests_that_are_too_large_or_broken_are_refused(browser: Browser) -> None:
    assert browser.ask("POST", "/undo", "x" * 70_000).status == 413
    assert browser.ask("POST", "/undo", Content_Length="-1").status == 411
    assert browser.post("/undo", **{f"field{number}": "" for number in range(200)}).status == 403
    assert browser.ask("DELETE", "/").status == 501
    assert browser.get("/item/none").status == 404


@pytest.mark.parametrize("server", ["fr"], indirect=True)
def test_french_pages_are_french(browser: Browser) -> None:
    text = browser.get(f"/item/{first(browser)}").text
    assert '<html lang="fr">' in text
    assert "La réponse de 2 étudiants" in text
    assert "chaque accès provoque une sortie" in text
    # Ann writes in English; her teacher reads French.
    assert "1 idée trouvée sur 2" in text
    assert "2 points" in text
    browser.post(f"/item/{first(browser)}", give="points", points="1,5")
    assert "Enregistré\u00a0: 1,5 point sur 2." in browser.get("/").text
