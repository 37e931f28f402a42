"""A network's .mat file: MATLAB's variables, structs, cells and strings.

===========================  ===============================================
`load`, `save`               a file <-> its variables
`outline`                    a variable's contents, as text
`struct_of`, `texts_of`,     a variable's part, or an InputError
`single_of`
`cell_of`, `row_of`          Python -> what scipy writes as MATLAB would
`naming`                     puts the file's name before an error's message
===========================  ===============================================
"""

import contextlib
import os
import struct
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import scipy.io

from lsd_repro.errors import InputError
from lsd_repro.hints import Array, Floats
from lsd_repro.material.files import PathLike, write_whole
from lsd_repro.material.regular import check_regular

AGAIN = "download it again, or copy it again from where it is whole"
OTHER = ("the file wanted is MatConvNet's imagenet-vgg-verydeep-16.mat, "
         "or one of the networks that ship with this package")
INCOMPLETE = f"no MatConvNet network ({OTHER}), or incomplete ({AGAIN})"

VARIABLES = ("layers", "meta", "normalization", "classes")
# What `matconvnet` asks for in them.
FIELDS = ("name", "type", "method", "weights", "filters", "biases", "scale", "basis",
          "normalization", "averageImage", "classes", "description")

# A file is a header, then variables: kind, length, data.
HEADER = 128
KINDS = {"matrix": 14, "compressed": 15}


@contextlib.contextmanager
def naming(path: PathLike) -> Iterator[None]:
    """Put the file's name before the message of an InputError."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{os.fspath(path)}: {error}") from error.__cause__


def load(path: PathLike) -> dict[str, Any]:
    """Read the variables of a network's .mat file (MATLAB's ``-v6`` and ``-v7``).

    Returns
    -------
    dict of str to value
        Cells are lists, structs dicts, strings str and real arrays ndarrays; all
        else is None.
    """
    _check_container(path)
    try:
        with warnings.catch_warnings():
            # What scipy can't read it leaves out with a warning; here it is missed by name.
            warnings.simplefilter("ignore")
            found = scipy.io.loadmat(os.fspath(path), appendmat=False, variable_names=VARIABLES)
    except MemoryError as error:
        raise InputError("does not fit into memory: the VGG-16 of 528 MiB needs 1.3 GiB free") from error
    except Exception as error:  # a damaged file makes scipy raise nearly anything
        raise InputError(f"is damaged ({error or type(error).__name__}); {AGAIN}") from error
    return {name: _plain(found[name]) for name in VARIABLES if name in found}


def _check_container(path):
    """Check that this is a .mat file of version 5, and as long as its parts say.

    scipy notices a truncated file late, after allocating what is missing, or, if the
    cut falls between two variables, not at all.
    """
    try:
        check_regular(path)
        with open(path, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            head = stream.read(520)
            order = _byte_order(head)
            position = HEADER
            while position < size:
                stream.seek(position)
                kind, length = struct.unpack(order + "II", stream.read(8).ljust(8, b"\0"))
                if position + 8 <= size and kind not in KINDS.values():
                    raise InputError(f"is damaged at byte {position:,}; {AGAIN}")
                position += 8 + length
            if position != size or size == HEADER:
                raise InputError(f"is truncated: it has {size:,} bytes and should have more; {AGAIN}")
    except OSError as error:
        raise InputError(f"cannot be opened: {error.strerror}") from error


def _byte_order(head):
    """``"<"`` or ``">"``, from a file's first bytes."""
    if not head:
        raise InputError(f"is empty; {AGAIN}")
    if head.startswith(b"MATLAB 7.3") or b"\x89HDF" in (head[:4], head[512:516]):
        kind = "a MATLAB 7.3 file" if head.startswith(b"MATLAB") else "an HDF5 file, such as Keras's"
        raise InputError(f"is {kind}: 'lsd-repro convert' makes a .mat of it that is read here")
    if head[126:128] not in (b"IM", b"MI"):
        raise InputError(f"is not a .mat file; {OTHER}")
    return "<" if head[126:128] == b"IM" else ">"


def _plain(value):
    """A variable as scipy has it, with MATLAB's 1x1 wrappings taken off."""
    if not isinstance(value, np.ndarray):
        return None
    if value.dtype.names:
        return {name: _plain(value.flat[0][name]) for name in value.dtype.names} if value.size == 1 else None
    if value.dtype == object:
        return [_plain(entry) for entry in value.ravel(order="F")]
    if value.dtype.kind == "U":
        # str: numpy's own is one, too, but since numpy 2 shows itself as np.str_('...') in messages.
        return str(value.flat[0]) if value.size == 1 else "" if value.size == 0 else None
    return value if value.dtype.kind in "fiu" else None


def outline(value: Any, name: str, entries: int = 3) -> list[str]:
    """What lies where in a variable, as lines of text.

    Parameters
    ----------
    value : value
        As from `load`.
    name : str
        What to call it.
    entries : int
        How many entries of a longer cell to show.

    Returns
    -------
    list of str
    """
    if isinstance(value, dict):
        return [f"{name}: struct"] + [
            "    " + line for field, part in value.items() for line in outline(part, field, entries)]
    if isinstance(value, list):
        lines = [f"{name}: cell of {len(value)}"]
        for i, part in enumerate(value[:entries], 1):
            lines += ["    " + line for line in outline(part, f"{{{i}}}", entries)]
        return lines + ["    ..."] * (len(value) > entries)
    if isinstance(value, np.ndarray):
        return [f"{name}: {' x '.join(map(str, value.shape))} {value.dtype}"]
    return [f"{name}: {value!r}"]


def struct_of(value: Any, name: str) -> dict[str, Any]:
    """A struct; for anything else, an error."""
    if not isinstance(value, dict):
        raise InputError(f"{name} is missing or no struct: {INCOMPLETE}")
    return value


def texts_of(value: Any, name: str) -> tuple[str, ...]:
    """A cell of strings as a tuple."""
    if not isinstance(value, list):
        raise InputError(f"{name} is missing or no cell of strings, so classes have no names; {OTHER}")
    for i, entry in enumerate(value):
        if not isinstance(entry, str):
            raise InputError(f"{name}: entry {i} is no string; {OTHER}")
    return tuple(entry.strip() for entry in value)


def single_of(value: Any, what: str) -> Floats:
    """A real array of any type as float32; MATLAB stores whole numbers as integers."""
    if not isinstance(value, np.ndarray):
        raise InputError(f"{what} is missing or holds no real numbers; {OTHER}")
    with np.errstate(over="ignore", invalid="ignore"):  # a later check reports infinities
        return value.astype(np.float32, copy=False)


def cell_of(values: Sequence[Any]) -> Array:
    """A row of values as a MATLAB cell."""
    cell = np.empty((1, len(values)), object)
    for i, value in enumerate(values):
        cell[0, i] = value
    return cell


def row_of(*numbers) -> Floats:
    """A row of doubles, which is what MATLAB takes a list of numbers for."""
    return np.array([numbers], np.float64)


def save(path: PathLike, variables: dict[str, Any], compress: bool = False) -> None:
    """Write variables to a .mat file, which appears whole or not at all.

    Dicts become structs.
    """
    with write_whole(path) as part, open(part, "wb") as stream:
        scipy.io.savemat(stream, variables, do_compression=compress)
