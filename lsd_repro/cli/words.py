"""The library's messages in the command line's words: `as_typed`."""

import re
from collections.abc import Iterable

# Options that are typed otherwise than Python calls them.
TYPED = {"target": "class", "theirs": "with"}


def as_typed(message: str, names: Iterable[str]) -> str:
    """A message with options as they are typed: ``--prior-kind tv`` for ``prior_kind=tv``, ``--prior`` for ``prior=``.

    Parameters
    ----------
    message : str
        Of the library, which names options as Python has them.
    names : iterable of str
        Of options, as Python has them.  What else has an equals sign behind it stays as it is, as does an option's name
        within a path or quotes.

    Returns
    -------
    str
    """
    known = "|".join(sorted(map(re.escape, names), key=len, reverse=True))

    def option(found):
        name, value = found.groups()
        return f"--{TYPED.get(name, name).replace('_', '-')}" + {"True": "", "": ""}.get(value, f" {value}")

    return re.sub(rf"(?<![\w./'\"=-])({known})=(True\b|[^\s,;:)]?)", option, message)
