"""A message of the chat, and the part of it that is fit to be shown."""

import unicodedata
from typing import NamedTuple, Optional

LONGEST_TEXT = 500  # characters, as on Twitch
LONGEST_USER = 25  # as on Twitch


class Message(NamedTuple):
    """What somebody said.

    Attributes
    ----------
    time : float
        Seconds, since the log or the stream began.
    user, text : str
    """

    time: float
    user: str
    text: str


def printable(text: str, longest: int) -> str:
    """`text` on one line, without invisible characters.

    Control characters, marks that change the writing direction, and lone surrogates are
    removed; white space becomes single spaces.

    Parameters
    ----------
    text : str
    longest : int
        Characters to keep.

    Returns
    -------
    str
    """
    # Four times as many as are kept: enough for what is removed, and a bound on the work.
    seen = (" " if character.isspace() else character for character in text[:4 * longest])
    kept = "".join(character for character in seen if not unicodedata.category(character).startswith("C"))
    return " ".join(kept.split())[:longest].rstrip()


def message(time: float, user: str, text: str) -> Optional[Message]:
    """A Message of strings that may contain anything; None if nothing of user or text is left."""
    user, text = printable(user, LONGEST_USER), printable(text, LONGEST_TEXT)
    return Message(float(time), user, text) if user and text else None
