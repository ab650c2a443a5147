"""Whoever looks where they are signed in recognises their own browsers."""

from __future__ import annotations

import pytest

from web.views.browsers import browser_name

KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"Mozilla/5.0 (X11; Linux x86_64) {KIT} Chrome/130.0 Safari/537.36", "Chrome on Linux"),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64) {KIT} Chrome/130.0 Safari/537.36 Edg/130.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (Android 14; Mobile; rv:130.0) Firefox/130.0", "Firefox on Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1",
            "Safari on an iPhone",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.5 Safari/605.1.15",
            "Safari on a Mac",
        ),
        ("python-httpx/0.27", "python-httpx/0.27"),
        ("", "A browser that does not say which"),
    ],
)
def test_a_browser_is_named_as_its_user_would(said: str, shown: str) -> None:
    assert browser_name(said) == shown
