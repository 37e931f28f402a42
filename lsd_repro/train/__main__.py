"""Train a read-out for VGG-16's trunk: ``python -m lsd_repro.train TRUNK.onnx DIR... --out FILE.mat``."""

import argparse
import os
from collections.abc import Sequence
from typing import Optional

import numpy as np
import torch
from tqdm import tqdm

from lsd_repro.dream.step import compile_logits
from lsd_repro.network import ilsvrc
from lsd_repro.network.matconvnet import NetworkWeights, read, write
from lsd_repro.runtime.openblas import instruct_openblas
from lsd_repro.train import canvases, features, head, trunk
from lsd_repro.train.targets import targets

# A canvas is left out if less than this share of its target is in the classes that are kept.
KNOWN = 0.3


def parse(argv: Optional[Sequence[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lsd_repro.train", description=__doc__)
    parser.add_argument("trunk", help="ONNX file that begins with VGG-16's convolutions of 2014")
    parser.add_argument("folders", nargs="+", help="pictures, in folders named by class or by WordNet id")
    parser.add_argument("--out", required=True,
                        help="the MatConvNet .mat file to write; OUT.features keeps what was computed, to resume from")
    parser.add_argument("--canvases", type=int, default=12_000, help="to train on (default: %(default)s)")
    parser.add_argument("--held-out", type=int, default=1000, help="to measure on (default: %(default)s)")
    parser.add_argument("--least", type=float, default=15.0,
                        help="a class is kept if the targets add up to this many canvases (default: %(default)s)")
    parser.add_argument("--fc-width", type=int, default=256)
    parser.add_argument("--frequencies", type=int, default=3, help="cosines in each direction in fc6 (default: %(default)s)")
    parser.add_argument("--dropout", type=float, default=0.4)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=2e-3, help="peak of the one-cycle schedule")
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def accuracy(network: NetworkWeights, plan: Sequence[canvases.Canvas]) -> dict[str, tuple[float, float, int]]:
    """Top-1 and top-5 accuracy on canvases of the classes that a network knows, and their number: sharp, then small."""
    logits = compile_logits(network)
    hits = {False: [], True: []}
    for canvas in tqdm(plan, desc="measuring"):
        if canvas.kind in network.names:
            ranked = logits(canvases.draw(canvas)).mean(axis=(1, 2)).argsort()[::-1]
            place = ranked.tolist().index(network.names.index(canvas.kind))
            hits[canvas.small].append((place < 1, place < 5))
    return {name: (*np.mean(hits[small], axis=0), len(hits[small]))
            for name, small in (("sharp", False), ("small", True)) if hits[small]}


def main(argv: Optional[Sequence[str]] = None) -> None:
    args = parse(argv)
    wnids, descriptions = ilsvrc.read()
    train, held_out = canvases.plan(args.folders, args.seed)
    train, held_out = train[:args.canvases], held_out[:args.held_out]
    weights, biases = trunk.read(args.trunk)
    maps, logits = features.extract(args.out + ".features", train, features.compile_pool5(weights, biases))

    wanted = targets(train, logits, wnids)
    kept = np.flatnonzero(wanted.sum(0) >= args.least)
    share = wanted[:, kept].sum(1)
    # What is mostly none of the classes kept would only be taken for one.
    known = share >= KNOWN
    wanted = wanted[known][:, kept] / share[known, None]
    print(f"{len(kept)} classes, {known.sum()} canvases")
    unit = maps[:1000].float().square().mean().sqrt().item()
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    model = head.build(args.fc_width, len(kept), args.frequencies, args.dropout, unit)
    head.train(model, maps[known], wanted, args.epochs, args.batch, args.learning_rate, args.weight_decay, generator)

    head_weights, head_biases = head.fold(model)
    write(args.out, NetworkWeights((*weights, *head_weights), (*biases, *head_biases), features.average_image(),
                                   tuple(descriptions[i] for i in kept), tuple(wnids[i] for i in kept)), bits=8)
    print(f"{args.out}: {os.path.getsize(args.out):,} bytes")
    # What counts is the file: folded, rounded, read back.
    for name, (top1, top5, count) in accuracy(read(args.out), held_out).items():
        print(f"{count} {name} pictures held out: top-1 {top1:.2%}, top-5 {top5:.2%}")


if __name__ == "__main__":
    instruct_openblas()
    main()
