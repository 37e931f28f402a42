"""Reads exported chats of any format: `read_log`."""

import gzip
import io
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from lsd_repro.chat import json_logs, line_logs
from lsd_repro.chat.messages import Message
from lsd_repro.errors import InputError
from lsd_repro.material.regular import read_bytes

if TYPE_CHECKING:  # it imports numpy
    from lsd_repro.material.files import PathLike

FORMATS = ("TwitchDownloader's JSON (gzip too) or text with times, chat-downloader's JSON, raw IRC with tags, "
           "Chatterino's log")

LARGEST = 512 << 20  # bytes of a chat, unpacked
PIECE = 1 << 20


class Log(NamedTuple):
    """An exported chat.

    Attributes
    ----------
    format : str
    messages : list of Message
        In order of time; the first is at 0.
    skipped : list of (str, str)
        Where something else stood, and what.
    """

    format: str
    messages: list[Message]
    skipped: list[tuple[str, str]]

    def summary(self) -> str:
        """In words, how much was read and what was left out."""
        length = int(self.messages[-1].time)
        text = f"{self.format}, {len(self.messages)} messages in {length // 60}:{length % 60:02}"
        return f"{text}; left out: {reasons(self.skipped)}" if self.skipped else text


def read_log(path: "PathLike") -> Log:
    """Read an exported chat.

    Parameters
    ----------
    path : str or Path
        The format is found out from its content; gzip is unpacked.

    Returns
    -------
    Log

    Raises
    ------
    InputError
        If the file can't be read, or has no message with a time.
    """
    try:
        data = read_bytes(path, LARGEST)
    except OSError as error:
        raise InputError(f"can't read the chat {path}: {error.strerror or error}") from None
    skipped = []
    if data.startswith(b"\x1f\x8b"):
        data, whole = _unpacked(data)
        if len(data) > LARGEST:
            raise InputError(f"can't read the chat {path}: unpacked it is larger than {LARGEST >> 20} MiB")
        if not whole:
            skipped.append(("end", "the gzip file is cut off or broken"))
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:2]
    # A line of text begins with a bracket, too.
    if start[:1] == b"{" or (start[:1] == b"[" and not start[1:].isdigit()):
        chat_format, entries = json_logs.read(data.decode("utf-8-sig", "replace").strip())
    else:
        chat_format, entries = line_logs.read(data.splitlines())
    messages = sorted((found for _, found in entries if not isinstance(found, str)), key=lambda message: message.time)
    skipped = [(place, why) for place, why in entries if isinstance(why, str)] + skipped
    if not messages:
        raise InputError(f"{path}: no chat message with a time is in it ({reasons(skipped) or 'it is empty'}); "
                         f"formats that can be read: {FORMATS}")
    first = messages[0].time
    return Log(chat_format, [message._replace(time=message.time - first) for message in messages], skipped)


def reasons(skipped: Iterable[tuple[str, str]]) -> str:
    """What was left out, in words: each reason with its count and the first place."""
    places: dict[str, list[str]] = {}
    for place, why in skipped:
        places.setdefault(why, []).append(place)
    return ", ".join(f"{len(where)} {why} (first: {where[0]})" for why, where in places.items())


def _unpacked(data):
    """As much of gzip data as can be unpacked, up to a little more than is read here, and whether that is all."""
    found = bytearray()
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        try:
            # In pieces: everything before a broken one is kept.
            while len(found) <= LARGEST and (piece := stream.read1(PIECE)):
                found += piece
        except (OSError, EOFError, zlib.error):
            return bytes(found), False
    return bytes(found), True
