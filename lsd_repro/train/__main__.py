"""Train a read-out for VGG-16's trunk: ``python -m lsd_repro.train TRUNK.onnx DIR=USES... --out FILE.mat``."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import torch

from lsd_repro.errors import InputError
from lsd_repro.network import ilsvrc, matconvnet
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.runtime.openblas import instruct_openblas
from lsd_repro.train import canvases, features, head, judge, trunk
from lsd_repro.train.earlier import adopt
from lsd_repro.train.head import Group

GROUPS = (
    Group("embedding, 5x5", "embedding", 5, 2, 768, 0, 0.15, 0),
    Group("embedding, 7x7", "embedding", 7, 3, 512, 0, 0.15, 1),
)
# Of the logits of the groups above, together, and of an earlier read-out's.
EMBEDDING, EARLIER = 1, 0.5
# With it a network's gradients are as large as those of the one before, for which the presets' prior strengths were chosen.
SCALE = 1.9


def option_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lsd_repro.train", description=__doc__)
    parser.add_argument("trunk", help="ONNX file that begins with VGG-16's convolutions of 2014")
    parser.add_argument("folders", nargs="+", metavar="DIR=USES", type=folder,
                        help="pictures, at any depth, and how often each is shown, relative to those of other folders; those "
                             "whose name, or whose folder's, begins with the WordNet id of a class have its label")
    parser.add_argument("--out", required=True,
                        help="the MatConvNet .mat file to write; OUT.features keeps what was computed, to resume from")
    parser.add_argument("--earlier", metavar="F",
                        help="a .mat file of the trunk with another read-out, whose fc6 and fc7 stand beside the new ones")
    parser.add_argument("--canvases", type=int, default=12_200, help="to train on (default: %(default)s)")
    parser.add_argument("--kept", metavar="F",
                        help="a file of WordNet ids: until the last epochs nothing of these classes is trained on, and what came "
                             "of that is written to OUT.kept.mat, to measure on them")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--last-epochs", type=int, default=3, help="on all classes, more slowly (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=32, help="canvases (default: %(default)s)")
    parser.add_argument("--learning-rate", type=float, default=2e-3, help="peak of the one-cycle schedule")
    parser.add_argument("--weight-decay", type=float, default=0.05)
    return parser


def folder(text: str) -> tuple[str, float]:
    name, equals, uses = text.rpartition("=")
    try:
        if equals and 0 < float(uses) < float("inf"):
            return name, float(uses)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text}: must be a folder, '=' and a number above 0")


def main(argv: Optional[Sequence[str]] = None) -> None:
    parser = option_parser()
    args = parser.parse_args(argv)
    try:
        run(args)
    except InputError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")


def run(args: argparse.Namespace) -> None:
    wnids, descriptions = ilsvrc.read()
    kept = None
    if args.kept:
        listed = Path(args.kept).read_text().split()
        if not set(listed) <= set(wnids):
            raise InputError(f"{args.kept}: {sorted(set(listed) - set(wnids))[0]} is no class of ILSVRC 2012")
        kept = torch.tensor([wnid in listed for wnid in wnids])
    earlier = matconvnet.read(args.earlier) if args.earlier else None
    weights, biases = trunk.read(args.trunk)
    found = features.extract(args.out + ".features", canvases.find(dict(args.folders), wnids), args.canvases,
                             features.compile_pool5(weights, biases))
    classifier = judge.classifier()
    groups, shares = list(GROUPS), [SCALE * EMBEDDING] * len(GROUPS)
    models: list[Any] = [None] * len(GROUPS)
    if earlier is not None:
        models.append(adopt(earlier, classifier))
        groups.append(models[-1].group)
        shares.append(SCALE * EARLIER)

    def trained(epochs, rate, kept, models):
        return [head.train(group, found, classifier, epochs, args.batch, rate, args.weight_decay, kept, model)
                for group, model in zip(groups, models)]

    def save(path, models):
        own_weights, own_biases = head.fold(models, shares)
        network = NetworkWeights((*weights, *own_weights), (*biases, *own_biases), features.average_image(), descriptions, wnids)
        matconvnet.write(path, network, bits=8, fc6=[(model.group.width, head.padded(model.basis).numpy().T) for model in models])
        print(f"{path}: {os.path.getsize(path):,} bytes")

    models = trained(args.epochs, args.learning_rate, kept, models)
    if kept is not None:
        save(args.out + ".kept.mat", models)
    save(args.out, trained(args.last_epochs, args.learning_rate / 2, None, models))


if __name__ == "__main__":
    instruct_openblas()
    main()
