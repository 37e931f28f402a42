import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs pip install -e '.[train]'")

from lsd_repro.errors import InputError  # noqa: E402
from lsd_repro.network.known import OXFORD  # noqa: E402
from lsd_repro.network.layers import FULL  # noqa: E402
from lsd_repro.network.random_weights import weight_shapes  # noqa: E402
from lsd_repro.train import trunk  # noqa: E402


def save(path, shapes, edit=lambda weights, biases: None):
    weights, biases = [np.zeros(shape, np.float32) for shape in shapes], [np.zeros(s[0], np.float32) for s in shapes]
    edit(weights, biases)
    helper, arrays, nodes = onnx.helper, [], []
    for i, pair in enumerate(zip(weights, biases)):
        arrays += [onnx.numpy_helper.from_array(array, f"{kind}{i}") for kind, array in zip("wb", pair)]
        nodes.append(helper.make_node("Conv", [f"x{i}", f"w{i}", f"b{i}"], [f"x{i + 1}"]))
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", [], [], arrays)), str(path))


def genuine(weights, biases):
    weights[0][0, 0] = np.reshape(OXFORD[16].blue, (3, 3))
    biases[0][:5] = OXFORD[16].biases


def test_reads_the_first_layer_as_rgb(tmp_path):
    save(tmp_path / "a.onnx", weight_shapes(**FULL)[:13], genuine)
    weights, biases = trunk.read(str(tmp_path / "a.onnx"))
    assert [weight.shape for weight in weights] == weight_shapes(**FULL)[:13]
    np.testing.assert_array_equal(weights[0][0, 2].ravel(), np.float32(OXFORD[16].blue))
    np.testing.assert_array_equal(biases[0][:5], np.float32(OXFORD[16].biases))


@pytest.mark.parametrize("shapes, edit, message", [
    (weight_shapes(**FULL)[:12], genuine, "not the thirteen of VGG-16"),
    (weight_shapes(**FULL)[:13], lambda weights, biases: None, "not its weights of 2014")])
def test_refuses_what_is_not_vgg16_of_2014(tmp_path, shapes, edit, message):
    save(tmp_path / "a.onnx", shapes, edit)
    with pytest.raises(InputError, match=message):
        trunk.read(str(tmp_path / "a.onnx"))
