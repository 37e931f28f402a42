"""VGG-16 or VGG-19 in MatConvNet's .mat file <-> `NetworkWeights` (no Theano).

============  ==========================================================
`read`        a .mat file of any of the three layouts, checked
`network_of`  the same from a file's variables
`write`       a .mat file in the layout of today, exact or in few bits
============  ==========================================================

Three layouts were published over the years: the oldest (to about beta7), that of
2015's stream (the "beta16" directory), and today's.  They differ in the position and the
nesting of fields, so fields are found by name, never by position.

A file of ours may hold filters in 8 bits, which MatConvNet itself could not use.  It
follows today's layout but for two fields of each such layer:

===========  ===============================================================
``weights``  cell of filters, int8 (height, width, in, out), and biases, single (out, 1)
``scale``    single (out, 1): the factor of each filter's int8 values
===========  ===============================================================

fc6 may be stored as coefficients of groups of channels, which `separable` expands:

===========  ===============================================================
``weights``  cell of coefficients and biases; the former a cell of one int8
             (functions, functions, in, channels) for each group, one group's channels after another's
``basis``    cell of one single (size, functions) for each group, size being the same in all;
             smaller filters have rows of zeros above and below
``scale``    as above, of coefficients
===========  ===============================================================
"""

from collections.abc import Sequence
from typing import Any, Optional

import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.hints import Floats
from lsd_repro.material.files import PathLike
from lsd_repro.network.layers import GROUPS, convolutions, least_side, vgg_layers, weight_layers_of
from lsd_repro.network.matfile import (
    AGAIN,
    INCOMPLETE,
    OTHER,
    cell_of,
    load,
    naming,
    row_of,
    save,
    single_of,
    struct_of,
    texts_of,
)
from lsd_repro.network.quantise import dequantise, quantise, significant
from lsd_repro.network.separable import expand, project
from lsd_repro.network.weights import NetworkWeights, check

# What coefficients may expand to: fc6 of 2014, 411 MB.
MOST_EXPANDED = 4096 * 512 * 7 * 7


def read(path: PathLike) -> NetworkWeights:
    """Read a VGG-16 or VGG-19 from MatConvNet's .mat file.

    2015 quirk: fields by position (by name here).

    Parameters
    ----------
    path : str or path-like
        A file of the oldest layout (``filters`` and ``biases`` in each layer), of
        that of 2015 (``weights``) or of today's (``meta``); of the last also with
        filters in 8 bits (``scale``) and fc6 as coefficients (``basis``).

    Returns
    -------
    NetworkWeights

    Raises
    ------
    InputError
        If the file is missing, unreadable, incomplete or not a VGG; the message
        names the file, the layer and the remedy.

    Notes
    -----
    scipy's arrays and those made from them are in memory together: twice the file's
    528 MiB for the real network.
    """
    with naming(path):
        return network_of(load(path))


def network_of(variables: dict[str, Any]) -> NetworkWeights:
    """The network that a file's variables make; see `read`.

    Parameters
    ----------
    variables : dict of str to value
        As from `lsd_repro.network.matfile.load`.

    Raises
    ------
    InputError
    """
    layers = variables.get("layers")
    if layers is None:
        raise InputError(f"holds no readable variable 'layers': {INCOMPLETE}")
    weights, biases = _read_layers(layers)
    meta = variables.get("meta")
    about = variables if meta is None else struct_of(meta, "meta")
    normalization = struct_of(about.get("normalization"), "normalization")
    classes = struct_of(about.get("classes"), "classes")
    network = NetworkWeights(
        weights, biases, np.array(single_of(normalization.get("averageImage"), "normalization.averageImage")),
        texts_of(classes.get("description"), "classes.description"),
        texts_of(classes["name"], "classes.name") if "name" in classes else ())
    check(network, OTHER, AGAIN)
    return network


def write(path: PathLike, network: NetworkWeights, bits: Optional[int] = None,
          fc6: Optional[Sequence[tuple[int, Floats]]] = None) -> None:
    """Write a VGG-16 or VGG-19 as a .mat file in MatConvNet's layout of today.

    The file appears whole or not at all.

    Parameters
    ----------
    path : str or path-like
    network : NetworkWeights
    bits : int, optional
        How many bits to keep of each weight, 2 to 24, in a file that is compressed;
        biases and average image are kept as they are.  Up to 8, filters are stored as
        int8 with a scale for each output channel, chosen for the least squared error.
        More are significant bits: the filters are still stored as single, as MATLAB
        knows no half precision, and it is their zero bits that compress.
        Default: all, uncompressed.
    fc6 : sequence of (int, array), optional
        Store fc6 as coefficients of as many bits: for each group of its channels how many they are, and
        the basis, float32 (size, functions), in which their filters lie.

    Raises
    ------
    InputError
        If `network` is not a VGG, `bits` is out of range, fc6's filters don't lie in the bases, or the file
        can't be written.
    """
    if bits is not None and bits not in range(2, 25):
        raise InputError(f"{bits} bits a weight: must be 2 to 24")
    if fc6 is not None and not (bits and bits <= 8):
        raise InputError(f"fc6 as coefficients: they are stored in 2 to 8 bits, not {bits or 'exactly'}")
    with naming(path):
        check(network, OTHER, AGAIN)
        layers = _layer_structs(network, bits, fc6)
    save(path, {"layers": cell_of(layers), "meta": _meta(network)}, compress=bits is not None)


# The layers.

def _read_layers(layers):
    """Weights and biases of the layers that have them."""
    if not isinstance(layers, list):
        raise InputError(f"'layers' is no cell, so this is no MatConvNet SimpleNN network; {OTHER}")
    layers = [struct_of(fields, f"layer {i} of {len(layers)}") for i, fields in enumerate(layers, 1)]
    names = weight_layers_of(_check_sequence(layers))

    weights, biases = [], []
    for name, fields in zip(names, (fields for fields in layers if _kind(fields) == "conv")):
        filters, bias = _parameters(fields, name)
        weights.append(_expanded(filters, fields["basis"], fields.get("scale"), name) if "basis" in fields else
                       _filters(filters, fields.get("scale"), name))
        biases.append(np.array(single_of(bias, f"{name}: biases").ravel()))
    return tuple(weights), tuple(biases)


def _filters(filters, scale, name):
    """Filters as Lasagne has them, of a layer with a scale or (None) without."""
    in_8_bits = isinstance(filters, np.ndarray) and filters.dtype == np.int8
    if in_8_bits != (scale is not None):
        raise InputError(f"{name}: " + ("filters are int8, but there is no readable 'scale'" if in_8_bits else
                                        "there is a 'scale', but filters are not int8") + f"; {OTHER}")
    if not in_8_bits:
        filters = single_of(filters, f"{name}: filters")
    filters = _from_matlab(filters, name)
    if in_8_bits:
        return dequantise(filters, _checked_scale(scale, len(filters), name))
    return np.array(filters, order="C")


def _from_matlab(filters, name):
    """(height, width, in, out) -> (out, in, height, width)."""
    if filters.ndim > 4:
        raise InputError(f"{name}: filters have shape {filters.shape} and not (height, width, in, out); {OTHER}")
    # MATLAB drops trailing dimensions of size one.
    return filters.reshape(filters.shape + (1,) * (4 - filters.ndim)).transpose(3, 2, 0, 1)


def _expanded(groups, bases, scale, name):
    """Filters as Lasagne has them, of a layer stored as the coefficients of groups of channels."""
    if name != "fc6":
        raise InputError(f"{name}: there is a 'basis', which only fc6 may have; {OTHER}")
    if not (isinstance(groups, list) and isinstance(bases, list) and 0 < len(groups) == len(bases)):
        raise InputError(f"{name}: filters and 'basis' are not cells of as many groups; {OTHER}")
    if not all(isinstance(group, np.ndarray) and group.dtype == np.int8 for group in groups):
        raise InputError(f"{name}: there is a 'basis', but coefficients are not int8; {OTHER}")
    groups = [_from_matlab(group, name) for group in groups]
    bases = [single_of(basis, f"{name}: basis") for basis in bases]
    size, into = len(bases[0]), groups[0].shape[1]
    for group, basis in zip(groups, bases):
        # As (out, in, rows, columns).
        functions = basis.shape[-1]
        if basis.ndim != 2 or not 0 < functions <= size or len(basis) != size:
            raise InputError(f"{name}: a basis has shape {basis.shape} and not {size} x (1 to {size}); {OTHER}")
        if group.shape[1:] != (into, functions, functions):
            raise InputError(f"{name}: coefficients of {group.shape[2]} x {group.shape[3]} functions and "
                             f"{group.shape[1]} channels, {functions} x {functions} and {into} expected; {OTHER}")
        if not np.isfinite(basis).all():
            raise InputError(f"{name}: a basis holds NaN or infinity: damaged; {AGAIN}")
    out = sum(map(len, groups))
    if out * into * size ** 2 > MOST_EXPANDED:
        raise InputError(f"{name}: coefficients make {size}x{size} filters from {into} channels to {out}: more than "
                         f"{MOST_EXPANDED:,} weights; {OTHER}")
    scales = np.split(_checked_scale(scale, out, name), np.cumsum([len(group) for group in groups])[:-1])
    filters = np.empty((out, into, size, size), np.float32)
    first = 0
    for group, basis, its_scale in zip(groups, bases, scales):
        expand(dequantise(group, its_scale), basis, filters[first:first + len(group)])
        first += len(group)
    return filters


def _checked_scale(scale, filters, name):
    """The scales of this many filters, none so large that a weight becomes infinite."""
    scale = single_of(scale, f"{name}: scale").ravel()
    if len(scale) != filters:
        raise InputError(f"{name}: {filters} filters but {len(scale)} scales; {OTHER}")
    if not ((0 <= scale) & (scale <= np.finfo(np.float32).max / 128)).all():
        raise InputError(f"{name}: a scale is negative, NaN or too large: damaged; {AGAIN}")
    return scale


def _kind(fields):
    """A layer's type; from what it holds where the file doesn't say; else None."""
    if "type" in fields:
        return fields["type"] if isinstance(fields["type"], str) else None
    return "conv" if "weights" in fields or "filters" in fields else None


def _check_sequence(layers):
    """Check that the layers are those of a VGG-16 or VGG-19, in order; returns its groups.

    Dropout does nothing in a trained network, and the softmax comes after the
    logits, so both may be there or not.
    """
    found = [(f"layer {i} ({fields.get('name') or 'unnamed'})", _kind(fields), fields)
             for i, fields in enumerate(layers, 1)]
    found = [layer for layer in found if layer[1] not in ("dropout", "softmax", "softmaxloss")]
    count = sum(kind == "conv" for _, kind, _ in found)
    depth = min(GROUPS, key=lambda depth: abs(depth - count))
    expected = vgg_layers(GROUPS[depth])
    if any(kind is None for _, kind, _ in found):
        expected = convolutions(expected)
        found = [layer for layer in found if layer[1] == "conv"]
    for layer, (found_name, found_kind, fields) in zip(expected, found):
        if layer.kind != found_kind:
            raise InputError(f"no VGG-{depth}: {found_name} is a {found_kind!r} layer, and {layer.kind!r} ({layer.name}) "
                             f"is expected; {OTHER}")
        if layer.kind == "pool" and fields.get("method", "max") != "max":
            raise InputError(f"no VGG-{depth}: {found_name} is not a max-pool; {OTHER}")
    if len(found) != len(expected):
        first = expected[len(found)].name + " is missing" if len(found) < len(expected) else \
            found[len(expected)][0] + " comes after fc8"
        raise InputError(f"no VGG-{depth}: {first} ({len(found)} layers up to the logits, "
                         f"{len(expected)} expected); {OTHER}")
    return GROUPS[depth]


def _parameters(fields, name):
    """Filters and biases of a layer, from whichever fields have them."""
    if "weights" not in fields:
        return fields.get("filters"), fields.get("biases")
    pair = fields["weights"]
    if not (isinstance(pair, list) and len(pair) == 2):
        raise InputError(f"{name}: 'weights' is not a cell of filters and biases; {OTHER}")
    return pair


# Writing.

def _layer_structs(network, bits, fc6):
    """The layers as MatConvNet has them, softmax included; fc6's bases or None."""
    parameters = zip(network.weights, network.biases)
    structs = []
    for spec in network.layers:
        layer = {"name": spec.name, "type": spec.kind}
        if spec.kind == "conv":
            weights, biases = next(parameters)
            weights = weights.astype(np.float32, copy=False)
            if spec.name == "fc6" and fc6 is not None:
                filters, scale = _coefficients(weights, fc6, bits)
                layer["basis"] = cell_of([basis for _, basis in fc6])
            else:
                filters, scale = _stored(weights, bits)
                filters = _to_matlab(filters)
            layer["weights"] = cell_of([filters, biases.astype(np.float32)[:, None]])
            layer["pad"] = row_of(*[spec.pad] * 4)
            layer["stride"] = row_of(*[spec.stride] * 2)
            layer["size"] = row_of(*_to_matlab(weights).shape)
            if scale is not None:
                layer["scale"] = scale[:, None]
        elif spec.kind == "pool":
            layer.update(pool=row_of(*[spec.kernel] * 2), stride=row_of(*[spec.stride] * 2),
                         pad=row_of(*[spec.pad] * 4), method="max")
        structs.append(layer)
    return structs + [{"name": "prob", "type": "softmax"}]


def _stored(weights, bits):
    """Filters of a layer and their scale (or None), as `write` stores them."""
    if bits is None:
        return weights, None
    return quantise(weights, bits) if bits <= 8 else (significant(weights, bits), None)


def _coefficients(weights, bases, bits):
    """A cell of the coefficients of each group of channels, and the scale of all."""
    channels = [count for count, _ in bases]
    if min(channels, default=0) < 1 or sum(channels) != len(weights):
        raise InputError(f"fc6 as coefficients: groups of {channels} channels, and fc6 has {len(weights)}")
    groups = np.split(weights, np.cumsum(channels)[:-1])
    stored = [quantise(project(group, basis), bits) for group, (_, basis) in zip(groups, bases)]
    return cell_of([_to_matlab(codes) for codes, _ in stored]), np.concatenate([scale for _, scale in stored])


def _to_matlab(filters):
    """(out, in, height, width) -> (height, width, in, out)."""
    return filters.transpose(2, 3, 1, 0)


def _meta(network):
    # The input for which the map of logits is one position.
    side = least_side(network.layers)
    return {
        "normalization": {"averageImage": network.average_image.astype(np.float32, copy=False),
                          "imageSize": row_of(side, side, 3)},
        "classes": {"name": cell_of(network.names), "description": cell_of(network.descriptions)}}
