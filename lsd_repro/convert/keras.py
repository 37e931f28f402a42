"""Keras's .h5: weights alone or a whole model, of Keras 1 to 3."""

import contextlib
from collections.abc import Iterator
from functools import partial
from types import ModuleType

from lsd_repro.convert import library
from lsd_repro.convert.stored import Array, Stored
from lsd_repro.errors import InputError
from lsd_repro.material.files import PathLike
from lsd_repro.network.layers import GROUPS, weight_layers_of

# How deep below a layer's group its arrays lie, and how many members of a group are looked at.
DEEPEST, MOST_MEMBERS = 3, 1000


def load_h5py() -> ModuleType:
    """The library, or an InputError."""
    return library.load("h5py", "h5py>=3.8,<4", "Keras's .h5")


@contextlib.contextmanager
def opened(path: PathLike) -> Iterator[Stored]:
    """Open such a file; yields a `Stored`.

    Only what lies in the file itself is read, since HDF5 can link to other files.  Compressed data is
    refused: it can unfold to any size, and Keras's files hold none.  Attributes are not read: those
    of a whole model hold its code.
    """
    h5py = load_h5py()
    with h5py.File(path, "r") as file:
        yield Stored(_layers(h5py, file), channels_last=True, order="BGR")


def _layers(h5py, file):
    """Arrays by layer.  Layers of Keras 3's .weights.h5 have no names of their own: they are counted."""
    root = _member(h5py, file, "model_weights") or file
    counted = _member(h5py, root, "layers")
    if counted is not None:
        convolutions = _counted(counted, "conv2d")
        names = weight_layers_of(GROUPS[19 if len(convolutions) == 16 else 16])
        pairs = [*zip(convolutions, names), *zip(_counted(counted, "dense"), ("fc6", "fc7", "fc8"))]
        root = counted
    else:
        pairs = [(f"block{group}_conv{i}", f"conv{group}_{i}") for group in range(1, 6) for i in range(1, 5)]
        pairs += [("fc1", "fc6"), ("fc2", "fc7"), ("predictions", "fc8")]
    found = {name: _member(h5py, root, own) for own, name in pairs}
    return {name: _pair(h5py, group, name) for name, group in found.items() if isinstance(group, h5py.Group)}


def _counted(group, kind):
    """``conv2d``, ``conv2d_1``, ... as far as they go."""
    names = [kind]
    while names[-1] in group and len(names) < MOST_MEMBERS:
        names.append(f"{kind}_{len(names)}")
    return names[:-1]


def _member(h5py, group, name):
    """A member that lies in this file; None if there is none."""
    if isinstance(group.get(name, getlink=True), h5py.HardLink):
        return group[name]
    return None


def _pair(h5py, group, name):
    """Weights and biases of a layer: the only arrays of two or four dimensions, and of one, below its group."""
    datasets = list(_datasets(h5py, group, DEEPEST))
    weights, biases = ([each for each in datasets if len(each.shape) in dimensions] for dimensions in ((2, 4), (1,)))
    if not len(weights) == len(biases) == 1:
        raise InputError(f"{name}: {len(weights)} arrays of weights and {len(biases)} of biases, one of each expected")
    return tuple(Array(each.shape, each.dtype, partial(each.__getitem__, ())) for each in (*weights, *biases))


def _datasets(h5py, group, depth):
    if len(group) > MOST_MEMBERS:
        raise InputError(f"{group.name} has {len(group):,} members: no file of Keras's")
    for name in group:
        member = _member(h5py, group, name)
        if isinstance(member, h5py.Dataset) and member.shape is not None:
            if member.is_virtual or member.external:
                raise InputError(f"{member.name} is kept in another file, which is not opened")
            if member.id.get_create_plist().get_nfilters():
                raise InputError(f"{member.name} is compressed, which Keras's files are not")
            yield member
        elif isinstance(member, h5py.Group) and depth:
            yield from _datasets(h5py, member, depth - 1)
