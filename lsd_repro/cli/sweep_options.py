"""The options of a sweep: those of ``lsd-repro frames``, checked as they are there."""

import argparse
import difflib
from typing import Any

from lsd_repro.errors import InputError

# Options of a film that are none of its pictures', and the classes, which a sweep has in a way of its own.
LEFT_OUT = "classes", "schedule", "out", "resume"


def understood(parser: argparse.ArgumentParser, options: dict[str, Any]) -> argparse.Namespace:
    """Options by name -> what the command line makes of them.

    Parameters
    ----------
    parser : ArgumentParser
        Of ``frames``, made with ``exit_on_error=False``.
    options : dict of str to value
        Text, numbers, booleans, or lists of them.

    Returns
    -------
    Namespace

    Raises
    ------
    InputError
        Naming the option.
    """
    known = {action.option_strings[0].removeprefix("--"): action for action in parser._actions if action.dest not in LEFT_OUT}
    arguments = []
    for name, value in options.items():
        if name not in known:
            close = difflib.get_close_matches(name, [*known, "classes"], n=1)
            raise InputError(f"there is no {name[:40]!r}" + (f"; did you mean {close[0]}?" if close else "")
                             + f" A sweep knows: classes, {', '.join(known)}")
        flag = known[name].nargs == 0
        if isinstance(value, bool) != flag:
            raise InputError(f"{name} must be {'true or false' if flag else 'a value'}, not {str(value)[:40].lower()}")
        if isinstance(value, list):
            if known[name].nargs is None:
                raise InputError(f"{name} takes one value, not a list; in [swept] its list holds the values to try")
            arguments += [f"--{name}", *map(str, value)]
        elif value is not False:
            arguments.append(f"--{name}" if flag else f"--{name}={value}")
    try:
        return parser.parse_args(arguments)
    except argparse.ArgumentError as error:
        raise InputError(f"{error.argument_name.removeprefix('--')}: {error.message}") from error
