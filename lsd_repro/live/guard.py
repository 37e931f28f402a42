"""Turns away what doesn't belong here: other sites, more connections than there is room for, and noise from the terminal.

Another site can make a browser open a WebSocket to this computer, or point a name of its own at it (DNS
rebinding).  The first shows in the header Origin, the second in Host.
"""

import asyncio
import contextlib
import ipaddress
import logging
import socket
import traceback
from collections.abc import Awaitable, Collection, Iterator
from pathlib import Path
from typing import Callable

from aiohttp import http_exceptions, web

MOST_CONNECTIONS = 256

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
                               "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store"}

LOGGERS = "aiohttp.server", "aiohttp.websocket", "asyncio"
# What comes of a request that is none, and of a connection that ends in the middle.
THEIRS = (http_exceptions.HttpProcessingError, web.RequestPayloadError, ConnectionError)
HERE = Path(__file__).parents[1]


def is_ours(host: str, names: Collection[str]) -> bool:
    """Whether a header Host names this server: an address, or one of the names that it goes by.

    Parameters
    ----------
    host : str
        With or without a port.
    names : collection of str
    """
    name = host.rsplit(":", 1)[0] if host.rpartition(":")[2].isdigit() else host
    try:
        ipaddress.ip_address(name.strip("[]"))
        return True
    except ValueError:
        return name.lower() in names


def own_names(host: str) -> set[str]:
    """The names that a server bound to `host` goes by."""
    return {"localhost", socket.gethostname().lower(), host.lower()}


def middleware(names: Collection[str]) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Checks each request first, and adds headers to each response."""

    @web.middleware
    async def guard(request, handler):
        host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
        if not is_ours(host, names):
            raise web.HTTPForbidden(text="this page is not served under that name\n")
        if origin is not None and origin != f"{request.scheme}://{host}":
            raise web.HTTPForbidden(text="another site may not use this one\n")
        return await handler(request)

    return guard


async def add_headers(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """For the signal ``on_response_prepare``."""
    response.headers.update(HEADERS)


class Gate(asyncio.Protocol):
    """The first stop of a connection: it is handed on to aiohttp's `server`, or closed if that already has `most`."""

    def __init__(self, server: web.Server, most: int = MOST_CONNECTIONS) -> None:
        self.server, self.most = server, most

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # a server makes no other
        # Here and not where protocols are made: many are made before the first is connected.
        if len(self.server.connections) >= self.most:
            transport.abort()
            return
        handler = self.server()
        transport.set_protocol(handler)
        handler.connection_made(transport)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Meanwhile aiohttp and asyncio log nothing that visitors bring about, and an error of our own as a line, once."""
    said = set()

    def is_worth_a_line(record):
        if not record.exc_info:
            return record.levelno >= logging.ERROR
        error, frames = record.exc_info[1], traceback.extract_tb(record.exc_info[2])
        own = [frame for frame in frames if HERE in Path(frame.filename).parents]
        if isinstance(error, THEIRS) or not own:
            return False
        line = f"{type(error).__name__} in {Path(own[-1].filename).name}, line {own[-1].lineno}"
        if line in said:
            return False
        said.add(line)
        record.msg, record.args = "a visitor's request failed (%s: %s)", (line, " ".join(str(error).split())[:200])
        record.exc_info = record.exc_text = None
        return True

    loggers = [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.addFilter(is_worth_a_line)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(is_worth_a_line)
