"""What CUDA there is on this machine, asked without Theano; brought to where libgpuarray looks.

==============  ================================================================
`find_driver`   NVIDIA's driver
`find_gpus`     the GPUs that it sees
`find_nvrtc`    the compiler of GPU kernels
`find_cublas`   the BLAS of the GPU
`link_names`    makes libgpuarray find these under the names that it knows
==============  ================================================================

libgpuarray 0.7.6 asks the loader for ``libcuda.so``, ``libnvrtc.so`` and
``libcublas.so``, names that only NVIDIA's packages for developers have; wheels and
packages for users have ``libnvrtc.so.12``.  All functions that it looks for are still
in the libraries of CUDA 11, 12 and 13.
"""

import ctypes
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from lsd_repro.errors import StackError

# libgpuarray 0.7.6 has room for two digits of compute capability; a newer GPU runs code for 9.0.
NEWEST_CAPABILITY = (9, 0)

# Newest first; the number behind .so is 11.2 for NVRTC of CUDA 11.2 to 11.8.
_NUMBERS = ("13", "12", "11.2", "11.1", "11.0", "11", "10.2", "10.1", "10.0", "10")

_ANY = (99, 99)

_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76  # CUdevice_attribute

_STUB = """
typedef int attribute_of(int *value, int attribute, int device);
extern "C" attribute_of *real;
attribute_of *real;
extern "C" int cuDeviceGetAttribute(int *value, int attribute, int device) {
  int error = real(value, attribute, device);
  if (error || (attribute != 75 && attribute != 76)) return error;
  int major, minor;
  if ((error = real(&major, 75, device)) || (error = real(&minor, 76, device))) return error;
  if (10 * major + minor > CAP) *value = attribute == 75 ? CAP / 10 : CAP % 10;
  return 0;
}
"""


@dataclass(frozen=True)
class Library:
    """A library of CUDA's: where it lies, its (major, minor) version, and itself."""

    path: str
    version: tuple[int, ...]
    handle: Any

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.version))} ({self.path})"


@dataclass(frozen=True)
class Gpu:
    """A GPU: its name, and its compute capability as (major, minor)."""

    name: str
    capability: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name}, compute capability {'.'.join(map(str, self.capability))}"


def find_driver() -> Library:
    """Find NVIDIA's driver.

    Returns
    -------
    Library
        Its version is that of the newest CUDA it serves.

    Raises
    ------
    StackError
        If it is missing.
    """
    for name in ("libcuda.so.1", "libcuda.so"):
        handle = _load(name)
        if handle is not None:
            version = ctypes.c_int()
            handle.cuDriverGetVersion(ctypes.byref(version))
            return Library(_path(handle.cuInit), (version.value // 1000, version.value % 1000 // 10), handle)
    raise StackError(
        "NVIDIA's driver was not found (libcuda.so.1): install it and restart (Debian: sudo apt install nvidia-driver, "
        "from non-free; Ubuntu: sudo ubuntu-drivers install; in a container: docker run --gpus all)")


def find_gpus(driver: Library) -> list[Gpu]:
    """Ask the driver for its GPUs.

    Parameters
    ----------
    driver : Library

    Returns
    -------
    list of Gpu
        At least one.

    Raises
    ------
    StackError
        If there is none, or the driver does not start.
    """
    error = driver.handle.cuInit(0)
    count = ctypes.c_int()
    if not error:
        driver.handle.cuDeviceGetCount(ctypes.byref(count))
    if error == 100 or (not error and count.value == 0):  # CUDA_ERROR_NO_DEVICE
        raise StackError(
            f"NVIDIA's driver is there (CUDA {driver}) but sees no GPU: does nvidia-smi list one, does "
            "CUDA_VISIBLE_DEVICES hide it, was the container started with --gpus all?")
    if error:
        raise StackError(f"NVIDIA's driver is there (CUDA {driver}) but does not start ({_error_name(driver, error)}): "
                         "restart the machine, and see what nvidia-smi says")
    return [_gpu(driver, index) for index in range(count.value)]


def _gpu(driver, index):
    device, name, value = ctypes.c_int(), ctypes.create_string_buffer(256), ctypes.c_int()
    driver.handle.cuDeviceGet(ctypes.byref(device), index)
    driver.handle.cuDeviceGetName(name, len(name), device)
    capability = []
    for attribute in (_CAPABILITY_MAJOR, _CAPABILITY_MINOR):
        driver.handle.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
        capability.append(value.value)
    return Gpu(name.value.decode(errors="replace"), tuple(capability))


def _error_name(driver, error):
    text = ctypes.c_char_p()
    driver.handle.cuGetErrorName(error, ctypes.byref(text))
    return f"{text.value.decode() if text.value else 'error'}, {error}"


def find_nvrtc(driver: Optional[Library] = None) -> Library:
    """Find an NVRTC, the compiler of GPU kernels, that fits the driver.

    Parameters
    ----------
    driver : Library, optional
        Default: any NVRTC fits.

    Returns
    -------
    Library

    Raises
    ------
    StackError
        If there is none, or only newer ones, whose code the driver refuses.
    """
    def version(handle):
        major, minor = ctypes.c_int(), ctypes.c_int()
        handle.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
        return major.value, minor.value

    newest = driver.version if driver else _ANY
    package = _package("cuda-nvrtc", newest, ".".join(map(str, newest)))
    return _fitting("nvrtc", "nvrtcVersion", version, "NVRTC, the compiler of GPU kernels,", newest, package)


def find_cublas(driver: Optional[Library] = None) -> Library:
    """Find a cuBLAS that fits the driver.

    Parameters
    ----------
    driver : Library, optional
        Default: any cuBLAS fits.

    Returns
    -------
    Library

    Raises
    ------
    StackError
        If there is none, or only one of a newer CUDA than the driver serves.
    """
    def version(handle):
        values = []
        for kind in (0, 1):  # MAJOR_VERSION, MINOR_VERSION
            value = ctypes.c_int()
            handle.cublasGetProperty(kind, ctypes.byref(value))
            values.append(value.value)
        return tuple(values)

    # Within a major version NVIDIA keeps libraries and drivers compatible, but for the code that NVRTC writes.
    newest = (driver.version[0], 99) if driver else _ANY
    return _fitting("cublas", "cublasGetProperty", version, "cuBLAS", newest, _package("cublas", newest, newest[0]))


def _package(name, newest, version):
    """What pip installs the library from, for a driver that serves `newest`."""
    if newest is _ANY:
        return f"nvidia-{name}-cu12"
    return f"'nvidia-{name}=={version}.*'" if newest[0] > 12 else f"'nvidia-{name}-cu{newest[0]}=={version}.*'"


def _fitting(stem, symbol, version_of, what, newest, package):
    """The first library of this stem that is not newer than `newest`."""
    too_new = []
    for name in _places(stem):
        handle = _load(name)
        if handle is not None:
            library = Library(_path(getattr(handle, symbol)), version_of(handle), handle)
            if library.version <= newest:
                return library
            too_new.append(library)
    if too_new:
        raise StackError(f"{what} is newer than NVIDIA's driver serves: {too_new[0]}; update the driver, "
                         f"or pip install {package}")
    raise StackError(f"{what} was not found (lib{stem}.so): pip install {package}, or install NVIDIA's CUDA toolkit "
                     "and name its folder in CUDA_PATH")


def _places(stem):
    """Names under which a library could load: where the user says, what the loader finds, where else it gets installed."""
    yield from _files(stem, filter(None, map(os.getenv, ("CUDA_PATH", "CUDA_HOME"))))
    yield from (f"lib{stem}.so", *(f"lib{stem}.so.{number}" for number in _NUMBERS))
    wheels = (path for entry in sys.path for path in sorted(Path(entry or ".").glob("nvidia/*"), reverse=True))
    yield from _files(stem, ("/usr/local/cuda", sys.prefix, *wheels))


def _files(stem, roots):
    for root in roots:
        for folder in ("lib64", "lib"):
            for number in _NUMBERS:
                path = Path(root, folder, f"lib{stem}.so.{number}")
                if path.exists():
                    yield str(path.resolve())


class _SymbolInfo(ctypes.Structure):  # Dl_info
    _fields_ = [("path", ctypes.c_char_p), ("base", ctypes.c_void_p),
                ("name", ctypes.c_char_p), ("address", ctypes.c_void_p)]


def _path(function):
    """The file that a function of a loaded library comes from."""
    info = _SymbolInfo()
    ctypes.CDLL(None).dladdr(ctypes.cast(function, ctypes.c_void_p), ctypes.byref(info))
    return os.path.realpath(info.path.decode())


def _load(name):
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


def capabilities(nvrtc: Library) -> list[tuple[int, int]]:
    """Compute capabilities that an NVRTC compiles for, as (major, minor), lowest first; empty if it can't say."""
    try:
        count = ctypes.c_int()
        nvrtc.handle.nvrtcGetNumSupportedArchs(ctypes.byref(count))
        archs = (ctypes.c_int * count.value)()
        nvrtc.handle.nvrtcGetSupportedArchs(archs)
    except AttributeError:  # before CUDA 11.2
        return []
    return [divmod(arch, 10) for arch in sorted(archs)]


def check_capability(gpu: Gpu, nvrtc: Library) -> None:
    """Raise `StackError` for a GPU that is too old for this NVRTC.

    Parameters
    ----------
    gpu : Gpu
    nvrtc : Library
    """
    least = min(capabilities(nvrtc), default=(3, 0))
    if gpu.capability < least:
        raise StackError(
            f"the GPU ({gpu}) is too old for NVRTC {nvrtc}, which compiles for compute capability "
            f"{least[0]}.{least[1]} and newer: install an older one (pip install nvidia-cuda-nvrtc-cu12 nvidia-cublas-cu12 "
            "for 5.0 and newer, the same with cu11 for 3.5 and newer)")


def link_names(compiler: str, driver: Library, nvrtc: Library, cublas: Library) -> None:
    """Make libgpuarray find driver, NVRTC and cuBLAS, and get a compute capability that it can use.

    For each name that it asks the loader for, a library is loaded that has this name
    and nothing in it but a link to the real one; the loader takes a name that it has
    loaded before it searches.  The one for the driver reports at most the newest
    capability that both libgpuarray and NVRTC know: newer GPUs run code for older ones.

    Parameters
    ----------
    compiler : str
        Path of a C++ compiler.
    driver, nvrtc, cublas : Library
    """
    major, minor = min([NEWEST_CAPABILITY, *capabilities(nvrtc)[-1:]])
    stub = _link(compiler, "libcuda.so", driver, f"#define CAP {10 * major + minor}\n{_STUB}")
    real = ctypes.cast(driver.handle.cuDeviceGetAttribute, ctypes.c_void_p)
    ctypes.c_void_p.in_dll(stub, "real").value = real.value
    _link(compiler, "libnvrtc.so", nvrtc)
    _link(compiler, "libcublas.so", cublas)


def _link(compiler, name, library, code=""):
    with tempfile.TemporaryDirectory() as folder:
        source, stub = Path(folder, "stub.cpp"), Path(folder, "stub.so")
        source.write_text(code)
        result = subprocess.run(
            [compiler, "-shared", "-fPIC", str(source), "-o", str(stub), f"-Wl,-soname,{name}", "-Wl,--no-as-needed",
             library.path], capture_output=True, text=True)
        if result.returncode:
            raise StackError(f"{name} cannot be linked to {library.path}: {result.stderr.strip()}")
        return ctypes.CDLL(str(stub))  # for good, though its file goes

