"""Tells OpenBLAS what processor it runs on, where that is newer than OpenBLAS, and not to keep it busy for nothing.

OpenBLAS knows processors by family and model.  One that it has never heard of gets
kernels that run on any x86-64: a quarter of the speed on a processor of 2023 with
the OpenBLAS of 2022 that Theano needs (see `lsd_repro.runtime.find.find_blas`).

After a matrix product its threads look out for the next one for 2^26 cycles, some 20 milliseconds, and take
the processor from the Ops of `lsd_repro.ops`, which have threads of their own.
"""

import ctypes
import os
from pathlib import Path

# What a processor must have, and the kernels that OpenBLAS itself takes for known ones that have it.
CORE_TYPES = (
    ({"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}, "SkylakeX"),
    ({"avx2", "fma"}, "Haswell"),
)

# 2^16 cycles, some 20 microseconds: enough where products follow each other.
THREAD_TIMEOUT = "16"


def instruct_openblas(cpuinfo="/proc/cpuinfo"):
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


def core_type(cpuinfo):
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


def kernels(library):
    """Name of the kernels that an OpenBLAS uses here.

    Parameters
    ----------
    library : path
        Empty if it is not known.

    Returns
    -------
    str or None
        None if it is another BLAS.
    """
    return _ask(library).get("architecture")


def threads(library):
    """Number of threads that an OpenBLAS uses here; None if it is another BLAS (see `kernels`)."""
    return _ask(library).get("num_threads")


def _ask(library):
    """What threadpoolctl, which knows the names of OpenBLAS's functions in every build, says of a library."""
    from threadpoolctl import threadpool_info

    if not library:
        return {}
    loaded = ctypes.CDLL(str(library))
    found = [pool for pool in threadpool_info() if pool["internal_api"] == "openblas"]
    # By handle, as a system's library is known by its name alone.
    return next((pool for pool in found if ctypes.CDLL(pool["filepath"])._handle == loaded._handle), {})
