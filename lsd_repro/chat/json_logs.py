"""Chats exported as JSON: by TwitchDownloader, and by chat-downloader (an array, or an object a line)."""

import json
import math
import re
from typing import Union

from lsd_repro.chat.messages import Message, message

TWITCH_DOWNLOADER = "TwitchDownloader JSON"
CHAT_DOWNLOADER = "chat-downloader JSON"

MICROSECONDS = 1e6
COMMENTS = re.compile(r'"comments"\s*:\s*\[')
BROKEN, TOO_DEEP, NO_OBJECT = "cut off or broken", "nested too deeply", "not an object"
BETWEEN = re.compile(r"[\s,]*")


def read(text: str) -> tuple[str, list[tuple[str, Union[Message, str]]]]:
    """Read a JSON export.

    Parameters
    ----------
    text : str
        It may be cut off anywhere: whatever is whole before that is read.

    Returns
    -------
    format : str
    entries : list of (str, Message or str)
        For each entry of the export its place, such as ``comment 3``, and its message, or why
        there is none.
    """
    comments = COMMENTS.search(text)
    if comments:
        entries = _elements(text, comments.end())
        return TWITCH_DOWNLOADER, [(f"comment {number}", _comment(entry)) for number, entry in enumerate(entries, 1)]
    entries = list(_elements(text, 1)) if text.startswith("[") else [_object(line) for line in text.splitlines()]
    time_of = _clock(entries)
    return CHAT_DOWNLOADER, [(f"entry {number}", _item(entry, time_of)) for number, entry in enumerate(entries, 1)]


def _elements(text, position):
    """The values of an array from a position on; at the end a str for what can't be read."""
    decoder = json.JSONDecoder()
    while True:
        position = BETWEEN.match(text, position).end()  # type: ignore[union-attr]  # nothing between matches, too
        if text[position:position + 1] == "]":
            return
        if position == len(text):
            yield "the file is cut off"
            return
        try:
            value, position = decoder.raw_decode(text, position)
        except ValueError as error:
            at = f"character {getattr(error, 'pos', position)}"
            yield f"{BROKEN} (the rest from {at} on)"
            return
        except RecursionError:
            yield TOO_DEEP
            return
        yield value if isinstance(value, dict) else NO_OBJECT


def _object(line):
    try:
        value = json.loads(line)
    except ValueError:
        return BROKEN
    except RecursionError:
        return TOO_DEEP
    return value if isinstance(value, dict) else NO_OBJECT


def _comment(entry):
    if isinstance(entry, str):
        return entry
    return _made(_number(entry.get("content_offset_seconds")), _user(entry.get("commenter")),
                 _text(entry.get("message"), "body"))


def _clock(entries):
    """A function that reads the time of chat-downloader's entries, from the field that most of them have."""
    def sent(entry):
        value = _number(entry.get("timestamp"))
        return None if value is None else value / MICROSECONDS

    def into_the_video(entry):
        return _number(entry.get("time_in_seconds"))

    objects = [entry for entry in entries if isinstance(entry, dict)]
    return max((sent, into_the_video), key=lambda clock: sum(clock(entry) is not None for entry in objects))


def _item(entry, time_of):
    if isinstance(entry, str):
        return entry
    return _made(time_of(entry), _user(entry.get("author")), _text(entry, "message"))


def _made(time, user, text):
    missing = [name for name, value in (("time", time), ("user", user), ("text", text)) if value is None]
    if missing:
        return f"without {' and '.join(missing)}"
    return message(time, user, text) or "nothing in it can be printed"


def _number(value):
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e18
    return value if usable and math.isfinite(value) else None


def _user(value):
    """The login, as the stream of 2015 showed it, or else the user's display name."""
    return next((name for name in (_text(value, "name"), _text(value, "display_name")) if name), None)


def _text(value, key):
    text = value.get(key) if isinstance(value, dict) else None
    return text if isinstance(text, str) else None
