"""Keras's .h5: weights alone or a whole model, of Keras 1 to 3; also of a model that has the network as a layer."""

import contextlib
from collections.abc import Iterator
from functools import partial
from types import ModuleType

from lsd_repro.convert import hdf5
from lsd_repro.convert.stored import Array, Stored, only_one
from lsd_repro.errors import InputError
from lsd_repro.material.files import PathLike
from lsd_repro.network.layers import GROUPS, weight_layers_of

# How deep below a layer's group its arrays lie, and models in models.
DEEPEST, DEEPEST_MODEL = 3, 8
# Keras's applications have names for their layers; elsewhere they are counted, from these on.
NAMED, COUNTED = "block1_conv1", "conv2d"


def load_h5py() -> ModuleType:
    """The library, or an InputError."""
    return hdf5.load_h5py("Keras's .h5")


@contextlib.contextmanager
def opened(path: PathLike) -> Iterator[Stored]:
    """Open such a file; yields a `Stored`.

    Only what lies in the file itself is read, since HDF5 can link to other files.  Compressed data is
    refused: it can unfold to any size, and Keras's files hold none.  Attributes are not read: those
    of a whole model hold its code.
    """
    h5py = load_h5py()
    with h5py.File(path, "r") as file:
        root = hdf5.member(h5py, file, "model_weights") or file
        models = {"": root, **{path: found for path, found in hdf5.below(h5py, root, DEEPEST_MODEL)
                               if isinstance(found, h5py.Group)}}
        parts = {path: _layers(h5py, group) for path, group in models.items()}
        where = only_one({path: layers for path, layers in parts.items() if layers} or {"": {}})
        arrays = {name: _pair(h5py, group, name) for name, group in parts[where].items()}
        # Of Keras 3, a model's layers lie in a group of that name.
        model = f"/{where}".removesuffix("/layers").strip("/")
        yield Stored(arrays, channels_last=True, order="BGR", where=model)


def _layers(h5py, model):
    """Groups of the layers that lie in a model's group, by layer."""
    if hdf5.member(h5py, model, NAMED) is not None:
        pairs = [(f"block{group}_conv{i}", f"conv{group}_{i}") for group in range(1, 6) for i in range(1, 5)]
        pairs += [("fc1", "fc6"), ("fc2", "fc7"), ("predictions", "fc8")]
    elif hdf5.member(h5py, model, COUNTED) is not None:
        convolutions = _counted(h5py, model, COUNTED)
        names = weight_layers_of(GROUPS[19 if len(convolutions) == 16 else 16])
        pairs = [*zip(convolutions, names), *zip(_counted(h5py, model, "dense"), ("fc6", "fc7", "fc8"))]
    else:
        return {}
    found = {name: hdf5.member(h5py, model, own) for own, name in pairs}
    return {name: group for name, group in found.items() if isinstance(group, h5py.Group)}


def _counted(h5py, model, kind):
    """``conv2d``, ``conv2d_1``, ... as far as they go."""
    names = [kind]
    while hdf5.member(h5py, model, names[-1]) is not None:
        names.append(f"{kind}_{len(names)}")
    return names[:-1]


def _pair(h5py, group, name):
    """Weights and biases of a layer: the only arrays of two or four dimensions, and of one, below its group."""
    datasets = [found for _, found in hdf5.below(h5py, group, DEEPEST)
                if isinstance(found, h5py.Dataset) and found.shape is not None]
    for each in datasets:
        if not hdf5.plain(each, name):
            raise InputError(f"{name} is compressed, which Keras's files are not")
    weights, biases = ([each for each in datasets if len(each.shape) in dimensions] for dimensions in ((2, 4), (1,)))
    if not len(weights) == len(biases) == 1:
        raise InputError(f"{name}: {len(weights)} arrays of weights and {len(biases)} of biases, one of each expected")
    return tuple(Array(each.shape, each.dtype, partial(each.__getitem__, ())) for each in (*weights, *biases))
