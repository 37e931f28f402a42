"""PyTorch's .pth and .safetensors, with the names of torchvision or of timm, alone or in a larger model or checkpoint."""

import contextlib
import json
import pickle
import struct
import warnings
import zipfile
from collections.abc import Iterator
from types import ModuleType

import numpy as np

from lsd_repro.convert import library
from lsd_repro.convert.stored import Array, Stored, only_one, quoted
from lsd_repro.errors import InputError
from lsd_repro.material.files import PathLike
from lsd_repro.network.layers import GROUPS, vgg_layers

# A pickled number that PyTorch wrote before its tensors until 2020.
LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
# torchvision's names, its first ones, which Justin Johnson's files have, and timm's.
TOPS = (("classifier.0", "classifier.3", "classifier.6"), ("classifier.1", "classifier.4", "classifier.6"),
        ("pre_logits.fc1", "pre_logits.fc2", "head.fc"))
FIRST = "features.0.weight"
# numpy has no BF16: it is the upper half of F32.
FLOATS = {"BF16": np.float32, "F16": np.float16, "F32": np.float32, "F64": np.float64}
# How deep a checkpoint's dicts are nested, and how long its names are.
DEEPEST, LONGEST = 4, 200


def load_torch() -> ModuleType:
    """PyTorch, or an InputError."""
    torch = library.load("torch", "torch>=2.6", "PyTorch's .pth")
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < (2, 6):
        raise InputError(f"PyTorch {torch.__version__} can be made to run code by such a file (CVE-2025-32434): "
                         "pip install 'torch>=2.6'")
    return torch


@contextlib.contextmanager
def opened(path: PathLike) -> Iterator[Stored]:
    """Open a .pth file, of today's format or the older one; yields a `Stored`.

    PyTorch itself loads it, and refuses all but tensors (``weights_only``).
    """
    torch = load_torch()
    in_zip = zipfile.is_zipfile(path)
    if in_zip:
        with zipfile.ZipFile(path) as archive:
            if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
                raise InputError("is compressed, which PyTorch's files are not")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tensors = torch.load(path, map_location="cpu", weights_only=True, mmap=in_zip or None)
    except pickle.UnpicklingError as error:
        raise InputError("holds more than tensors by name, and so could run code when it is loaded: refused; "
                         "from PyTorch, save model.state_dict() alone") from error
    if not isinstance(tensors, dict):
        raise InputError(f"holds a {type(tensors).__name__} and not tensors by name: save model.state_dict()")
    yield _stored({name: _tensor(tensor) for name, tensor in _tensors(torch, tensors)})


def _tensors(torch, checkpoint):
    """Names and tensors of a dict and those in it: ``state_dict.features.0.weight``; each dict once, since it may hold itself."""
    seen = {id(checkpoint)}

    def walk(part, prefix, depth):
        for name, value in part.items():
            if not isinstance(name, str) or len(name) > LONGEST:
                continue
            if isinstance(value, torch.Tensor):
                yield prefix + name, value
            elif isinstance(value, dict) and depth and id(value) not in seen:
                seen.add(id(value))
                yield from walk(value, f"{prefix}{name}.", depth - 1)

    return walk(checkpoint, "", DEEPEST)


def _tensor(tensor):
    kind = np.dtype(np.float32) if tensor.is_floating_point() else np.dtype(np.int64)
    return Array(tuple(tensor.shape), kind, lambda: tensor.detach().float().numpy())


@contextlib.contextmanager
def opened_safetensors(path: PathLike) -> Iterator[Stored]:
    """Open a .safetensors file; yields a `Stored`."""
    safetensors = library.load("safetensors", "safetensors>=0.4,<1", "a .safetensors file")
    with safetensors.safe_open(path, framework="numpy") as file:
        arrays = {}
        for name in file.keys():  # noqa: SIM118 (file is no dict)
            there = file.get_slice(name)
            kind, shape = there.get_dtype(), tuple(there.get_shape())
            arrays[name] = Array(shape, np.dtype(FLOATS.get(kind, np.float32)), _reader(path, file, name, kind, shape))
        yield _stored(arrays)


def _reader(path, file, name, kind, shape):
    """How to read a tensor of a file whose header the library has checked."""
    def read():
        if kind not in FLOATS:
            raise InputError(f"{quoted(name)} has numbers of type {kind}, and {', '.join(FLOATS)} are read")
        return _brain_floats(path, name).reshape(shape) if kind == "BF16" else file.get_tensor(name)

    return read


def _brain_floats(path, name):
    with open(path, "rb") as file:
        length, = struct.unpack("<Q", file.read(8))
        begin, end = json.loads(file.read(length))[name]["data_offsets"]
        file.seek(8 + length + begin)
        upper = np.frombuffer(file.read(end - begin), "<u2")
    found = upper.astype(np.uint32)
    found <<= 16
    return found.view(np.float32)


def _stored(arrays):
    """The only VGG among tensors, whatever stands before its names: ``module.``, ``state_dict.``, ``vgg.``, ..."""
    # PyTorch's own example of training wraps the convolutions alone.
    arrays = {name.replace("features.module.", "features."): array for name, array in arrays.items()}
    prefixes = [name[:-len(FIRST)] for name in arrays if name.endswith(FIRST)]
    parts = {prefix: _layers(arrays, prefix) for prefix in prefixes if prefix.endswith(".") or not prefix}
    prefix = only_one(parts or {"": {}})
    if any(name.startswith(f"{prefix}features.") and name.endswith("running_mean") for name in arrays):
        raise InputError("is a network with batch normalisation (vgg16_bn), which 2015's program did not have")
    return Stored(parts.get(prefix, {}), channels_last=False, order="RGB", normalised=True, where=prefix.rstrip("."))


def _layers(arrays, prefix):
    """The layers by torchvision's numbers, which count ReLUs and max-pools."""
    layers = vgg_layers(GROUPS[19 if f"{prefix}features.34.weight" in arrays else 16])
    names = {layer.name: f"features.{i}" for i, layer in enumerate(layers) if layer.name.startswith("conv")}
    names.update(zip(("fc6", "fc7", "fc8"), next((top for top in TOPS if f"{prefix}{top[0]}.weight" in arrays), TOPS[0])))
    pairs = {name: (f"{prefix}{own}.weight", f"{prefix}{own}.bias") for name, own in names.items()}
    return {name: (arrays[weights], arrays[biases]) for name, (weights, biases) in pairs.items()
            if weights in arrays and biases in arrays}
