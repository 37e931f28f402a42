"""The classes of ILSVRC 2012, in the order of its networks."""

from pathlib import Path

FILE = Path(__file__).with_name("ilsvrc2012.tsv")


def read() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """WordNet ids and descriptions (WordNet lemmas) of the 1000 classes: two tuples of str."""
    wnids, descriptions = zip(*(line.split("\t") for line in FILE.read_text("utf-8").splitlines()))
    return wnids, descriptions
