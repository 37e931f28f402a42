"""Chats exported as lines: raw IRC with tags, Chatterino's log, TwitchDownloader's text."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Optional, Union

from lsd_repro.chat.messages import Message, message

IRC, DATED, CLOCK = "raw IRC", "text with dates", "text with times of day"

IRC_LINE = re.compile(r"(?:@(?P<tags>\S+) +)?(?::(?P<user>[^\s!]+)\S* +)?(?P<command>[A-Z]+|\d{3})(?: +(?P<rest>.*))?")
SENT = re.compile(r"(?:^|;)tmi-sent-ts=(\d{1,15})(?:;|$)")  # milliseconds
SAID = r"([^\s:]+(?: \(\w+\))?): ?(.*)"
DATED_LINE = re.compile(r"\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?) UTC\] " + SAID)
CLOCK_LINE = re.compile(r"\[(\d{1,4}):([0-5]\d):([0-5]\d(?:\.\d{1,6})?)\] +(?:#\S+ +)?" + SAID)
STARTED = re.compile(r"# Start logging at (\d{4}-\d\d-\d\d) ")
OF_NO_ACCOUNT = re.compile(r"\s*$|# St(art|op) logging at ")
UNTIMED = re.compile(r"[^\s:]+: ")

DAY = 86400


def read(lines: Sequence[bytes]) -> tuple[str, list[tuple[str, Union[Message, str]]]]:
    """Read a line-wise export.

    Parameters
    ----------
    lines : sequence of bytes

    Returns
    -------
    format : str
        The one that most messages have.
    entries : list of (str, Message or str)
        For each line that counts its place, such as ``line 3``, and its message, or why there
        is none.
    """
    read_at: list[tuple[str, Any, Union[Message, str]]] = []
    clock = _TimesOfDay()
    for number, encoded in enumerate(lines, 1):
        place = f"line {number}"
        try:
            line = encoded.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            read_at.append((place, None, "not UTF-8"))
            continue
        started = STARTED.match(line)
        if started:
            clock.start(started.group(1))
        if not OF_NO_ACCOUNT.match(line):
            read_at.append((place, *_line(line, clock)))
    kinds = Counter(kind for _, kind, found in read_at if not isinstance(found, str))
    # Their clocks start at different times.
    chosen = kinds.most_common(1)[0][0] if kinds else CLOCK
    return chosen, [(place, found if isinstance(found, str) or kind == chosen else f"{kind} among {chosen}")
                    for place, kind, found in read_at]


def _line(line, clock):
    """The kind of a line, and a Message or why there is none."""
    dated = DATED_LINE.match(line)
    if dated:
        try:
            when = datetime.fromisoformat(_padded(dated.group(1))).replace(tzinfo=timezone.utc)
        except ValueError:
            return DATED, "no such date"
        return DATED, _made(when.timestamp(), *dated.groups()[1:])
    timed = CLOCK_LINE.match(line)
    if timed:
        hours, minutes, seconds, user, text = timed.groups()
        return CLOCK, _made(clock.seconds(int(hours), 60 * int(minutes) + float(seconds)), user, text)
    irc = IRC_LINE.match(line) if line[0] in "@:" or line.startswith("PING") else None
    if irc:
        return IRC, _irc(irc)
    if UNTIMED.match(line):
        return None, "without time"
    return None, "not understood"


def _irc(line):
    if line["command"] != "PRIVMSG":
        return "no chat message"
    sent = SENT.search(line["tags"] or "")
    channel, colon, text = (line["rest"] or "").partition(" :")
    if not line["user"] or not colon or not channel.startswith("#"):
        return "cut off"
    if not sent:
        return "without time"
    action = re.match("\x01ACTION (.*?)\x01?$", text)
    return _made(int(sent.group(1)) / 1000, line["user"], action.group(1) if action else text)


def _made(time, user, text):
    return message(time, user, text) or "nothing in it can be printed"


def _padded(stamp):
    """With six digits of a second, as Python before 3.11 wants it."""
    whole, dot, fraction = stamp.partition(".")
    return whole + dot + fraction.ljust(6, "0") if dot else whole


class _TimesOfDay:
    """Turns times of day into seconds, across midnight and changes of date."""

    def __init__(self):
        self._day: float = 0
        self._last: Optional[float] = None

    def start(self, date):
        """From here on the date is (at first) this one."""
        try:
            self._day = (datetime.fromisoformat(date) - datetime(1970, 1, 1)) / timedelta(days=1)
        except ValueError:
            return
        self._last = None

    def seconds(self, hours, rest):
        time = self._day * DAY + 3600 * hours + rest
        if self._last is not None and time < self._last - DAY / 2:
            self._day += 1
            time += DAY
        self._last = time
        return time
