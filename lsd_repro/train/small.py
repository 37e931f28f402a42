"""Train the small network.

``python -m lsd_repro.train.small ARCHIVE --out FILE.mat`` does it.
"""

import argparse
import os
from collections.abc import Sequence
from typing import Any, Optional

import numpy as np
import torch
from torch.nn import functional as F

from lsd_repro.hints import Floats
from lsd_repro.network import pytorch
from lsd_repro.network.matconvnet import NetworkWeights, read, write
from lsd_repro.runtime.progress import tqdm
from lsd_repro.train.model import build, fold
from lsd_repro.train.tiny_imagenet import Split, augment, read_archive

# Significant ones of a weight in the file.  Half precision has 11, but they deflate badly:
# 3.5 million weights come to more than 8 MB.  The training multiplies with 8 (bfloat16).
BITS = 10


def parse(argv: Optional[Sequence[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lsd_repro.train.small", description=__doc__)
    parser.add_argument("archive", help="Tiny-ImageNet .tar.gz with classes.tsv, train/ and val/")
    parser.add_argument("--out", required=True,
                        help="the MatConvNet .mat file to write; OUT.checkpoint keeps every epoch, to resume from")
    parser.add_argument("--widths", type=int, nargs=5, default=[16, 32, 96, 160, 256],
                        help="channels of the five groups (default: %(default)s)")
    parser.add_argument("--fc-width", type=int, default=640)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=0.05, help="peak of the one-cycle schedule")
    parser.add_argument("--weight-decay", type=float, default=5e-4)
    parser.add_argument("--label-smoothing", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def logits(model: torch.nn.Module, pictures: torch.Tensor, mean: float) -> torch.Tensor:
    """Class logits of pictures in grey levels, convolved in bfloat16."""
    centred = (pictures - mean).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return model(centred).float().flatten(1)


def accuracy(model: torch.nn.Module, split: Split, mean: float, batch: int = 250) -> Floats:
    """Top-1 and top-5 accuracy, as fractions."""
    model.eval()
    hits = np.zeros(2)
    with torch.no_grad():
        for images, labels in zip(split.images.split(batch), split.labels.split(batch)):
            best = logits(model, images.float(), mean).topk(5).indices == labels[:, None]
            hits += best[:, 0].sum().item(), best.sum().item()
    return hits / len(split.labels)


def train(args: argparse.Namespace, train_split: Split, val_split: Split, mean: float,
          checkpoint: str) -> torch.nn.Sequential:
    """Train with SGD on a one-cycle schedule, saving after each epoch; resume if saved."""
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    model = build(args.widths, args.fc_width, int(train_split.labels.max()) + 1)
    model = model.to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(model.parameters(), lr=args.learning_rate, momentum=0.9,
                                weight_decay=args.weight_decay, nesterov=True)
    steps = len(train_split.labels) // args.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, args.learning_rate, total_steps=steps * args.epochs, pct_start=0.2)
    settings = {name: value for name, value in vars(args).items() if name not in ("archive", "out")}
    first = 0
    if os.path.exists(checkpoint):
        saved = torch.load(checkpoint)
        if saved["settings"] != settings:
            raise SystemExit(f"{checkpoint} was made with {saved['settings']}; delete it to start again")
        model.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
        schedule.load_state_dict(saved["schedule"])
        generator.set_state(saved["generator"])
        torch.set_rng_state(saved["dropout"])
        first = saved["epoch"] + 1

    for epoch in range(first, args.epochs):
        title = f"epoch {epoch + 1}/{args.epochs}"
        loss = train_epoch(model, optimiser, schedule, args, train_split, mean, generator, title)
        top1, top5 = accuracy(model, val_split, mean)
        print(f"{title}: loss {loss:.4f}, validation top-1 {top1:.2%}, top-5 {top5:.2%}", flush=True)
        torch.save({"settings": settings, "epoch": epoch, "model": model.state_dict(),
                    "optimiser": optimiser.state_dict(), "schedule": schedule.state_dict(),
                    "generator": generator.get_state(), "dropout": torch.get_rng_state()},
                   checkpoint + ".part")
        os.replace(checkpoint + ".part", checkpoint)
    measure_statistics(model, train_split, mean)
    return model


def train_epoch(model: torch.nn.Module, optimiser: torch.optim.Optimizer, schedule: Any, args: argparse.Namespace,
                split: Split, mean: float, generator: torch.Generator, title: str) -> float:
    """Go once through the training images; returns the mean loss."""
    model.train()
    steps = len(split.labels) // args.batch
    order = torch.randperm(len(split.labels), generator=generator)
    progress = tqdm(order[:steps * args.batch].split(args.batch), desc=title, mininterval=10)
    total = 0.0
    for step, chosen in enumerate(progress, 1):
        pictures = augment(split.images[chosen].float(), generator)
        loss = F.cross_entropy(logits(model, pictures, mean), split.labels[chosen],
                               label_smoothing=args.label_smoothing)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        total += loss.item()
        progress.set_postfix(loss=f"{total / step:.3f}", refresh=False)
    return total / steps


def measure_statistics(model: torch.nn.Module, split: Split, mean: float, batch: int = 250) -> None:
    """Measure the batch statistics on all training images as they are.

    Noise and resampling shift them: with those of the augmented images, the network
    that ships had 54.4 instead of 57.2 % top-1 on clean pictures.
    """
    for layer in model:
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0.0
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.optim.swa_utils.update_bn((images.float() - mean for images in split.images.split(batch)), model)


def main(argv: Optional[Sequence[str]] = None) -> None:
    args = parse(argv)
    train_split, val_split, wnids, descriptions = read_archive(args.archive)
    average = train_split.images.double().mean(0).permute(1, 2, 0).numpy().astype(np.float32)
    mean = float(average.mean())
    model = train(args, train_split, val_split, mean, args.out + ".checkpoint")
    weights, biases = fold(model)
    write(args.out, NetworkWeights(weights, biases, average, tuple(descriptions), tuple(wnids)), bits=BITS)
    # What counts is the file: folded, rounded, read back.
    top1, top5 = accuracy(pytorch.build(read(args.out)), val_split, mean)
    print(f"{args.out}: {os.path.getsize(args.out):,} bytes, validation top-1 {top1:.2%}, top-5 {top5:.2%}")


if __name__ == "__main__":
    main()
