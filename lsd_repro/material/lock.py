"""One process at a time in a run's folder."""

import fcntl
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Callable, TypeVar

from lsd_repro.errors import InputError
from lsd_repro.material.files import PART, PathLike, is_part, make_folder

RECORD = "run.json"  # only a run's folder has it; in another, nothing is removed
Result = TypeVar("Result")


@contextmanager
def alone(out: PathLike) -> Iterator[None]:
    """Keep other processes out of a folder, which is made if it is absent.

    The lock is on the folder itself and goes with the process, however that ends.  What an earlier one left half written
    is removed.

    Parameters
    ----------
    out : path
        What is no folder is left to whoever writes there.

    Raises
    ------
    InputError
        If another run is writing there.
    """
    out = Path(out)
    if out.exists() and not out.is_dir():
        yield
        return
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    make_folder(out)
    folder = os.open(out, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(folder, out)
        if (out / RECORD).exists():
            for part in filter(is_part, out.rglob(f"*{PART}")):
                part.unlink(missing_ok=True)
        yield
    finally:
        os.close(folder)
        # Whoever refuses to write leaves nothing behind.
        with suppress(OSError):
            for empty in made:
                empty.rmdir()


def one_at_a_time(function: Callable[..., Result]) -> Callable[..., Result]:
    """Make a function whose first argument is the folder that it writes hold `alone` of it meanwhile."""
    @functools.wraps(function)
    def locked(out: PathLike, *arguments: Any, **named: Any) -> Result:
        with alone(out):
            return function(out, *arguments, **named)
    return locked


def _lock(folder: int, out: Path) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(f"{out} is being written to by {_holder(folder)}: wait for it, or choose another folder") from None
    except OSError:  # some file systems of a network know no locks
        pass


def _holder(folder: int) -> str:
    """Who has locked a folder, as far as Linux tells."""
    with suppress(OSError):
        for line in Path("/proc/locks").read_text().splitlines():
            # 1: FLOCK  ADVISORY  WRITE 1234 08:01:131 0 EOF
            fields = line.split()
            if fields[1] == "FLOCK" and int(fields[-3].rpartition(":")[2]) == os.fstat(folder).st_ino:
                return f"process {fields[-4]}"
    return "another process"
