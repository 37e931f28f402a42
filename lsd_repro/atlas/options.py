"""The options that a sweep gives a dream, which are those of ``lsd-repro frames``: `asked`."""

import difflib
from typing import Any

from lsd_repro.errors import InputError, OptionError
from lsd_repro.presets import FILMED
from lsd_repro.production import values
from lsd_repro.production.spec import OPTIONS, Spec

# What a sweep has in a way of its own.
LEFT_OUT = "classes", "schedule", "chat"
KNOWN = {name.replace("_", "-"): option for name, option in OPTIONS.items() if name not in LEFT_OUT}


def asked(options: dict[str, Any]) -> Spec:
    """What a dream of these options is asked for, classes aside.

    Parameters
    ----------
    options : dict of str to value
        Text, numbers, booleans, or lists of them.

    Returns
    -------
    Spec

    Raises
    ------
    InputError
        Naming the option.
    """
    given: dict[str, Any] = {}
    for name, value in options.items():
        if name not in KNOWN:
            close = difflib.get_close_matches(name, [*KNOWN, "classes"], n=1)
            raise InputError(f"there is no {name[:40]!r}" + (f"; did you mean {close[0]}?" if close else "")
                             + f" A sweep knows: classes, {', '.join(KNOWN)}")
        option = KNOWN[name]
        flag = option.default is False
        if isinstance(value, bool) != flag:
            raise InputError(f"{name} must be {'true or false' if flag else 'a value'}, not {str(value)[:40].lower()}")
        if isinstance(value, list):
            if not option.metadata["many"]:
                raise InputError(f"{name} takes one value, not a list; in [swept] its list holds the values to try")
            value = list(map(str, value))
        given[option.name] = value if flag or isinstance(value, list) else str(value)
    try:
        values.one_of(FILMED)(given.get("preset", Spec.preset))
        return Spec(**given)
    except OptionError as error:
        raise InputError(f"{error.option.replace('_', '-')}: {error.reason}") from error
    except ValueError as error:
        raise InputError(f"preset: {error}") from error
