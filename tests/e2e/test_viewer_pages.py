"""The viewer's pages in a real browser, served by ``obsctl view``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from obs_run.store import writer as writer_module
from obs_run.store.exporters import StoreLogExporter, StoreSpanExporter
from tests.e2e.browser import browser
from tests.ports import free_port
from tests.unit.store import making
from tests.unit.view import recording
from tests.unit.view.recording import MANY, MARKUP, span_id, trace_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.backends.fixtures import FindTool
    from tests.e2e.browser import Browser

_MANY_SPANS = 10_000
_LARGE = 77


class Viewed(NamedTuple):
    page: Browser
    url: str
    store: Path


@pytest.fixture(scope="module")
def signed_in(backend_tool: FindTool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewed]:
    """Give a browser that opened the address which ``obsctl view`` printed."""
    folder = tmp_path_factory.mktemp("viewed")
    path = folder / "store.db"
    recording.write(path)
    _write_large(path)
    command = [sys.executable, "-m", "obs_run.cli", "view", "--port", str(free_port()), "--store", str(path)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with (
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server,
        browser(backend_tool("chromium")) as page,
    ):
        try:
            assert server.stdout is not None
            found = re.search(r"(http://\S+?)/\?token=\S+", server.stdout.readline())
            assert found is not None
            page.look()
            page.open(found[0])
            yield Viewed(page, found[1], path)
            assert page.dialogs == []
            assert not [address for address in page.requested if not address.startswith((found[1], "data:"))]
        finally:
            server.terminate()
    for one in writer_module._writers.values():
        one.close()
    writer_module._writers.clear()


@pytest.fixture
def viewed(signed_in: Viewed) -> Iterator[Viewed]:
    """Give the browser at the list, and let nothing that its scripts complain about pass."""
    signed_in.page.console.clear()
    signed_in.page.open(f"{signed_in.url}/")
    signed_in.page.wait("document.querySelectorAll('tbody tr').length >= 3")
    yield signed_in
    assert signed_in.page.console == []


def _write_large(path: Path) -> None:
    spans = [making.span("crawl", -10_000_000, _MANY_SPANS * 10, trace=_LARGE, id=1)]
    spans += [
        making.span(
            f"step {number}",
            -10_000_000 + number * 9,
            12,
            trace=_LARGE,
            id=number,
            parent=_parent(number),
            attributes={"gen_ai.operation.name": ("chat", "execute_tool", "retrieval")[number % 3]},
        )
        for number in range(2, _MANY_SPANS + 1)
    ]
    StoreSpanExporter(path, MANY).export(spans)
    lines = [making.log(f"line {n}", -10_000_000 + n * 9, trace=_LARGE, span=n) for n in range(2, _MANY_SPANS, 5)]
    StoreLogExporter(path, MANY).export(lines)


def _parent(number: int) -> int:
    return 1 if number % 10 == 2 else number - 1 if number % 3 else max(1, number - 1 - (number - 3) % 10)


def open_trace(viewed: Viewed, number: int, rest: str = "") -> Browser:
    viewed.page.open(f"{viewed.url}/trace/{trace_id(number)}{rest}")
    viewed.page.wait("document.querySelectorAll('.row:not([hidden]), .message').length > 1")
    return viewed.page


def rows(page: Browser) -> list[str]:
    """Return the names in sight, from the top."""
    return list(
        page.evaluate(
            "[...document.querySelectorAll('.row:not([hidden])')].sort((a, b) => a.dataset.index - b.dataset.index)"
            ".map((row) => row.querySelector('.text').textContent)"
        )
    )


def test_the_address_keeps_no_token_and_scripts_see_none(viewed: Viewed) -> None:
    assert viewed.page.evaluate("location.href") == f"{viewed.url}/"
    assert viewed.page.evaluate("document.cookie") == ""


def test_search_finds_while_it_is_typed_and_stays_in_the_address(viewed: Viewed) -> None:
    page = viewed.page
    page.write(".search", "onerror=")
    page.wait("document.querySelectorAll('tbody tr').length === 1")
    assert page.evaluate("location.search") == "?text=onerror%3D"
    assert page.texts("tbody tr a") == ["invoke_agent planner"]
    page.open(f"{viewed.url}/?status=ok&service=weather")
    page.wait("document.querySelectorAll('tbody tr').length === 1")
    page.open(f"{viewed.url}/?text=nobody")
    page.wait("document.querySelector('.note').innerText.includes('no trace fits')")


def test_a_trace_is_opened_by_keys_alone(viewed: Viewed) -> None:
    page = viewed.page
    page.press("j", "k", "Enter")
    page.wait("document.querySelectorAll('.row:not([hidden])').length === 5")
    assert page.evaluate("location.pathname") == f"/trace/{trace_id(2)}"
    assert rows(page) == [
        "invoke_agent planner",
        "chat gpt-5",
        "execute_tool get_weather",
        "GET /weather",
        "chat gpt-5",
    ]
    page.press("j", "j", "j", "Enter")
    page.wait("document.querySelector('.details:not([hidden])')?.innerText.includes('did not answer')")
    assert page.evaluate("location.hash") == f"#{span_id(3)}"
    page.press("Escape", "Escape")
    page.wait("location.pathname === '/' && document.querySelectorAll('tbody tr').length >= 3")


def test_spans_fold_and_log_lines_are_drawn(viewed: Viewed) -> None:
    page = open_trace(viewed, 2)
    assert page.evaluate("document.querySelectorAll('.row:not([hidden]) .times .dot.warn').length") == 1
    assert page.evaluate("document.querySelectorAll('.row:not([hidden]) .times .dot.error').length") == 1
    assert page.evaluate("document.querySelectorAll('.row:not([hidden]) .times .path').length") == 9
    page.press("l")
    page.wait("document.querySelectorAll('.row:not([hidden])').length === 9")
    assert rows(page)[0] == "of no span that is there"
    assert rows(page)[5:7] == ["slow", MARKUP]
    page.press("l", "p", "[")
    page.wait("document.querySelectorAll('.row:not([hidden])').length === 4")
    assert page.evaluate("document.querySelectorAll('.row:not([hidden]) .times .path').length") == 0
    page.press("]", "e")
    page.wait("document.querySelector('.row.selected .text')?.textContent === 'execute_tool get_weather'")


def test_what_is_found_in_a_trace_is_gone_to(viewed: Viewed) -> None:
    page = open_trace(viewed, _LARGE)
    page.press("/")
    page.write(".search", "step 7777")
    page.wait("document.querySelector('.row.selected .text')?.textContent === 'step 7777'")
    assert page.text(".found") == "1 found"


def test_a_conversation_is_messages_and_tools(viewed: Viewed) -> None:
    page = open_trace(viewed, 1)
    page.press("c")
    page.wait("document.querySelectorAll('.message').length === 5")
    assert page.texts(".message.user pre") == ["Weather in Paris?"]
    assert page.texts(".message.assistant pre")[-1] == "21 degrees."
    assert page.texts(".message.assistant .call b") == ["get_weather"]
    page.click(".other a[href^='/conversation/']")
    page.wait("document.querySelectorAll('.of-turn').length === 2")
    assert "59.0s later" in page.text()
    page.open(f"{viewed.url}/conversations")
    page.wait("document.querySelectorAll('tbody tr').length === 1")
    page.press("Enter")
    page.wait("location.pathname === '/conversation/trip-1'")


def test_two_marked_traces_are_compared(viewed: Viewed) -> None:
    page = viewed.page
    page.press("x", "j", "x")
    page.wait("document.querySelectorAll('.diff tr.changed').length === 3")
    assert page.evaluate("location.pathname") == f"/compare/{trace_id(1)}/{trace_id(2)}"
    page.click(".diff tr.changed button")
    page.wait("document.querySelectorAll('.pair-of .message').length > 3")
    page.press("d")
    page.wait("document.querySelectorAll('.diff tr.same').length === 0")


def test_map_and_metrics_are_drawn(viewed: Viewed) -> None:
    page = viewed.page
    page.press("g", "m")
    page.wait("document.querySelectorAll('.map rect').length > 4")
    assert {"agent planner", "model gpt-5", "tool get_weather"} <= set(page.texts("tbody td:nth-child(2)"))
    page.press("g", "s")
    page.wait("document.querySelector('main').innerText.includes('no metric was recorded')")


def test_what_is_recorded_meanwhile_appears_by_itself(viewed: Viewed) -> None:
    page = viewed.page
    time.sleep(1.5)  # the first question tells what is known
    spans = StoreSpanExporter(viewed.store, MANY)
    number = 1000  # long ago, so that it is the last in the list, and other tests find theirs where it was
    before = len(page.texts("tbody tr"))
    spans.export([making.span("child first", -90_000_000, 5, trace=number, id=2, parent=1)])
    page.wait(f"document.querySelectorAll('tbody tr').length === {before} + 1")
    page.open(f"{viewed.url}/trace/{trace_id(number)}")
    page.wait("document.querySelectorAll('.row:not([hidden])').length === 1")
    time.sleep(1.5)
    spans.export([making.span("now the parent", -90_000_010, 50, trace=number, id=1)])
    page.wait("document.querySelectorAll('.row:not([hidden])').length === 2")
    assert rows(page) == ["now the parent", "child first"]


@pytest.mark.parametrize("view", ["", "?view=conversation", "?view=usage", f"#{span_id(2)}", f"#{span_id(3)}"])
def test_markup_in_what_was_recorded_stays_text(viewed: Viewed, view: str) -> None:
    page = viewed.page
    page.open(f"{viewed.url}/trace/{trace_id(2)}{view}")
    page.wait("document.querySelectorAll('.row:not([hidden]), .message, tbody tr').length > 1")
    if view == f"#{span_id(3)}":
        page.wait("document.querySelectorAll('.details .logs tr').length > 1")
    if view in ("?view=conversation", f"#{span_id(2)}"):
        page.wait(f"document.body.innerText.includes({MARKUP[:60]!r})")
    time.sleep(0.5)  # for a script that runs later
    strange = "script:not([src^='/static/']), main img, main svg, main iframe, main a[href^='javascript']"
    assert page.evaluate(f'document.querySelectorAll("{strange}").length') == 0
    assert page.dialogs == []


def test_ways_in_which_text_could_become_a_script_are_closed(viewed: Viewed) -> None:
    page = viewed.page
    for attack in (
        "document.body.innerHTML = '<b>x</b>'",
        "eval('1')",
        "new Function('return 1')()",
        "document.createElement('script').src = 'x'",
        "document.createElement('img').setAttribute('onerror', 'alert(1)')",
    ):
        refused = f"(() => {{ try {{ {attack}; return 'ran' }} catch (error) {{ return error.name }} }})()"
        assert page.evaluate(refused) in ("TypeError", "EvalError")
    outside = "fetch('http://localhost:9/').then(() => 'sent', () => 'refused')"
    assert page.evaluate(outside) == "refused"
    page.evaluate("new Promise((done) => setTimeout(done, 300))")
    assert page.console
    page.console.clear()  # the browser says what it refused


def test_ten_thousand_spans_stay_smooth(viewed: Viewed) -> None:
    began = time.monotonic()
    page = open_trace(viewed, _LARGE)
    shown = time.monotonic() - began
    assert page.evaluate("document.querySelectorAll('.row').length") < 100
    measure = """(async () => {
      const scroller = document.querySelector('.scroller'); const times = [];
      let last = performance.now();
      for (let at = 0; at < 200; at += 1) {
        scroller.scrollTop += 110;
        await new Promise(requestAnimationFrame);
        const now = performance.now(); times.push(now - last); last = now;
      }
      times.sort((a, b) => a - b);
      return [1000 / (times.reduce((a, b) => a + b) / times.length), times[Math.floor(times.length * 0.95)]];
    })()"""
    rate, slow = page.evaluate(measure)
    print(f"{_MANY_SPANS} spans: rows after {shown:.2f} s, {rate:.0f} frames/s scrolling, 95 % under {slow:.0f} ms")
    page.evaluate("document.querySelector('.scroller').scrollTop = 1e9")
    page.wait(
        "[...document.querySelectorAll('.row:not([hidden]) .text')]"
        f".some((each) => each.textContent === 'step {_MANY_SPANS}')"
    )


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark_follow_the_system(viewed: Viewed, *, dark: bool) -> None:
    page = viewed.page
    page.look(dark=dark)
    [red, *_] = map(int, re.findall(r"\d+", str(page.evaluate("getComputedStyle(document.body).backgroundColor"))))
    assert (red < 100) == dark
    page.press("t")
    [turned, *_] = map(int, re.findall(r"\d+", str(page.evaluate("getComputedStyle(document.body).backgroundColor"))))
    assert (turned < 100) != dark
    page.evaluate("localStorage.clear()")
    page.look()
