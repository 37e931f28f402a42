"""The chat of an IRC channel, such as Twitch's: `Channel`.

The library ``irc`` speaks the protocol and answers PING.  A connection that breaks off or falls silent is
made again, with longer and longer waits while that fails.
"""

import asyncio
import contextlib
import logging
import os
import random
import re
import time
from typing import Any, Callable, Optional

import irc.client_aio

from lsd_repro.errors import InputError, OptionError

PASSWORD_VARIABLE = "LSD_REPRO_IRC_PASSWORD"
PORT = 6667
TLS_PORT = 6697

PATIENCE = 20  # seconds to connect
FIRST_WAIT, LONGEST_WAIT = 1, 60  # seconds until the next attempt
SILENCE = 60  # seconds until the server is asked whether it is still there; after twice that it counts as gone
BETWEEN_MESSAGES = 5  # seconds, as in 2015; only what is said waits, never the answer to a PING
LONGEST_LINE = 2 ** 16  # bytes; IRC's are 512, with tags 8 kB more


def parse_address(text: str) -> tuple[str, int, str]:
    """``HOST:PORT/#channel`` -> (host, port, channel); InputError if it is something else."""
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+)(?::(\d{1,5}))?/(#[^\s,\x07]+)", text)
    if not found or not 0 < int(found.group(2) or PORT) < 65536:
        raise OptionError("irc", f"{text}: must be HOST:PORT/#channel, such as localhost:6667/#dreams")
    return found.group(1).strip("[]"), int(found.group(2) or PORT), found.group(3)


class Channel:
    """A channel to listen to.

    Parameters
    ----------
    address : (str, int, str)
        From `parse_address`.
    nick : str, optional
        By default a random one; on Twitch, one that needs no account.
    hear : callable
        Called with the user and the text of each message.

    Attributes
    ----------
    state : str
        How the connection is, in a word or two.
    """

    def __init__(self, address: tuple[str, int, str], hear: Callable[[str, str], Any],
                 nick: Optional[str] = None) -> None:
        self.host, self.port, self.channel = address
        # RFC 1459 allows nine characters.
        guest = "justinfan" if self.host.endswith("twitch.tv") else "lsd"
        self.nick, self.hear = nick or f"{guest}{random.randint(10_000, 99_999)}", hear
        self.password = os.environ.get(PASSWORD_VARIABLE)
        if not re.fullmatch(r"[^\s:@!#\x00]{1,50}", self.nick):
            raise OptionError("irc_nick", f"{self.nick}: is no nickname")
        if re.search(r"[\r\n\x00]", self.password or ""):
            raise InputError(f"the password in {PASSWORD_VARIABLE} has a line break")
        self.state = "connecting"
        self._connection: Any = None
        self._told = 0.0
        for name in ("irc.client", "irc.client_aio"):
            logging.getLogger(name).addFilter(_no_password)

    async def stay(self) -> None:
        """Stay connected, until cancelled."""
        wait = FIRST_WAIT
        while True:
            begun = time.monotonic()
            try:
                await self._once()
            except (OSError, asyncio.TimeoutError, UnicodeError):
                pass  # not there, silent, or not a possible name
            if time.monotonic() - begun > LONGEST_WAIT:
                wait = FIRST_WAIT
            self.state = f"not connected, again in {wait} s"
            # Not all at once, if many lost the same server.
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))
            self.state, wait = "connecting", min(2 * wait, LONGEST_WAIT)

    def tell(self, text: str) -> None:
        """Say something in the channel, unless something was said less than five seconds ago.

        2015 quirk: slow PONG (no answer to a PING goes through here).
        """
        now = time.monotonic()
        if self.state == "connected" and now - self._told >= BETWEEN_MESSAGES:
            self._told = now
            with contextlib.suppress(irc.client.ServerNotConnectedError, irc.client.InvalidCharacters, irc.client.MessageTooLong):
                self._connection.privmsg(self.channel, text)

    async def _once(self):
        """One connection, from beginning to end."""
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        reactor = irc.client_aio.AioReactor(loop=loop)
        reactor.connection_class = _Connection

        def end(connection, event):
            if not ended.done():
                ended.set_result(None)

        self._connection = connection = reactor.server()
        handlers = {
            "welcome": lambda connection, event: connection.join(self.channel),
            "nicknameinuse": lambda connection, event: connection.nick(f"{self.nick[:6]}{random.randint(100, 999)}"),
            "join": self._on_join, "kick": self._on_kick,
            "pubmsg": self._on_message, "action": self._on_message,
            "disconnect": end}
        for event, handler in handlers.items():
            reactor.add_global_handler(event, handler)
        factory = irc.connection.AioFactory(**({"ssl": True} if self.port == TLS_PORT else {}))
        await asyncio.wait_for(connection.connect(self.host, self.port, self.nick, self.password,
                                                  connect_factory=factory), PATIENCE)
        try:
            while not ended.done():
                silent = time.monotonic() - connection.last_heard
                if silent > 2 * SILENCE:
                    return
                if silent > SILENCE:
                    connection.ping("still-there")
                await asyncio.wait([ended], timeout=SILENCE / 2)
        finally:
            connection.disconnect()

    def _on_join(self, connection, event):
        if event.source.nick == connection.get_nickname():
            self.state = "connected"

    def _on_kick(self, connection, event):
        if event.arguments[0] == connection.get_nickname():
            connection.disconnect()  # and come back later

    def _on_message(self, connection, event):
        if event.target.lower() == self.channel.lower():
            self.hear(event.source.nick, event.arguments[0])


class _Protocol(irc.client_aio.IrcProtocol):
    def data_received(self, data):
        self.connection.last_heard = time.monotonic()
        for line in data.splitlines(keepends=True):
            # What the library can't read is skipped: nobody in the channel may end the connection.
            with contextlib.suppress(Exception):
                super().data_received(line)
        if len(self.connection.buffer.buffer) > LONGEST_LINE:
            self.connection.disconnect()


class _Connection(irc.client_aio.AioConnection):
    buffer_class = irc.client.buffer.LenientDecodingLineBuffer
    protocol_class = _Protocol
    last_heard = 0.0

    async def connect(self, *args, **options):
        self.last_heard = time.monotonic()
        return await super().connect(*args, **options)


def _no_password(record):
    """The library logs what it sends, at level DEBUG."""
    return "PASS " not in record.getMessage()
