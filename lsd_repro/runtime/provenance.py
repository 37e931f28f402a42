"""What a result depends on beside its parameters: the versions of what computed it, and the machine."""

import contextlib
import os
import platform
from importlib import metadata
from typing import Optional

from lsd_repro.runtime import device, openblas, toolchain


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a run's result depends on."""
    packages = "lsd_repro", "Theano-PyMC", "Lasagne", "numpy", "scipy", "scikit-image", "Pillow", "imageio-ffmpeg"
    found = {"Python": platform.python_version()}
    for package in packages:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def machine() -> dict[str, Optional[str]]:
    """Device, BLAS, its kernels and threads: on other ones results agree but for rounding.

    Returns
    -------
    dict of str to str or None

    Raises
    ------
    StackError
        If there is no BLAS, or Theano's flags can't be read.
    """
    blas = toolchain.find_blas()
    asked = os.getenv("OPENBLAS_NUM_THREADS") or os.getenv("OMP_NUM_THREADS")
    return {"device": device.asked(), "BLAS": f"{blas.kind} {os.path.basename(blas.path)}".strip(),
            "BLAS kernels": openblas.kernels(blas.path), "threads": asked or str(os.cpu_count())}
