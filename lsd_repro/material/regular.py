"""Files of anyone's, read only if they are files, and no further than they should be long (no numpy)."""

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it imports numpy
    from lsd_repro.material.files import PathLike

_KINDS = ((stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"), (stat.S_ISFIFO, "a pipe"),
          (stat.S_ISSOCK, "a socket"))


def check_regular(path: "PathLike") -> None:
    """OSError, with a reason, for what is not read like a file: /dev/zero has no end, and a pipe may never begin."""
    mode = os.stat(path).st_mode
    for is_one, kind in _KINDS:
        if is_one(mode):
            raise OSError(errno.EINVAL, f"it is {kind}: name a file")


def read_bytes(path: "PathLike", most: int) -> bytes:
    """The whole of a file of at most so many bytes; OSError, with a reason, for a larger one or as `check_regular`."""
    check_regular(path)
    with open(path, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most >> 20} MiB")
    return data
