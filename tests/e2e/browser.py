"""A headless Chromium, driven by its DevTools protocol over two pipes: no port, no other package."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from base64 import b64decode
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_SECONDS = 60.0
_KEYS = {"Enter": ("Enter", "\r"), "Escape": ("Escape", ""), "ArrowDown": ("ArrowDown", ""), "ArrowUp": ("ArrowUp", "")}


class PageError(AssertionError):
    """A script of the page failed, or did not do what is waited for."""


class Browser:
    """One page; what it logs, asks for and opens is kept."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.dialogs: list[str] = []
        self.console: list[str] = []
        self.requested: list[str] = []
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._send(f"{domain}.enable")

    def open(self, address: str) -> None:
        """Go to an address and wait until it is loaded."""
        self._send("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && !!document.querySelector('main')?.children.length")

    def evaluate(self, expression: str) -> Any:
        """Return what an expression, or the promise that it is, gives."""
        # What the page's policy forbids is forbidden here, too.
        options = {"awaitPromise": True, "returnByValue": True, "allowUnsafeEvalBlockedByCSP": False}
        answer = self._send("Runtime.evaluate", expression=expression, **options)
        if "exceptionDetails" in answer:
            told = answer["exceptionDetails"]
            raise PageError(told.get("exception", {}).get("description") or told["text"])
        return answer["result"].get("value")

    def wait(self, expression: str, seconds: float = _SECONDS) -> Any:
        """Return what an expression gives as soon as it is true."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.evaluate(expression)
            if found:
                return found
            if time.monotonic() > deadline:
                text = self.evaluate("document.body.innerText.slice(0, 3000)")
                raise PageError(f"not within {seconds:g} s: {expression}\n{text}\n{self.console}")
            time.sleep(0.05)

    def text(self, selector: str = "main") -> str:
        """Return the visible text of an element."""
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def texts(self, selector: str) -> list[str]:
        """Return the visible texts of all elements that a selector finds."""
        return list(
            self.evaluate(f"[...document.querySelectorAll({json.dumps(selector)})].map((each) => each.innerText)")
        )

    def click(self, selector: str) -> None:
        """Click an element where it is seen."""
        place = self.wait(
            f"(() => {{ const found = document.querySelector({json.dumps(selector)}); if (!found) return null;"
            " found.scrollIntoView({ block: 'nearest' }); const box = found.getBoundingClientRect();"
            " return [box.left + box.width / 2, box.top + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self._send("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            name, text = _KEYS.get(key, (key, key))
            event = {"key": name, "text": text} if text else {"key": name}
            self._send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **event)
            self._send("Input.dispatchKeyEvent", type="keyUp", key=name)

    def write(self, selector: str, text: str) -> None:
        """Put a text into a field as if it were typed."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
        self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        self._send("Input.insertText", text=text)

    def look(self, *, dark: bool = False, width: int = 1280, height: int = 800) -> None:
        """Set the size of the window, and light or dark."""
        self._send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._send("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path: Path) -> None:
        """Write a screenshot."""
        path.write_bytes(b64decode(self._send("Page.captureScreenshot", format="png")["data"]))

    def _send(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                if "error" in answer:
                    raise PageError(f"{method}: {answer['error']['message']}")
                return dict(answer.get("result", {}))
            self._note(answer)

    def _receive(self) -> dict[str, Any]:
        deadline = time.monotonic() + _SECONDS
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self._from, 1 << 20) if ready else b""
            if not piece:
                raise PageError("the browser does not answer")
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        note = _NOTES.get(event.get("method", ""))
        if note is not None:
            note(self, parameters)

    def _note_dialog(self, parameters: dict[str, Any]) -> None:
        self.dialogs.append(parameters["message"])
        self._send("Page.handleJavaScriptDialog", accept=True)


_NOTES: dict[str, Callable[[Browser, dict[str, Any]], None]] = {
    "Page.javascriptDialogOpening": Browser._note_dialog,
    "Runtime.exceptionThrown": lambda page, told: page.console.append(json.dumps(told["exceptionDetails"])),
    "Log.entryAdded": lambda page, told: page.console.append(told["entry"]["text"]),
    "Network.requestWillBeSent": lambda page, told: page.requested.append(told["request"]["url"]),
}


def _moved_up(descriptor: int) -> int:
    """Return a copy of a descriptor that is in nobody's way."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return moved


@contextmanager
def browser(program: Path) -> Iterator[Browser]:
    """Run a browser until the block ends."""
    home = tempfile.mkdtemp(prefix="obs-browser.")
    read_by_it, to_browser = map(_moved_up, os.pipe())
    from_browser, written_by_it = map(_moved_up, os.pipe())
    # Where it reads and writes is fixed: descriptors 3 and 4. Not every shell knows those of two digits.
    command = f'exec "$0" "$@" 3<&{read_by_it} 4>&{written_by_it}'
    options = ["--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={home}"]
    process = subprocess.Popen(
        ["bash", "-c", command, str(program), *options, "about:blank"],
        env={"PATH": os.environ["PATH"], "HOME": home, "TZ": "UTC", "LANG": "C.UTF-8"},
        pass_fds=(read_by_it, written_by_it),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(read_by_it)
    os.close(written_by_it)
    try:
        yield Browser(to_browser, from_browser)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(to_browser)
        os.close(from_browser)
        shutil.rmtree(home, ignore_errors=True)
