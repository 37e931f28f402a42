"""Files that are written whole or not at all."""

import io
import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.hints import Array

PathLike = Union[str, "os.PathLike[str]"]

PART = ".part"  # what a file ends in that is not whole yet
DIGITS = 6  # significant ones, of numbers that pages keep


@contextmanager
def write_whole(path: PathLike) -> Iterator[Path]:
    """Write a file under another name and, once it is whole, put it in its place.

    Parameters
    ----------
    path : str or Path
        What lies there stays untouched until the ``with`` block is left without an
        exception, and is then replaced in one go.

    Yields
    ------
    Path
        Where to write meanwhile: beside `path`, a name of this process's own that ends in ``.part``.  Removed on any
        exception.

    Raises
    ------
    InputError
        For any OSError (no such folder, disk full, read-only), with path and reason.
    """
    path = Path(path)
    part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}{PART}")
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"can't write {path}: {error.strerror or error}; "
                         "name a place in a folder that exists and has room") from error
    finally:
        # Gone already where all went well.
        try:
            part.unlink()
        except OSError:
            pass


def is_part(path: Path) -> bool:
    """Whether a file's name is one that `write_whole` gives."""
    return re.fullmatch(rf".*\.\d+-\d+{re.escape(PART)}", path.name) is not None


def make_folder(path: PathLike) -> None:
    """Make a folder, and those above it, unless it is there; InputError if that fails, or nothing can be written there."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"can't make the folder {path}: {error.strerror or error}") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise InputError(f"can't write into the folder {path}: it is read-only, or someone else's; name another")


def check_place(path: PathLike) -> None:
    """InputError if a file can't be written to a path: asked before the work that it is to hold is done."""
    folder = Path(path).absolute().parent
    if Path(path).is_dir():
        raise InputError(f"can't write {path}: it is a folder; name a file")
    if not folder.is_dir():
        raise InputError(f"can't write {path}: there is no folder {folder}; make it first, or name another place")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"can't write {path}: its folder is read-only, or someone else's; name another place")


def write_bytes(path: PathLike, data: bytes) -> None:
    """Write `data` (bytes) to `path`, whole or not at all; see `write_whole`."""
    with write_whole(path) as part:
        part.write_bytes(data)


def write_array(path: PathLike, array: Array) -> None:
    """Write an array as .npy to `path`, whole or not at all; see `write_whole`."""
    with write_whole(path) as part, open(part, "wb") as file:
        np.save(file, array, allow_pickle=False)


def write_arrays(path: PathLike, **arrays: Any) -> None:
    """Write named arrays as .npz to `path`, whole or not at all; see `write_whole`."""
    # savez, broken off, leaves an archive that wants to end its file when it is collected: in memory it still can.
    whole = io.BytesIO()
    np.savez(whole, **arrays)
    with write_whole(path) as part:
        part.write_bytes(whole.getvalue())


def write_json(path: PathLike, value: Any, digits: Optional[int] = None) -> None:
    """Write text, numbers, and dicts and sequences of them as JSON to `path`, whole or not at all.

    Parameters
    ----------
    path : path
        See `write_whole`.
    value
        Written as `plain` makes it, in UTF-8, indented by one space, with a newline at the end.
    digits : int, optional
        See `plain`.
    """
    text = json.dumps(plain(value, digits), indent=1, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def read_tables(path: Path) -> dict[str, dict[str, Any]]:
    """Tables by name that `write_json` kept in a file, to be added to; none if there is no file.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
        if not isinstance(found, dict) or not all(isinstance(table, dict) for table in found.values()):
            raise ValueError("it holds something else")
        return found
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path}: can't be read ({reason}); delete it, and resume=True makes it anew") from error


def plain(value: Any, digits: Optional[int] = None) -> Any:
    """What JSON can say of a value.

    Parameters
    ----------
    value
        Text, numbers, arrays, and dicts and sequences of them.
    digits : int, optional
        Significant digits to round numbers to that are not whole (default: all).

    Returns
    -------
    str, int, float, bool, None, or dict or list of them
        Infinities and NaN, which JSON has no words for, are None.
    """
    if isinstance(value, dict):
        return {str(key): plain(item, digits) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, digits) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist(), digits)
    if isinstance(value, float):
        if not np.isfinite(value):
            return None
        return value if digits is None else float(f"{value:.{digits}g}")
    return value
