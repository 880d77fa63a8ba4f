"""A headless Chromium, driven by its DevTools protocol over two pipes: https://chromedevtools.github.io/devtools-protocol."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Self

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
"""What Chromium is called, by Debian and by others."""

_FIRST_FREE_DESCRIPTOR = 10
_SECONDS = 60
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
    "--no-default-browser-check", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip


class PageError(Exception):
    """The browser refused a command, or the page's own code failed; the message is its own."""


class Browser:
    """One browser; use it as a context manager. `folder` is for its profile."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        program = next(filter(None, map(shutil.which, PROGRAMS)), None)
        if program is None:
            raise FileNotFoundError(f"none of {', '.join(PROGRAMS)} is on the PATH: install the package chromium")
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        # The browser reads its commands at 3 and answers at 4, which must not be what is duplicated there.
        theirs = [fcntl.fcntl(each, fcntl.F_DUPFD, _FIRST_FREE_DESCRIPTOR) for each in (to_read, to_write)]
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{theirs[0]} 4>&{theirs[1]}', "chromium", program, *_FLAGS, f"--user-data-dir={self._folder}", "about:blank"],
            pass_fds=theirs, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        for each in (to_read, to_write, *theirs):
            os.close(each)
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []
        self.call("Browser.getVersion")
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._write)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        os.close(self._read)

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Give a command and wait for its answer; events that come meanwhile are kept."""
        self._number += 1
        command = {
            "id": self._number,
            "method": method,
            "params": parameters,
            **({"sessionId": session} if session else {}),
        }
        os.write(self._write, json.dumps(command).encode() + b"\0")
        deadline = time.monotonic() + _SECONDS
        while True:
            message = self._message(deadline - time.monotonic())
            if message is None:
                raise TimeoutError(f"{method}: no answer within {_SECONDS} s")
            if message.get("id") == self._number:
                if "error" in message:
                    raise PageError(f"{method}: {message['error']['message']}")
                result: dict[str, Any] = message["result"]
                return result
            self.events.append(message)

    def _message(self, seconds: float) -> dict[str, Any] | None:
        while b"\0" not in self._buffer:
            if seconds <= 0 or not select.select([self._read], [], [], seconds)[0]:
                return None
            self._buffer += os.read(self._read, 1 << 20) or b""
        message, _, self._buffer = self._buffer.partition(b"\0")
        decoded: dict[str, Any] = json.loads(message)
        return decoded

    def page(self, *, width: int = 1280, height: int = 900) -> Page:
        """Open an empty page of a size in CSS pixels."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Page(self, target, session, width, height)


class Page:
    """One page; use it as a context manager, or close it."""

    def __init__(self, browser: Browser, target: str, session: str, width: int, height: int) -> None:
        self._browser, self._target, self._session = browser, target, session
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self._size = (width, height)
        self.resize(width, height)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._browser.call("Target.closeTarget", targetId=self._target)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give the page a command."""
        return self._browser.call(method, self._session, **parameters)

    def resize(self, width: int, height: int, *, phone: bool = False) -> None:
        """Give the page a size in CSS pixels; a phone lays it out as phones do."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )

    def media(self, *, scheme: str = "light", kind: str = "") -> None:
        """Prefer light or dark; show all as on "screen" or in "print", or each as what it is."""
        self.call(
            "Emulation.setEmulatedMedia", media=kind, features=[{"name": "prefers-color-scheme", "value": scheme}]
        )

    def reset(self) -> None:
        """Be empty, of the first size, without preferences, troubles and a mouse: as a new page."""
        self.call("Page.navigate", url="about:blank")
        self.wait_for("location.href === 'about:blank' && document.readyState === 'complete'")
        self.call("Page.resetNavigationHistory")
        self.resize(*self._size)
        self.call("Emulation.setEmulatedMedia", media="", features=[])
        self._mouse("mouseMoved", -1, -1, button="none")
        self.forget_troubles()

    def open(self, path: Path) -> None:
        """Load a file and wait until it is ready to be used."""
        self.call("Page.navigate", url=path.as_uri())
        self.wait_for("performance.getEntriesByName('ready').length === 1")
        self.settle()

    def run(self, code: str) -> Any:
        """Return the value of an expression in the page. Raises PageError where it throws."""
        answer = self.call("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise PageError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def wait_for(self, code: str) -> Any:
        """Wait until an expression is true; return its value. Raises PageError where the page complains meanwhile."""
        deadline = time.monotonic() + _SECONDS
        while not (value := self.run(code)):
            if troubles := self.troubles():
                raise PageError("; ".join(troubles))
            if time.monotonic() > deadline:
                raise TimeoutError(f"never true: {code}")
            time.sleep(0.02)
        return value

    def settle(self) -> None:
        """Wait until what was changed is drawn."""
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")

    def key(self, name: str, *, text: str | None = None) -> None:
        """Press and release a key."""
        codes = {"Enter": 13, "Escape": 27, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Tab": 9}  # fmt: skip
        text = {"Enter": "\r"}.get(name, name if len(name) == 1 else text)
        key = {"key": name, "code": name, "windowsVirtualKeyCode": codes.get(name, 0)}
        self.call(
            "Input.dispatchKeyEvent",
            type="keyDown" if text else "rawKeyDown",
            **key,
            **({"text": text} if text else {}),
        )
        self.call("Input.dispatchKeyEvent", type="keyUp", **key)
        self.settle()

    def type(self, selector: str, text: str) -> None:
        """Replace what stands in a field, as if typed."""
        self.run(f"(field => {{ field.focus(); field.select(); }})(document.querySelector({json.dumps(selector)}))")
        if text:
            self.call("Input.insertText", text=text)
        else:
            self.run("document.execCommand('delete')")
        self.settle()

    def click(self, selector: str) -> None:
        """Click in the middle of the first element that fits, after scrolling it into sight."""
        x, y = self._middle(selector)
        self._mouse("mousePressed", x, y)
        self._mouse("mouseReleased", x, y)
        self.settle()

    def hover(self, x: float, y: float) -> None:
        """Move the mouse to a place of the window."""
        self._mouse("mouseMoved", x, y, button="none")
        self.settle()

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press at one place of the window and let go at another."""
        self._mouse("mousePressed", *start)
        self._mouse("mouseMoved", *end)
        self._mouse("mouseReleased", *end)
        self.settle()

    def wheel(self, x: float, y: float, delta: float, *, ctrl: bool = False) -> None:
        """Turn the wheel at a place of the window."""
        self.call(
            "Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=delta, modifiers=2 if ctrl else 0
        )
        self.settle()

    def box(self, selector: str) -> dict[str, float]:
        """Return where an element stands in the window: x, y, width, height."""
        box: dict[str, float] = self.run(
            f"document.querySelector({json.dumps(selector)}).getBoundingClientRect().toJSON()"
        )
        return box

    def _middle(self, selector: str) -> tuple[float, float]:
        self.run(
            f"document.querySelector({json.dumps(selector)}).scrollIntoView({{ block: 'center', behavior: 'instant' }})"
        )
        # Before it is drawn, the mouse would meet what was there.
        self.settle()
        box = self.box(selector)
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def _mouse(self, kind: str, x: float, y: float, *, button: str = "left") -> None:
        self.call(
            "Input.dispatchMouseEvent",
            type=kind,
            x=x,
            y=y,
            button=button,
            clickCount=0 if button == "none" else 1,
            buttons=0 if button == "none" else 1,
        )

    def troubles(self) -> list[str]:
        """Return all that the page has complained of or asked for: exceptions, the console, dialogs, requests for anything but the file."""
        found = []
        for event in self._browser.events:
            if event.get("sessionId") != self._session:
                continue
            method, parameters = event["method"], event["params"]
            if method == "Runtime.exceptionThrown":
                found.append(str(parameters["exceptionDetails"].get("exception", {}).get("description")))
            elif method == "Runtime.consoleAPICalled":
                found.append(f"console: {parameters['args']}")
            elif method == "Log.entryAdded":
                found.append(f"log: {parameters['entry']['text']}")
            elif method == "Page.javascriptDialogOpening":
                found.append(f"dialog: {parameters['message']}")
            elif method == "Network.requestWillBeSent" and parameters["type"] != "Document":
                found.append(f"request: {parameters['request']['url']}")
        return found

    def forget_troubles(self) -> None:
        """Forget what the page complained of until now."""
        self._browser.events.clear()

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        """Save what is seen, or the whole page, as PNG."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))

    def pdf(self) -> bytes:
        """Print the page."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])
