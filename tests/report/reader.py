"""One page in one browser window, as a reader meets it, and what it measures there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

HEIGHTS = {1400: 900, 400: 800}

# Distinct colours of a canvas, a measure of what is drawn on it.
COLOURS = """(canvas) => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const seen = new Set(new Uint32Array(data.buffer));
  return seen.size;
}"""

# Elements that stick out of the window, but for those inside a box that scrolls by itself.
OVERFLOWING = """() => [...document.querySelectorAll("body *")].filter((node) => {
  const box = node.getBoundingClientRect();
  const scrolls = node.parentElement.closest(".scroll, .contents");
  const out = box.right > innerWidth + 0.5 || box.left < -0.5;
  return out && box.width && !scrolls && !node.closest(".skip");
}).map((node) => node.outerHTML.slice(0, 80))"""


class Reader:
    """One page in one browser window; collects what went wrong in it."""

    def __init__(self, browser: Any, path: Path, *, width: int, scheme: str = "light") -> None:
        size = {"width": width, "height": HEIGHTS[width]}
        self.context = browser.new_context(
            viewport=size, color_scheme=scheme, has_touch=width == 400, reduced_motion="reduce"
        )
        self.troubles: list[str] = []
        self.requests: list[str] = []
        self.context.route("**/*", self._only_the_file)
        self.page = self.context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda e: self.troubles.append(f"error: {e}"))
        self.page.on("dialog", lambda d: self.troubles.append(f"dialog: {d.message}"))
        self.page.on("request", lambda r: self.requests.append(r.url))
        self.page.goto(path.as_uri())
        self.settle()

    def _hear(self, message: Any) -> None:
        if "willReadFrequently" not in message.text:  # caused by our own looks at the pixels
            self.troubles.append(f"{message.type}: {message.text}")

    def _only_the_file(self, route: Any) -> None:
        if route.request.url.startswith("file:"):
            route.continue_()
        else:
            route.abort()

    def settle(self) -> None:
        """Wait until drawings asked for are drawn: each takes one frame."""
        self.page.evaluate(
            "new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))"
        )

    def click(self, selector: str, **options: Any) -> None:
        self.page.locator(selector, **options).first.click()
        self.settle()

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).first.inner_text())

    def picture(self, selector: str) -> str:
        return str(self.page.locator(selector).first.evaluate("(canvas) => canvas.toDataURL()"))

    def rows(self) -> list[str]:
        return list(self.page.locator("#request-table tbody th button").all_inner_texts())

    def quiet(self) -> None:
        """Nothing was asked of the network, nothing was complained of."""
        assert [url for url in self.requests if not url.startswith(("file:", "data:"))] == []
        assert self.troubles == []
        self.context.close()
