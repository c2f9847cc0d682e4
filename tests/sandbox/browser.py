"""A browser without a screen or scripts: follows redirects, keeps cookies, sends forms."""

from __future__ import annotations

from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import httpx


class Page(HTMLParser):
    """A page as a person sees it.

    Attributes:
        text: All its text.
        action: Where its form is sent; empty without one.
        hidden: The form's hidden fields.
        buttons: What the form's buttons send, by their captions.
        scripts: How many scripts it has.
    """

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.url = str(answer.url)
        self.status = answer.status_code
        self.text = ""
        self.action = ""
        self.hidden: dict[str, str] = {}
        self.buttons: dict[str, tuple[str, str]] = {}
        self.scripts = 0
        self._button: tuple[str, str] | None = None
        self._silent = False
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = {name: value or "" for name, value in attrs}
        self._silent = tag in ("style", "script")
        self.scripts += tag == "script"
        if tag == "form":
            self.action = urljoin(self.url, fields["action"])
        elif tag == "input" and fields.get("type") == "hidden":
            self.hidden[fields["name"]] = fields["value"]
        elif tag == "button":
            self._button = (fields["name"], fields["value"])

    def handle_endtag(self, tag: str) -> None:
        self._silent = False
        self._button = None if tag == "button" else self._button

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self.buttons[data.strip()] = self._button
        elif not self._silent:
            self.text += f" {data.strip()}"


class Browser:
    """One window; use it as a context manager."""

    def __init__(self) -> None:
        self.http = httpx.Client(trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()

    def open(self, url: str) -> Page:
        """Open an address as a person does."""
        return Page(self.http.get(url, follow_redirects=True))

    def press(self, page: Page, caption: str) -> Page:
        """Press one of a form's buttons, and follow wherever that leads."""
        return Page(self.send(page, caption, follow=True))

    def send(self, page: Page, caption: str, *, follow: bool = False) -> httpx.Response:
        """Press a button and return the answer as it is."""
        name, value = page.buttons[caption]
        fields = {**page.hidden, name: value}
        return self.http.post(page.action, data=fields, follow_redirects=follow)

    def way_back(self, page: Page, caption: str) -> str:
        """Press a button, and return where the server then sends the browser at last."""
        answer = self.send(page, caption)
        while answer.is_redirect:
            location = urljoin(str(answer.url), answer.headers["location"])
            if not location.startswith(page.action.rpartition("/auth/")[0]):
                return location
            answer = self.http.get(location)
        raise AssertionError(f"the browser stays at {answer.url}")
