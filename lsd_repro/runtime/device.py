"""The device that Theano computes on: cpu, cuda, cuda0, cuda1, ...

`choose` is what the option ``device`` does; `problems` says what a GPU lacks before Theano is
imported, because Theano itself would log an error and fall back to the CPU.  The option wins
over ``THEANO_FLAGS``, which wins over ``.theanorc``.
"""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from lsd_repro.errors import InputError, StackError
from lsd_repro.runtime.flags import overridden, user_flags
from lsd_repro.runtime.gpu import cuda
from lsd_repro.runtime.toolchain import find_compiler

NAMES = re.compile(r"cpu|cuda\d*")

VERIFIED = "verified on an NVIDIA H200 (docs/gpu.md); here, lsd-repro doctor with verify_gpu=True does it"

GET_PYGPU = ("install version 0.7.6 (Debian 12: sudo apt install python3-pygpu libgpuarray-dev, and make the virtual "
             "environment with python3.11 -m venv --system-site-packages; conda: conda install -c conda-forge pygpu)")


def choose(name: str) -> None:
    """Compute on a device, in this process and those that it starts.

    Parameters
    ----------
    name : str
        ``"cpu"``, ``"cuda"``, or ``"cuda0"`` and so on.

    Raises
    ------
    InputError
        If Theano is already on another device.
    """
    if "theano" in sys.modules and name != asked():
        raise InputError(f"the device cannot be changed to {name}: Theano is already on {asked()} in this process")
    os.environ["THEANO_FLAGS"] = overridden(os.getenv("THEANO_FLAGS"), {"device": name})


def asked() -> str:
    """The device that is asked for, by ``THEANO_FLAGS`` (where `choose` notes it) or ``.theanorc``.

    Returns
    -------
    str

    Raises
    ------
    StackError
        For a device, or an option for several, that lsd_repro does not know.
    """
    flags = user_flags()
    name = flags.get("device", "cpu")
    if not NAMES.fullmatch(name):
        raise StackError(f"device={name} (THEANO_FLAGS or .theanorc) is none of cpu, cuda, cuda0, cuda1, ...")
    for option in ("init_gpu_device", "contexts"):
        if flags.get(option):
            raise StackError(f"{option}={flags[option]} (THEANO_FLAGS or .theanorc): lsd_repro computes on one device; "
                             "say device=cuda instead")
    return name


def problems(name: str) -> list[str]:
    """List what a device lacks.

    Parameters
    ----------
    name : str

    Returns
    -------
    list of str
        One message for each piece, saying how to get it; empty if all is there.
    """
    if name == "cpu":
        return []
    if sys.platform != "linux":
        return [f"device={name}: GPUs are used on Linux only"]
    found = []

    def attempt(function, *arguments):
        try:
            return function(*arguments)
        except StackError as error:
            found.append(f"device={name}: {error}")

    attempt(check_pygpu)
    driver = attempt(cuda.find_driver)
    gpu = driver and attempt(find_gpu, driver, name)
    nvrtc = attempt(cuda.find_nvrtc, driver)
    attempt(cuda.find_cublas, driver)
    if gpu and nvrtc:
        attempt(cuda.check_capability, gpu, nvrtc)
    return found


def find_gpu(driver: cuda.Library, name: str) -> cuda.Gpu:
    """The GPU that a device name means; `StackError` if there is none.

    Parameters
    ----------
    driver : Library
        From `lsd_repro.runtime.gpu.cuda.find_driver`.
    name : str
        ``"cuda"`` is the first.

    Returns
    -------
    Gpu
    """
    gpus = cuda.find_gpus(driver)
    index = int(name[len("cuda"):] or 0)
    if index >= len(gpus):
        raise StackError(f"the driver sees {len(gpus)} GPU{'s' * (len(gpus) > 1)}, cuda0 to cuda{len(gpus) - 1}")
    return gpus[index]


def check_pygpu() -> str:
    """Raise `StackError` where pygpu is missing, or what a compiler needs to link against libgpuarray.

    Returns
    -------
    str
        The version of pygpu.
    """
    if importlib.util.find_spec("pygpu") is None:
        raise StackError(f"pygpu, which Theano uses GPUs through, is not installed for this Python: {GET_PYGPU}")
    try:
        import pygpu
    except Exception as error:  # compiled for another numpy anything can come up
        raise StackError(f"pygpu cannot be imported ({type(error).__name__}: {error}): {GET_PYGPU}") from error
    compiler = find_compiler()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "version.cpp")
        source.write_text("#include <gpuarray/config.h>\n#include <gpuarray/buffer.h>\n"
                          "int main() { return gpu_get_platform_count == 0; }\n")
        result = subprocess.run(
            [compiler, str(source), "-o", str(Path(folder, "version")), f"-I{pygpu.get_include()}",
             f"-I{sys.exec_prefix}/include", f"-L{sys.exec_prefix}/lib", "-lgpuarray"], capture_output=True, text=True)
    if result.returncode:
        reason = next((line for line in result.stderr.splitlines() if "error" in line or "cannot find" in line), "")
        raise StackError(f"libgpuarray's headers or library cannot be compiled against ({reason.strip()}): "
                         "Debian 12: sudo apt install libgpuarray-dev; conda: conda install -c conda-forge pygpu")
    return pygpu.__version__


def rows() -> list[tuple[str, str]]:
    """What `lsd-repro doctor` says about GPUs.

    Returns
    -------
    list of (str, str)
        Piece, and what was found of it.
    """
    if sys.platform != "linux":
        return [("GPU", "on Linux only")]

    found = []

    def add(piece, function, *arguments):
        try:
            value = function(*arguments)
        except StackError as error:
            found.append((piece, f"none: {error}"))
            return None
        found.append((piece, "; ".join(map(str, value)) if isinstance(value, list) else str(value)))
        return value

    add("pygpu", check_pygpu)
    driver = add("NVIDIA driver", cuda.find_driver)
    if driver:
        add("GPUs", cuda.find_gpus, driver)
    add("NVRTC", cuda.find_nvrtc, driver)
    add("cuBLAS", cuda.find_cublas, driver)
    return [*found, ("GPU path", VERIFIED)]
