"""How often a network names pictures rightly: ``python -m lsd_repro.train.accuracy FILE.mat PICTURES...``.

PICTURES is a folder of pictures whose names, or whose folders', begin with the WordNet ids of classes, or the
folder of the NIPS 2017 competition's development set, which has ``images.csv`` beside ``images/``.
"""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.hints import Integers
from lsd_repro.material import shipped
from lsd_repro.material.files import PathLike
from lsd_repro.network import ilsvrc, matconvnet
from lsd_repro.network.matconvnet import NetworkWeights
from lsd_repro.runtime.openblas import instruct_openblas
from lsd_repro.runtime.progress import tqdm
from lsd_repro.step.evaluate import compile_logits
from lsd_repro.train import canvases


def labelled(folder: PathLike) -> list[tuple[Path, str]]:
    """Pictures of a folder and the WordNet ids of their classes.

    Raises
    ------
    InputError
        If it has none with a class of ILSVRC 2012.
    """
    folder = Path(folder)
    wnids, _ = ilsvrc.read()
    listed = folder / "images.csv"
    if listed.exists():
        with open(listed, newline="") as file:
            found = [(folder / "images" / f"{row['ImageId']}.png", wnids[int(row["TrueLabel"]) - 1])
                     for row in csv.DictReader(file)]
    else:
        found = [(path, canvases.kind_of(path)) for path in sorted(folder.rglob("*"))
                 if path.suffix.lower() in canvases.SUFFIXES]
    found = [(path, wnid) for path, wnid in found if wnid in wnids]
    if not found:
        raise InputError(f"{folder}: no pictures with the WordNet id of a class, and no images.csv")
    return found


def ranks(network: NetworkWeights, pictures: Sequence[tuple[Path, str]]) -> Integers:
    """Ranks of the right classes by the mean of the logits over the middle square of each picture; 0 is the first."""
    logits = compile_logits(network)
    found = []
    for path, wnid in tqdm(pictures, desc="measuring"):
        means = logits(canvases.centre(path)).mean(axis=(1, 2))
        found.append(int((means > means[network.names.index(wnid)]).sum()))
    return np.array(found)


def main(argv: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m lsd_repro.train.accuracy", description=__doc__.splitlines()[0])
    parser.add_argument("weights", help="a MatConvNet .mat file that knows the classes, or trunk")
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--only", metavar="F", help="a file of WordNet ids: measure on pictures of these classes")
    args = parser.parse_args(argv)
    try:
        network = matconvnet.read(shipped.network(args.weights))
        only = Path(args.only).read_text().split() if args.only else network.names
        for folder in args.pictures:
            found = ranks(network, [(path, wnid) for path, wnid in labelled(folder) if wnid in only])
            print(f"{folder}: {len(found)} pictures, top-1 {np.mean(found < 1):.1%}, top-5 {np.mean(found < 5):.1%}")
    except InputError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    instruct_openblas()
    main()
