"""Tells OpenBLAS which processor it runs on, if that is newer than OpenBLAS, and stops its threads from idling at full speed.

OpenBLAS knows processors by family and model.  One that it has never heard of gets
kernels that run on any x86-64: a quarter of the speed on a processor of 2023 with
the OpenBLAS of 2022 that Theano needs (see `lsd_repro.runtime.toolchain.find_blas`).

After a matrix product its threads spin for 2^26 cycles, some 20 milliseconds, waiting for the next, and take
the processor away from the Ops of `lsd_repro.ops`, which have threads of their own.
"""

import ctypes
import os
from pathlib import Path
from typing import NamedTuple, Optional, Union

# What a processor must have, and the kernels that OpenBLAS itself takes for known ones that have it.
CORE_TYPES = (
    ({"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}, "SkylakeX"),
    ({"avx2", "fma"}, "Haswell"),
)

# 2^16 cycles, some 20 microseconds: enough where products follow each other.
THREAD_TIMEOUT = "16"


def instruct_openblas(cpuinfo: Union[str, Path] = "/proc/cpuinfo") -> None:
    """Set ``OPENBLAS_CORETYPE`` by what the processor has, and ``OPENBLAS_THREAD_TIMEOUT``, unless they are set.

    It works for libraries that are loaded later, so it is called before numpy and
    scipy are imported where that can be.

    Parameters
    ----------
    cpuinfo : path
        Where Linux describes the processor; without it no kernels are chosen.
    """
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", THREAD_TIMEOUT)
    if "OPENBLAS_CORETYPE" in os.environ:
        return
    found = core_type(Path(cpuinfo).read_text()) if Path(cpuinfo).exists() else None
    if found:
        os.environ["OPENBLAS_CORETYPE"] = found


def core_type(cpuinfo: str) -> Optional[str]:
    """Name of the OpenBLAS kernels for a processor of Intel or AMD.

    Parameters
    ----------
    cpuinfo : str
        As Linux has it in ``/proc/cpuinfo``.

    Returns
    -------
    str or None
        None where OpenBLAS should choose.
    """
    fields = dict(line.split(":", 1) for line in cpuinfo.splitlines() if ":" in line)
    values = {name.strip(): value.strip() for name, value in fields.items()}
    if values.get("vendor_id") not in ("GenuineIntel", "AuthenticAMD"):
        return None
    flags = set(values.get("flags", "").split())
    return next((name for needed, name in CORE_TYPES if needed <= flags), None)


class Library(NamedTuple):
    """What a BLAS library says of itself.

    Attributes
    ----------
    kernels : str or None
        The name of those that it uses; None if it is no OpenBLAS.
    threads : int
        That a product may take.
    """

    kernels: Optional[str]
    threads: int


def inspect(path: Union[str, Path]) -> Optional[Library]:
    """What a BLAS library says of itself in this process.

    Parameters
    ----------
    path : path
        Of the library, which is loaded, or the name by which the system finds it; empty if it is not known.

    Returns
    -------
    Library or None
        None if it is not known, or of a kind that threadpoolctl does not know.
    """
    if not path:
        return None
    from threadpoolctl import threadpool_info

    # The handle is the same by whatever name a library is asked for; a system one may be known by no folder.
    handle = ctypes.CDLL(str(path))._handle
    for found in threadpool_info():
        if ctypes.CDLL(found["filepath"])._handle == handle:
            return Library(found.get("architecture"), found["num_threads"])
    return None


def kernels(path: Union[str, Path]) -> Optional[str]:
    """Name of the kernels that an OpenBLAS uses here; None for another BLAS.  See `inspect`."""
    found = inspect(path)
    return found and found.kernels
