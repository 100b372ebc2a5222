"""Headless Chromium over the DevTools protocol: open a page, look at it, and hear of all it asks of a network."""

import base64
import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from websockets.sync.client import connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
PHONE = 390
START_S = 60
ANSWER_S = 120


def find_chromium() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextlib.contextmanager
def _folder() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="pqbed-chromium-")
    try:
        yield folder
    finally:
        for _ in range(50):  # the browser's children may still write there
            shutil.rmtree(folder, ignore_errors=True)
            if not Path(folder).exists():
                break
            time.sleep(0.1)


@contextlib.contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


class Page:
    """One page in a browser of its own. `requests` are the addresses it asked for, `complaints` what it logged."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._number = 0
        self._session: str | None = None
        self._stack = contextlib.ExitStack()
        self.requests: list[str] = []
        self.complaints: list[str] = []

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(_folder())
            self._process = stack.enter_context(_process([self._program, *FLAGS, f"--user-data-dir={folder}"]))
            self._browser = stack.enter_context(connect(self._address(), max_size=None))
            target = self._ask("Target.createTarget", {"url": "about:blank"})["targetId"]
            attached = self._ask("Target.attachToTarget", {"targetId": target, "flatten": True})
            self._session = attached["sessionId"]
            for domain in ("Page", "Runtime", "Network", "Log"):
                self._ask(f"{domain}.enable")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def show(self, path: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Open the file, and wait until its charts are drawn."""
        self.look(width=width, height=height, dark=dark)
        self.open(path.resolve().as_uri())
        self.wait("document.body && document.body.dataset.drawn === 'yes'")

    def look(self, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Set the size of the window, and the colours that the user prefers."""
        phone = width < 600
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self._ask("Emulation.setEmulatedMedia", {"features": [scheme, still]})

    def open(self, address: str) -> None:
        """Go to an address."""
        self._ask("Page.navigate", {"url": address})

    def run(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        answer = self._ask("Runtime.evaluate", {"expression": expression, "returnByValue": True, "awaitPromise": True})
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str, within_s: float = ANSWER_S) -> None:
        """Wait until the expression holds."""
        deadline = time.monotonic() + within_s
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < deadline, f"never: {condition}; {self.complaints}"
            time.sleep(0.05)

    def press(self, key: str) -> None:
        """Press and let go of a key by its DOM name, as `Tab` or `ArrowRight`."""
        codes = {"Tab": 9, "Enter": 13, "Space": 32, "ArrowRight": 39, "ArrowLeft": 37}
        texts = {"Enter": "\r", "Space": " "}
        for kind in ("keyDown" if key in texts else "rawKeyDown", "keyUp"):
            stroke = {"type": kind, "key": " " if key == "Space" else key, "code": key}
            text = {"text": texts[key]} if key in texts and kind == "keyDown" else {}
            self._ask("Input.dispatchKeyEvent", {**stroke, **text, "windowsVirtualKeyCode": codes[key]})

    def save_to(self, folder: Path) -> None:
        """Keep in `folder` what the page lets a person save."""
        self._ask("Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self._ask("Input.insertText", {"text": text})

    def move(self, x: float, y: float) -> None:
        """Move the mouse there, in pixels of the window."""
        self._ask("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x - 3, "y": y})
        self._ask("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})

    def screenshot(self, path: Path) -> None:
        """Write the whole page, as long as it is, as PNG."""
        size = self._ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = self._ask("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        path.write_bytes(base64.b64decode(shot["data"]))

    def print(self, path: Path) -> None:
        """Write the page as it would be printed, as PDF."""
        path.write_bytes(base64.b64decode(self._ask("Page.printToPDF")["data"]))

    def _address(self) -> str:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if found := re.search(r"DevTools listening on (ws://\S+)", line):
                return found[1]
        raise AssertionError(f"Chromium ended with {self._process.wait()} and no DevTools")

    def _ask(self, method: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters or {}}
        if self._session:
            message["sessionId"] = self._session
        self._browser.send(json.dumps(message))
        while True:
            answer = json.loads(self._browser.recv(ANSWER_S))
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return dict(answer["result"])
            self._hear(answer)

    def _hear(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(parameters["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if parameters["type"] in {"error", "warning", "assert"}:
                self.complaints.append(str(parameters["args"]))
            case "Log.entryAdded" if parameters["entry"]["level"] in {"error", "warning"}:
                self.complaints.append(str(parameters["entry"]))


def main() -> None:
    """Write screenshots of a report, light and dark, at the width of a desk and of a phone: chromium.py PAGE OUT."""
    page, out = Path(sys.argv[1]), Path(sys.argv[2])
    program = find_chromium()
    assert program is not None
    with Page(program) as browser:
        for width in (1280, PHONE):
            for mode in ("light", "dark"):
                browser.show(page, width=width, dark=mode == "dark")
                browser.screenshot(out / f"{width}-{mode}.png")


if __name__ == "__main__":
    main()
