"""Headless Chromium, driven through its DevTools protocol over a pipe: no port, no library.

Protocol: https://chromedevtools.github.io/devtools-protocol/. With `--remote-debugging-pipe` the browser
reads messages from descriptor 3 and writes them to 4, each ended by a NUL.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "headless_shell")
"""What distributions call it."""
PATIENCE = 60
"""Seconds that the browser may take for one answer."""


class Page:
    """A tab, and all that it said about requests, errors and dialogs since it was opened."""

    def __init__(self, commands: int, answers: int) -> None:
        """Take the descriptors that lead to a browser that runs, and open a tab there."""
        self._commands, self._answers = commands, answers
        self._pending = b""
        self._number = 0
        self._session = ""
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Have the browser do *method* and return what it answers."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (answer := self._message()).get("id") != self._number:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, path: Path) -> None:
        """Show the file at *path*; what was told before is forgotten."""
        self.events.clear()
        self.call("Page.navigate", url=path.absolute().as_uri())
        while not self.told("Page.loadEventFired"):
            self.events.append(self._message())

    def told(self, method: str) -> list[dict[str, Any]]:
        """Return what the browser told by events of that name."""
        return [event["params"] for event in self.events if event.get("method") == method]

    def evaluate(self, script: str) -> Any:
        """Return the value of *script*, a JavaScript expression or a promise of one."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def look(self, *, width: int, dark: bool = False, media: str = "") -> None:
        """Give the tab a window of *width* pixels, a scheme, and perhaps another medium."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def press(self, key: str) -> None:
        """Press and release Tab or Enter."""
        code, text = {"Tab": (9, ""), "Enter": (13, "\r")}[key]
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                text=text if kind == "keyDown" else "",
            )

    def screenshot(self, path: Path) -> None:
        """Write a picture of the whole page to *path*."""
        taken = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(taken["data"]))

    def _message(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._pending:
            ready, _, _ = select.select([self._answers], [], [], max(deadline - time.monotonic(), 0))
            block = os.read(self._answers, 1 << 20) if ready else b""
            if not block:
                raise RuntimeError("the browser ended" if ready else "the browser does not answer")
            self._pending += block
        message, _, self._pending = self._pending.partition(b"\0")
        result: dict[str, Any] = json.loads(message)
        return result


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """Run a browser that keeps what it must in *folder*, and yield a tab of it."""
    program = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    assert program, f"none of {', '.join(PROGRAMS)} is installed"
    answers, their_answers = os.pipe()
    their_commands, commands = os.pipe()
    process = subprocess.Popen(
        [
            "setpriv", "--pdeathsig", "KILL",
            # The numbers that it wants may be taken in this process.
            "bash", "-c", f'exec "$@" 3<&{their_commands} 4>&{their_answers}', "bash",
            program,
            "--headless",
            "--no-sandbox",  # it refuses to run as root with one
            "--disable-gpu",
            "--disable-background-networking",
            f"--user-data-dir={folder}",
            "--remote-debugging-pipe",
        ],
        pass_fds=(their_commands, their_answers),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(their_commands)
    os.close(their_answers)
    try:
        yield Page(commands, answers)
    finally:
        # It ends when nobody commands it any more, and takes its helpers along.
        os.close(commands)
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
            os.close(answers)
