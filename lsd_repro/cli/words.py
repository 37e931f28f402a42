"""The library's messages in the command line's words: `as_typed`."""

import re
from collections.abc import Iterable

# Options that are typed otherwise than Python calls them.
TYPED = {"target": "class", "theirs": "with"}


def as_typed(message: str, names: Iterable[str], given: Iterable[str] = ()) -> str:
    """A message with options as they are typed: ``--prior-kind tv`` for ``prior_kind=tv``, ``--prior`` for ``prior=``.

    Parameters
    ----------
    message : str
        Of the library, which names options as Python has them.
    names : iterable of str
        Of options, as Python has them.  What else has an equals sign behind it stays as it is, as does an option's name
        within a path, quotes or a list of values.
    given : iterable of str
        What was typed: a file called ``frames=3.txt`` keeps its name.

    Returns
    -------
    str
    """
    known = "|".join(sorted(map(re.escape, names), key=len, reverse=True))

    own = "".join(f"{re.escape(word)}|" for word in given if "=" in word)

    def option(found):
        name, value = found.groups()
        if name is None:
            return found[0]
        return f"--{TYPED.get(name, name).replace('_', '-')}" + {"True": "", "": ""}.get(value, f" {value}")

    # Nothing is typed for a value that is True or missing; a host may be two colons.
    return re.sub(rf"{own}(?<![\w./'\"=,-])({known})=(True\b|:(?=\S)|[^\s,;:)]?)", option, message)
