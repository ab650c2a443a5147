"""The way out leads to other sites and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest

from sync.federation import fetch
from sync.federation.fetch import Fetcher, Unreachable
from wiki.errors import BadInput

PUBLIC = "93.184.216.34"


class Answers(httpx2.AsyncBaseTransport):
    """What is asked, and what is answered by path."""

    def __init__(self, answers: dict[str, Callable[[], httpx2.Response]]) -> None:
        self.answers, self.asked = answers, list[httpx2.Request]()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        return self.answers[request.url.path]()


def to(location: str) -> Callable[[], httpx2.Response]:
    return lambda: httpx2.Response(302, headers={"Location": location})


def fetcher(answers: dict[str, Callable[[], httpx2.Response]] | None = None, **options) -> Fetcher:
    names = options.pop("names", {})
    options.setdefault("resolve", lambda host, port: names.get(host, [PUBLIC]))
    return Fetcher(transport=Answers(answers or {"/": lambda: httpx2.Response(200)}), **options)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "::1", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "2002:7f00:1::",
    ],
)  # fmt: skip
async def test_a_name_that_leads_into_a_private_network_is_refused(address: str) -> None:
    for found in ([address], [PUBLIC, address]):
        with pytest.raises(BadInput):
            await fetcher(names={"sly.example": found}).get("https://sly.example/")


async def test_only_https_and_only_addresses() -> None:
    for url in ("http://acme.example/", "ftp://acme.example/", "file:///etc/passwd", "https://"):
        with pytest.raises(BadInput):
            await fetcher().get(url)
    with pytest.raises(BadInput):
        await fetcher().get("https://user:word@acme.example/")


async def test_the_connection_goes_to_the_address_that_was_looked_at() -> None:
    transport = Answers({"/": lambda: httpx2.Response(200)})
    asked = Fetcher(transport=transport, resolve=lambda host, port: [PUBLIC])
    await asked.get("https://acme.example/")
    (request,) = transport.asked
    assert request.url.host == PUBLIC
    assert request.headers["host"] == "acme.example"
    assert request.extensions["sni_hostname"] == "acme.example"


async def test_each_redirect_is_looked_at_again() -> None:
    names = {"inside.example": ["10.0.0.1"]}
    answers = {"/": to("https://inside.example/"), "/loop": to("/loop")}
    with pytest.raises(BadInput):
        await fetcher(answers, names=names).get("https://acme.example/")
    with pytest.raises(Unreachable):
        await fetcher(answers).get("https://acme.example/loop")


@pytest.mark.parametrize(
    "address",
    ["https://a.example:99999/", "https://[::1/", "https://a.example:x/", "https://a..b/",
     "https://" + "a" * 70 + ".example/", "https://exa mple/"],
)  # fmt: skip
async def test_what_is_no_address_is_refused_by_name(address: str) -> None:
    ours = fetch._resolve  # nobody is asked for what cannot be a name
    for url, answers in ((address, None), (f"https://{PUBLIC}/", {"/": to(address)})):
        with pytest.raises((BadInput, Unreachable)):
            await fetcher(answers, resolve=ours).get(url)


async def test_letters_beyond_ascii_are_written_as_the_network_knows_them() -> None:
    with pytest.raises(BadInput):
        await fetcher().get("https://bücher.example/")


async def test_an_answer_that_is_packed_wrongly_is_a_failure_like_others() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"no gzip"

    def packed() -> httpx2.Response:
        return httpx2.Response(200, headers={"Content-Encoding": "gzip"}, content=pieces())

    with pytest.raises(Unreachable):
        await fetcher({"/": packed}).get("https://acme.example/")


async def test_what_is_signed_follows_no_redirect() -> None:
    answer = await fetcher({"/": to("https://elsewhere.example/")}).send(
        "POST", "https://acme.example/", b"x", {}
    )
    assert answer.status == 302


async def test_an_endless_answer_ends() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1024
            await asyncio.sleep(0)

    answers = {"/": lambda: httpx2.Response(200, content=endless())}
    with pytest.raises(Unreachable, match="more than we take"):
        await fetcher(answers, max_bytes=100_000).get("https://acme.example/")


async def test_a_slow_answer_ends() -> None:
    async def slow() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0.02)

    answers = {"/": lambda: httpx2.Response(200, content=slow())}
    with pytest.raises(Unreachable, match="too long"):
        await fetcher(answers, total_seconds=0.2).get("https://acme.example/")


async def test_loopback_is_reached_only_where_that_was_set() -> None:
    names = {"localhost": ["127.0.0.1"]}
    with pytest.raises(BadInput):
        await fetcher(names=names).get("http://localhost/")
    answer = await fetcher(names=names, allows_loopback=True).get("http://localhost/")
    assert answer.status == 200
    with pytest.raises(BadInput):
        await fetcher(names={"x": ["10.0.0.1"]}, allows_loopback=True).get("http://x/")
