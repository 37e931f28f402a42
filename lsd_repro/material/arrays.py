"""Arrays out of files that anyone may have made: what a file claims is looked at before memory is given to it."""

import hashlib
import lzma
import math
import re
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Collection
from typing import Optional

import numpy as np

from lsd_repro.hints import Array
from lsd_repro.material.files import PathLike
from lsd_repro.material.regular import check_regular

# What numpy and zipfile raise on files that are no arrays, cut short, damaged, encrypted, pickled, or made to harm.
UNREADABLE = (OSError, ValueError, EOFError, KeyError, TypeError, OverflowError, MemoryError, SyntaxError, RuntimeError,
              struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)

# Bytes of an array; the largest that is read here, a frame or a moment, has 100 million.
LARGEST = 2 << 30

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npy(path: PathLike) -> Array:
    """Read an ``.npy`` file.

    Returns
    -------
    ndarray

    Raises
    ------
    One of `UNREADABLE`
        For a file that is not one, is damaged, or claims to be larger than `LARGEST`.
    """
    check_regular(path)
    with open(path, "rb") as file:
        return _read(file)


def read_npz(path: PathLike, names: Optional[Collection[str]] = None) -> dict[str, Array]:
    """Read arrays of an ``.npz`` file.

    Parameters
    ----------
    path : path
    names : collection of str, optional
        Which to read, as far as they are there; others stay unread.  Default: all.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    One of `UNREADABLE`
        As `read_npy`.
    """
    check_regular(path)
    with zipfile.ZipFile(path) as archive:
        members = {member.removesuffix(".npy"): member for member in archive.namelist() if member.endswith(".npy")}
        found = {}
        for name, member in members.items():
            if names is None or name in names:
                with archive.open(member) as file:
                    found[name] = _read(file)
        return found


def reason(error: BaseException) -> str:
    """What is wrong with a file, in a line, from what reading it raised."""
    if isinstance(error, MemoryError):
        return "it does not fit into memory"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, KeyError) and re.fullmatch(r"\S+", str(error.args[0])):
        return f"it has no {error.args[0]}"
    return (str(error).splitlines() or [""])[0][:200] or type(error).__name__


def _read(file):
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"version {version[0]}.{version[1]} of numpy's format is not read here")
    shape, fortran_order, dtype = _HEADERS[version](file)
    if dtype.hasobject:
        raise ValueError("it holds pickled objects, which are not read")
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize > LARGEST:
        raise ValueError(f"its shape {str(shape)[:60]} is not to be believed")
    count = math.prod(shape)
    data = file.read(count * dtype.itemsize)
    if len(data) != count * dtype.itemsize:
        raise ValueError(f"it ends after {len(data)} of {count * dtype.itemsize} bytes")
    array = np.frombuffer(bytearray(data), dtype, count)
    return array.reshape(shape[::-1]).T if fortran_order else array.reshape(shape)


def digest(*arrays: Array) -> str:
    """SHA-256 of arrays, their shapes and types."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(f"{array.shape} {array.dtype}".encode())
        sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()
