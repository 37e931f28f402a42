"""Networks written as other programs write them, each by its format's own library."""

from dataclasses import replace

import numpy as np

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
                "Keras 3": (f"{counted}/vars/0", f"{counted}/vars/1")}[layout]
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


def torchvision_arrays(network, timm=False):
    """As torchvision's state_dict; the first layer takes RGB."""
    numbers = {name: f"features.{i}" for i, (name, kind, *_) in enumerate(network.layers) if kind == "conv"}
    tops = ("pre_logits.fc1", "pre_logits.fc2", "head.fc") if timm else ("classifier.0", "classifier.3", "classifier.6")
    numbers.update(zip(("fc6", "fc7", "fc8"), tops))
    arrays = {}
    for name, weights, biases in named(network):
        convolution = timm and name != "fc8"
        arrays[f"{numbers[name]}.weight"] = np.ascontiguousarray(weights if convolution else matrix(weights))
        arrays[f"{numbers[name]}.bias"] = biases
    return arrays


def write_torch(path, network, legacy=False):
    """Needs PyTorch."""
    import torch

    torch.save({name: torch.from_numpy(array) for name, array in torchvision_arrays(network).items()}, path,
               _use_new_zipfile_serialization=not legacy)


def write_safetensors(path, network, timm=False):
    """Needs safetensors."""
    from safetensors.numpy import save_file

    save_file(torchvision_arrays(network, timm), str(path))
