"""PyTorch's .pth and .safetensors, with the names of torchvision or of timm."""

import contextlib
import pickle
import warnings
import zipfile
from collections.abc import Iterator
from functools import partial

import numpy as np

from lsd_repro.convert import library
from lsd_repro.convert.stored import Array, Stored
from lsd_repro.errors import InputError
from lsd_repro.material.files import PathLike
from lsd_repro.network.layers import GROUPS, vgg_layers

# A pickled number that PyTorch wrote before its tensors until 2020.
LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
# torchvision's names and timm's.
TOPS = (("classifier.0", "classifier.3", "classifier.6"), ("pre_logits.fc1", "pre_logits.fc2", "head.fc"))
FLOATS = {"F16": np.float16, "F32": np.float32, "F64": np.float64}


@contextlib.contextmanager
def opened(path: PathLike) -> Iterator[Stored]:
    """Open a .pth file, of today's format or the older one; yields a `Stored`.

    PyTorch itself loads it, and refuses all but tensors (``weights_only``).
    """
    torch = library.load("torch", "torch>=2.6", "PyTorch's .pth")
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < (2, 6):
        raise InputError(f"PyTorch {torch.__version__} can be made to run code by such a file (CVE-2025-32434): "
                         "pip install 'torch>=2.6'")
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
    yield _stored({name: _tensor(tensor) for name, tensor in tensors.items()
                   if isinstance(name, str) and isinstance(tensor, torch.Tensor)})


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
            if there.get_dtype() not in FLOATS:
                raise InputError(f"{name} has numbers of type {there.get_dtype()}, and {', '.join(FLOATS)} are read")
            arrays[name] = Array(tuple(there.get_shape()), np.dtype(FLOATS[there.get_dtype()]),
                                 partial(file.get_tensor, name))
        yield _stored(arrays)


def _stored(arrays):
    """The layers by torchvision's numbers, which count ReLUs and max-pools."""
    if any(name.endswith("running_mean") for name in arrays):
        raise InputError("is a network with batch normalisation (vgg16_bn), which 2015's program did not have")
    layers = vgg_layers(GROUPS[19 if "features.34.weight" in arrays else 16])
    names = {layer.name: f"features.{i}" for i, layer in enumerate(layers) if layer.name.startswith("conv")}
    names.update(zip(("fc6", "fc7", "fc8"), next((top for top in TOPS if f"{top[0]}.weight" in arrays), TOPS[0])))
    return Stored({name: (arrays[f"{own}.weight"], arrays[f"{own}.bias"]) for name, own in names.items()
                   if {f"{own}.weight", f"{own}.bias"} <= arrays.keys()},
                  channels_last=False, order="RGB", normalised=True)
