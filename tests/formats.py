"""Networks written as other programs write them, each by its format's own library."""

import itertools
import json
import pickle
import struct
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import scipy.io

from lsd_repro.network import matconvnet
from lsd_repro.network.known import OXFORD
from lsd_repro.network.layers import weight_layers_of


def oxfords(network):
    """The network with the known entries in its first layer, which takes RGB."""
    known = OXFORD[len(network.weights)]
    weights, biases = network.weights[0].copy(), network.biases[0].copy()
    weights[0, 2] = np.reshape(known.blue, (3, 3))
    biases[:5] = known.biases
    return replace(network, weights=(weights, *network.weights[1:]), biases=(biases, *network.biases[1:]))


def bgr(network):
    """The network with a first layer that takes BGR."""
    return replace(network, weights=(network.weights[0][:, ::-1], *network.weights[1:]))


def named(network):
    """Name, weights and biases of each layer."""
    return zip(weight_layers_of(network.groups), network.weights, network.biases)


def last(weights):
    """Weights with their channels last, and a matrix for a fully connected layer: rows, columns, channels in."""
    moved = weights.transpose(2, 3, 1, 0)
    return moved if weights.shape[2:] == (3, 3) else moved.reshape(-1, moved.shape[-1])


def matrix(weights):
    """Weights with channels first, and a matrix for a fully connected layer: channels, rows, columns in."""
    return weights if weights.shape[2:] == (3, 3) else weights.reshape(len(weights), -1)


def keras_name(name):
    return {"fc6": "fc1", "fc7": "fc2", "fc8": "predictions"}.get(name) or f"block{name[4]}_conv{name[6]}"


def keras_groups(layout):
    """Path of the weights of a layer, and of its biases, by the layer's name and its place among those of its kind."""
    def path(name, place):
        own, kind = keras_name(name), "conv2d" if name.startswith("conv") else "dense"
        counted = f"layers/{kind}_{place}" if place else f"layers/{kind}"
        return {"weights of 2016": (f"{own}/{own}_W_1:0", f"{own}/{own}_b_1:0"),
                "weights": (f"{own}/{own}/kernel:0", f"{own}/{own}/bias:0"),
                "model": (f"model_weights/{own}/{own}/kernel", f"model_weights/{own}/{own}/bias"),
                "nested": (f"model_weights/vgg/{own}/{own}/kernel:0", f"model_weights/vgg/{own}/{own}/bias:0"),
                "Keras 3": (f"{counted}/vars/0", f"{counted}/vars/1"),
                "Keras 3, nested": (f"layers/functional/{counted}/vars/0", f"layers/functional/{counted}/vars/1")}[layout]
    return path


def write_keras(path, network, layout="weights", top=True, **options):
    """Needs h5py; the first layer takes BGR."""
    import h5py

    places = {"conv": 0, "fc": 0}
    with h5py.File(path, "w") as file:
        for name, weights, biases in named(bgr(network)):
            kind = "conv" if name.startswith("conv") else "fc"
            if kind == "fc" and not top:
                continue
            for where, array in zip(keras_groups(layout)(name, places[kind]), (last(weights), biases)):
                file.create_dataset(where, data=array, **options)
            places[kind] += 1


def caffe_message():
    """The class of Caffe's NetParameter, of those fields that weights files have.  Needs protobuf."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe", syntax="proto2")
    # Name, number, label (1 optional, 3 repeated), type (2 float, 1 double, 3 int64, 5 int32, 9 string, 11 message, 13 uint32).
    for message, fields in {
            "BlobShape": [("dim", 1, 3, 3)],
            "BlobProto": [("shape", 7, 1, "BlobShape"), ("data", 5, 3, 2), ("diff", 6, 3, 2), ("double_data", 8, 3, 1),
                          ("num", 1, 1, 5), ("channels", 2, 1, 5), ("height", 3, 1, 5), ("width", 4, 1, 5)],
            "LayerParameter": [("name", 1, 1, 9), ("type", 2, 1, 9), ("bottom", 3, 3, 9), ("top", 4, 3, 9),
                               ("blobs", 7, 3, "BlobProto")],
            "V1LayerParameter": [("name", 4, 1, 9), ("type", 5, 1, 5), ("bottom", 2, 3, 9), ("top", 3, 3, 9),
                                 ("blobs", 6, 3, "BlobProto")],
            "NetParameter": [("name", 1, 1, 9), ("layers", 2, 3, "V1LayerParameter"), ("layer", 100, 3, "LayerParameter"),
                             ("input", 3, 3, 9), ("input_dim", 4, 3, 5)]}.items():
        described = file.message_type.add(name=message)
        for name, number, label, kind in fields:
            field = described.field.add(name=name, number=number, label=label, type=11 if isinstance(kind, str) else kind)
            if isinstance(kind, str):
                field.type_name = f".caffe.{kind}"
            if label == 3 and kind in (1, 2, 3):
                field.options.packed = True
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("caffe.NetParameter"))


def write_caffe(path, network, version=1, double=False):
    """Needs protobuf; the first layer takes BGR.  Version 1 as the file of 2014, 2 as Caffe writes since."""
    net = caffe_message()(name="VGG_ILSVRC_16_layers")
    stored = {name: arrays for name, *arrays in named(bgr(network))}
    for name, kind, *_ in network.layers:
        layer = net.layers.add(name=name, type={"conv": 4, "relu": 18, "pool": 17}[kind]) if version == 1 else \
            net.layer.add(name=name, type={"conv": "Convolution", "relu": "ReLU", "pool": "Pooling"}[kind])
        for array in stored.get(name, ()):
            array = matrix(array) if array.ndim == 4 else array
            blob = layer.blobs.add()
            (blob.double_data if double else blob.data).extend(array.ravel())
            if version == 1:
                blob.num, blob.channels, blob.height, blob.width = (1,) * (4 - array.ndim) + array.shape
            else:
                blob.shape.dim.extend(array.shape)
    with open(path, "wb") as file:
        file.write(net.SerializeToString())


def write_npz(path, network, save=np.savez):
    """The first layer takes RGB."""
    arrays = {}
    for name, weights, biases in named(network):
        arrays[f"{name}_W"], arrays[f"{name}_b"] = last(weights), biases
    save(path, **arrays)


# Names of fc6 to fc8: torchvision's of today, its first ones, and timm's.
TOPS = {"torchvision": ("classifier.0", "classifier.3", "classifier.6"),
        "first": ("classifier.1", "classifier.4", "classifier.6"),
        "timm": ("pre_logits.fc1", "pre_logits.fc2", "head.fc")}


def torchvision_arrays(network, tops="torchvision", prefix=""):
    """As torchvision's state_dict; the first layer takes RGB."""
    numbers = {name: f"features.{i}" for i, (name, kind, *_) in enumerate(network.layers) if kind == "conv"}
    numbers.update(zip(("fc6", "fc7", "fc8"), TOPS[tops]))
    arrays = {}
    for name, weights, biases in named(network):
        convolution = tops == "timm" and name != "fc8"
        arrays[f"{prefix}{numbers[name]}.weight"] = np.ascontiguousarray(weights if convolution else matrix(weights))
        arrays[f"{prefix}{numbers[name]}.bias"] = biases
    return arrays


def state_dict(network, **options):
    import torch

    return {name: torch.from_numpy(array) for name, array in torchvision_arrays(network, **options).items()}


def write_torch(path, network, legacy=False, checkpoint=None, **options):
    """Needs PyTorch; `checkpoint` makes what is saved of the tensors by name."""
    import torch

    tensors = state_dict(network, **options)
    torch.save(checkpoint(tensors) if checkpoint else tensors, path, _use_new_zipfile_serialization=not legacy)


def write_johnsons(path, network):
    """As Justin Johnson's port: the first layer takes BGR, and names and pickled functions are those of early 2017."""
    import torch

    class Pickler(pickle.Pickler):
        def reducer_override(self, value):
            if not isinstance(value, torch.Tensor):
                return NotImplemented
            return torch._utils._rebuild_tensor, (value._typed_storage(), 0, tuple(value.shape), value.stride())

    module = SimpleNamespace(__name__="pickle", Pickler=Pickler, dump=pickle.dump)
    torch.save(state_dict(bgr(network), tops="first"), path, module,
               _use_new_zipfile_serialization=False)


def write_safetensors(path, network, **options):
    """Needs safetensors."""
    from safetensors.numpy import save_file

    save_file(torchvision_arrays(network, **options), str(path))


def brain(array):
    """The numbers as bfloat16 keeps them: the upper half of each, to the nearest, and to the even one of two."""
    bits = np.ascontiguousarray(array).view(np.uint32)
    return (bits + 0x7fff + (bits >> 16 & 1) & 0xffff0000).view(np.float32)


def write_brain(path, network):
    """A .safetensors file of bfloat16, byte by byte: numpy has no such numbers."""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, array in torchvision_arrays(network).items():
        begin, data = len(data), data + brain(array).view("<u2").ravel()[1::2].tobytes()
        header[name] = {"dtype": "BF16", "shape": array.shape, "data_offsets": [begin, len(data)]}
    head = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(head)) + head + data)


MATLAB_NAMES = {"f4": "single", "f8": "double", "i1": "int8", "u1": "uint8"}


def write_matlab73(path, variables, **options):
    """What scipy reads of an older .mat, as MATLAB 7.3 stores it; `options` are for arrays.  Needs h5py."""
    import h5py

    def put(group, name, value):
        if value.dtype.names and value.size == 1:
            kind, part = "struct", group.create_group(name)
            for field in value.dtype.names:
                put(part, field, value.flat[0][field])
        elif value.dtype == object:
            references = [put(others, str(next(number)), entry).ref for entry in value.ravel(order="F")]
            kind, part = "cell", group.create_dataset(name, value.shape[::-1], h5py.ref_dtype)
            part[...] = np.array(references, h5py.ref_dtype).reshape(value.shape[::-1])
        else:
            if value.dtype.kind == "U":
                kind = "char"
                value = np.frombuffer("".join(value.ravel()).encode("utf-16-le"), "<u2")[None]
            else:
                kind = MATLAB_NAMES[value.dtype.str[1:]]
            part = group.create_dataset(name, data=value.T if value.size else np.uint64(value.shape),
                                        **options if value.size > 1 else {})
            if not value.size:
                part.attrs["MATLAB_empty"] = np.uint8(1)
        part.attrs["MATLAB_class"] = np.bytes_(kind)
        return part

    number = itertools.count()
    with h5py.File(path, "w", userblock_size=512) as file:
        others = file.create_group("#refs#")
        for name, value in variables.items():
            if not name.startswith("__"):
                put(file, name, value)
    with open(path, "r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64, HDF5 schema 1.00 .".ljust(116) + bytes(8) + b"\0\2IM")


def write_matlab(path, network):
    """Needs h5py."""
    matconvnet.write(f"{path}.older", network)
    write_matlab73(path, scipy.io.loadmat(f"{path}.older", appendmat=False), compression="gzip", compression_opts=3)
