"""A sweep: which dreams an atlas has, from a TOML file.

The keys are the options of ``lsd-repro frames``.  Those of the table ``fixed`` hold for all dreams; each of the
table ``swept`` is a list, and every combination of their entries is a dream::

    [fixed]
    weights = "small"
    size = "256x256"

    [swept]
    classes = "all"             # or a list of names, BOTTOM+TOP among them
    prior-strength = [2, 10]
    octaves = [["2:4", "1:6"], "1:10"]
"""

import itertools
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from lsd_repro.errors import InputError
from lsd_repro.material.files import PathLike
from lsd_repro.material.regular import read_bytes

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ALL = "all"
CLASSES = "classes"
# A minute for each would be ten weeks.
MAX_DREAMS = 100_000
LARGEST = 1 << 20  # bytes
_TABLES = "fixed", "swept"


class Sweep(NamedTuple):
    """What a sweep's file says, well-formed, and otherwise unchecked.

    Attributes
    ----------
    path : Path
        Of the file.
    fixed : dict of str to value
        Values are text, numbers, booleans, or lists of them.
    swept : dict of str to list of values
        Without the classes.
    classes : list of str, "all" or None
        What is dreamt of; None: what the preset shows.
    """

    path: Path
    fixed: dict[str, Any]
    swept: dict[str, Any]
    classes: Any


def read(path: PathLike) -> Sweep:
    """Read a sweep's file.

    Parameters
    ----------
    path : path

    Returns
    -------
    Sweep

    Raises
    ------
    InputError
        For a file that can't be read, is no TOML, or holds what a sweep has no use for.
    """
    path = Path(path)
    try:
        # utf-8-sig: some editors begin with a byte order mark.
        found = tomllib.loads(read_bytes(path, LARGEST).decode("utf-8-sig"))
    except OSError as error:
        raise InputError(f"can't read the sweep {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"the sweep {path} is not UTF-8 text") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path} is not TOML: {(str(error).splitlines() or ['it can not be read'])[0][:200]}") from error
    for name, table in found.items():
        if name not in _TABLES:
            raise InputError(f"{path}: {name[:40]!r} is out of place: a sweep has the tables [fixed] and [swept]")
        if not isinstance(table, dict):
            raise InputError(f"{path}: {name} must be a table: write [{name}] on a line of its own, and its keys below it")
    fixed, swept = (found.get(name, {}) for name in _TABLES)
    for key in fixed.keys() & swept.keys():
        raise InputError(f"{path}: {key[:40]} is both in [fixed] and in [swept]: leave one out")
    for key, value in fixed.items():
        _check(path, f"[fixed] {key}", value)
    for key, values in swept.items():
        if (key, values) == (CLASSES, ALL):
            continue
        if not isinstance(values, list) or not values:
            raise InputError(f"{path}: [swept] {key[:40]} must be a list of at least one value; what is the same for all dreams "
                             "belongs in [fixed]")
        for value in values:
            _check(path, f"[swept] {key}", value)
    classes = _classes(path, fixed.pop(CLASSES, None), swept.pop(CLASSES, None))
    if math.prod(map(len, swept.values())) > MAX_DREAMS:
        raise InputError(f"{path}: more than {MAX_DREAMS:,} combinations: cross fewer or shorter lists")
    return Sweep(path, fixed, swept, classes)


def combinations(sweep: Sweep) -> Iterator[dict[str, Any]]:
    """The options of each combination of a sweep, classes aside.

    Yields
    ------
    dict of str to value
        Fixed options first; of those that are swept the last varies fastest.
    """
    for values in itertools.product(*sweep.swept.values()):
        yield {**sweep.fixed, **dict(zip(sweep.swept, values))}


def _classes(path, fixed, swept):
    if fixed is None and swept in (None, ALL):
        return swept
    classes = [fixed] if swept is None else swept
    for name in classes:
        if not isinstance(name, str):
            raise InputError(f"{path}: classes: {str(name)[:40]} is not the name of a class; several are a list in [swept]")
    return ALL if classes == [ALL] else classes


def _check(path, place, value):
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, (str, int, float, bool)):
            raise InputError(f"{path}: {place[:60]} must be text, a number, true or false, or a list of them")
    if value == []:
        raise InputError(f"{path}: {place[:60]} is an empty list")
