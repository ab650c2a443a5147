"""`groundswell serve`: the server, from the socket to the last acknowledged word.

    listen → open the site → say where it is → serve → drain → close connections → close the site

The port is taken first, so that a port in use is told before anything is opened. The site is opened
around the server, not by it: what is wrong with the folder is told as a sentence, and what was
received is made durable when the last connection is gone. Who has a page open is told to come back
before that, over sockets and streams alike, so that none is waited for.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import signal
import socket
import sys
from dataclasses import replace
from types import FrameType

import click
import uvicorn
from anyio.lowlevel import checkpoint
from starlette.applications import Starlette
from uvicorn.loops.auto import auto_loop_factory

from sync.protocol import MAX_FRAME_BYTES
from web import setup
from web.app import create_app
from web.cli.folder import with_config
from web.config import Config
from web.garbage import collect_for_ever
from web.site import Site, say_goodbye
from web.wire import WireProtocol
from wiki.errors import Misconfigured

BACKLOG = 2048
GOODBYE_SECONDS = 2  # for requests under way; with the site's drains, less than ten
SWITCH_SECONDS = 0.0005  # a keystroke waits no longer for a thread that reads or indexes
KEEP_ALIVE_SECONDS = 75  # longer than proxies keep a connection, so that they end it, not we
PING_SECONDS = 20.0  # below the 30 to 60 after which proxies close what is silent
WILDCARDS = {"//0.0.0.0": "//127.0.0.1", "//[::]": "//[::1]"}


@click.command()
@click.option("--host", help="The address to listen on; 0.0.0.0 for all.")
@click.option("--port", type=click.IntRange(0, 65_535), help="0 for any free one.")
@with_config
def serve(config: Config, host: str | None, port: int | None) -> None:
    """Run the site until it is told to end."""
    config = replace(
        config,
        server_host=config.server_host if host is None else host,
        server_port=config.server_port if port is None else port,
    )
    listener = listen(config.server_host, config.server_port)
    config = replace(config, server_port=listener.getsockname()[1])
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        died = runner.run(_serve(config, listener))
    if died:
        raise click.ClickException(
            f"The task “{died[0]}” of the site has failed; the log says why. Start it again."
        )


def listen(host: str, port: int) -> socket.socket:
    """Raises Misconfigured when the address is not ours or the port is taken."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except socket.gaierror as error:
        raise Misconfigured("server.host", f"{host} is no address of this machine") from error
    except PermissionError as error:
        raise Misconfigured(
            "server.port", f"{port} needs more rights than this program has; choose one over 1023"
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise Misconfigured("server.host", f"{host} is no address of this machine") from error
        raise Misconfigured(
            "server.port",
            f"cannot listen on {host}, port {port} ({os.strerror(error.errno or 0)}); "
            "stop what is there, or choose another with --port",
        ) from error


async def _serve(config: Config, listener: socket.socket) -> list[str]:
    """Until a signal; names of background tasks that have died."""
    app = create_app(config)
    server = _Server(_settings(config, app))
    for told_to_end in (signal.SIGTERM, signal.SIGINT):  # while it opens and drains, too
        signal.signal(told_to_end, server.handle_exit)
    async with app.router.lifespan_context(app):
        site: Site = app.state.site
        server.line, server.site = await _line(site), site
        await checkpoint()  # loads what streams need, for which all would wait at the first one
        gc.freeze()  # what was imported stays; looking at it again would only take time
        sys.setswitchinterval(SWITCH_SECONDS)
        rooms = site.rooms
        tidying = collect_for_ever(lambda: rooms.counts()[1], lambda: rooms.quiet_seconds)
        tidies = asyncio.create_task(tidying, name="garbage")
        await server.serve(sockets=[listener])
        tidies.cancel()
    return site.died


class _Server(uvicorn.Server):
    """Says `line` when it is there, and ends with code 0 when it was told to end."""

    line = ""
    site: Site

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await say_goodbye(self.site.rooms)
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        click.echo(self.line)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def _settings(config: Config, app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",  # `_serve` has it
        http="httptools",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
        ws=WireProtocol,
        ws_max_size=2 * MAX_FRAME_BYTES,  # the protocol refuses earlier, with a sentence
        ws_per_message_deflate=False,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        proxy_headers=True,
        forwarded_allow_ips=config.server_trusted_proxies,
        server_header=False,
        access_log=False,
        log_config=None,
        backlog=BACKLOG,
    )


async def _line(site: Site) -> str:
    """Where the site is and, until it is set up, the link that does it."""
    url = site.config.url
    for wildcard, here in WILDCARDS.items():
        url = url.replace(wildcard, here)
    if await site.store.read(setup.is_set_up):
        return f"Groundswell is at {url}"
    token = await site.store.write(lambda conn: setup.new_link(conn, site.now_ms()))
    return f"Groundswell is at {url} · set it up: {url}/setup/{token}"
