"""What a user calls a class -> its index (no Theano).

A class's *description* is a WordNet lemma list, such as ``spider web, spider's
web``; each of its *terms* names the class.

The chat of 2015 took a term (whole, in any case of letters), failing that a single
word of any description, and drew one of several classes at random; a list of stop
words never matched.  `resolve` looks in the same order and then for a beginning,
but asks instead of drawing, which needs no stop words.  Before all that it looks for a whole
description: 'harp' is a class of ILSVRC 2012, and a term of the harmonica, too.
"""

import difflib
import re
from collections.abc import Sequence

from lsd_repro.errors import InputError

LIST_THEM = "'lsd-repro classes' lists all"
SHOWN = 10  # candidates that a message lists; more would hide the sentence


def terms(description: str) -> list[str]:
    """Split a description at its commas: ``"king penguin, Aptenodytes patagonica"`` -> two terms."""
    return [term.strip() for term in description.split(",") if term.strip()]


def caption_name(description: str) -> str:
    """The name that a caption shows: the first term."""
    return (terms(description) or [""])[0]


def resolve(query: str, descriptions: Sequence[str]) -> int:
    """Find the class that a query means.

    Parameters
    ----------
    query : str
        A whole description, a term, a word of one, the beginning of either, or an index as text.
    descriptions : sequence of str
        One for each class.

    Returns
    -------
    int
        The index of the class.

    Raises
    ------
    InputError
        If several classes match equally well (it lists them with their indices), or
        none does (it lists close names).
    """
    wanted = query.strip().casefold()
    if not wanted:
        raise InputError("an empty class name: give a name or an index")
    if re.fullmatch(r"[+-]?\d+", wanted):
        # More digits than Python turns into a number are no index either.
        index = int(wanted) if len(wanted) < 10 else -1
        if not 0 <= index < len(descriptions):
            raise InputError(f"no class {query.strip()[:20]}: the indices are 0 to {len(descriptions) - 1}; {LIST_THEM}")
        return index

    whole = [i for i, description in enumerate(descriptions) if description.casefold() == wanted]
    if len(whole) == 1:
        return whole[0]
    names = [[term.casefold() for term in terms(description)] for description in descriptions]
    words = [[word for name in own for word in name.split()] for own in names]
    for found in ([i for i, own in enumerate(names) if wanted in own],
                  [i for i, own in enumerate(words) if wanted in own],
                  [i for i, own in enumerate(names)
                   if any(name.startswith(wanted) for name in own + words[i])]):
        if len(found) == 1:
            return found[0]
        if found:
            raise InputError(f"{query.strip()!r} fits {len(found)} classes, {_listed(found, descriptions)}; "
                             "give a whole name, or the index where the names are the same")
    raise InputError(_unknown(query.strip(), descriptions))


def _unknown(query, descriptions):
    """The message for a query that no class matches."""
    whose: dict[str, int] = {}
    for i, description in enumerate(descriptions):
        for term in terms(description):
            for name in [term] + term.split():
                whose.setdefault(name.casefold(), i)
    close = difflib.get_close_matches(query[:60].casefold(), whose, n=SHOWN)
    indices = list(dict.fromkeys(whose[name] for name in close))[:5]
    hint = f"did you mean {_listed(indices, descriptions)}? " if indices else ""
    return f"no class is called {query[:60]!r}; {hint}{LIST_THEM}"


def _listed(indices, descriptions):
    """Candidates in words: ``134 (crane), 517 (crane)``."""
    listed = ", ".join(f"{i} ({descriptions[i]})" for i in indices[:SHOWN])
    return listed + (f" and {len(indices) - SHOWN} more" if len(indices) > SHOWN else "")
