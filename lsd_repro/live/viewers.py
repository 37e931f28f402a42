"""Who is watching: `Viewer`.

Each has room for the newest picture of each kind and the newest state.  Whatever a slow viewer has not taken when
the next arrives is dropped, so nobody waits for anybody.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any, Union

from aiohttp import WSMsgType, web

LONGEST_MESSAGE = 4096  # bytes; a longer one ends the connection
SECONDS_TO_TAKE = 20  # after which a viewer counts as gone
A_SECOND, AT_ONCE = 4, 12  # messages that are read

FILM, PREVIEW, STATE, NOTE = 0, 1, 2, 3


class Viewer:
    """One WebSocket.

    Parameters
    ----------
    socket : aiohttp.web.WebSocketResponse
        Prepared.
    """

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self._newest: dict[int, Union[str, bytes]] = {}
        self._news = asyncio.Event()
        self._allowed, self._since = float(AT_ONCE), time.monotonic()

    def offer(self, kind: int, content: Union[str, bytes]) -> None:
        """Queue something to send when there is room: FILM or PREVIEW (bytes), STATE or NOTE (str)."""
        self._newest[kind] = content
        self._news.set()

    async def send(self) -> None:
        """Send what is offered, notes and state before pictures, until the connection ends or stalls."""
        while not self.socket.closed:
            await self._news.wait()
            self._news.clear()
            for kind in (NOTE, STATE, FILM, PREVIEW):
                content = self._newest.pop(kind, None)
                if content is not None:
                    sending = (self.socket.send_str(content) if isinstance(content, str)
                               else self.socket.send_bytes(bytes([kind]) + content))
                    await asyncio.wait_for(sending, SECONDS_TO_TAKE)

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """Yield what the viewer says, as dicts, no faster than `A_SECOND`; anything else is ignored.

        Waiting here leaves further messages with their sender.
        """
        async for message in self.socket:
            self._allowed = min(AT_ONCE, self._allowed + A_SECOND * (time.monotonic() - self._since))
            self._since = time.monotonic()
            if self._allowed < 1:
                await asyncio.sleep((1 - self._allowed) / A_SECOND)
            self._allowed -= 1
            if message.type != WSMsgType.TEXT:
                continue
            try:
                said = json.loads(message.data)
            except (ValueError, RecursionError):
                continue
            if isinstance(said, dict):
                yield said


def open_socket() -> web.WebSocketResponse:
    """A WebSocket with our limits."""
    # Compressing JPEGs costs time and gains nothing.
    return web.WebSocketResponse(max_msg_size=LONGEST_MESSAGE, compress=False, heartbeat=30, timeout=3)
