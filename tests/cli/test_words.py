"""The library names options as Python has them, the command line as they are typed."""

import pytest

from lsd_repro.cli.words import as_typed

NAMES = {"prior", "prior_kind", "tile", "resume", "size", "target", "guide", "octaves", "out"}


@pytest.mark.parametrize("said, typed", [
    ("prior_kind=tv has no filters: leave out prior=", "--prior-kind tv has no filters: leave out --prior"),
    ("choose a smaller size=, or tile=1024", "choose a smaller --size, or --tile 1024"),
    ("x can't be used: delete it, and resume=True dreams it anew; or choose another out=, without resume=True",
     "x can't be used: delete it, and --resume dreams it anew; or choose another --out, without --resume"),
    ("target=: no class is called 'pizza'", "--class: no class is called 'pizza'"),
    ("guide=cat.png: not a usable photo", "--guide cat.png: not a usable photo"),
    ("octaves= says at which scale each step is taken", "--octaves says at which scale each step is taken"),
    ("(out= or tile=3)", "(--out or --tile 3)"),
    # What is no option of a command, or only looks like one.
    ("device=cuda: no GPU", "device=cuda: no GPU"), ("subtile=3 priors=4", "subtile=3 priors=4"),
    ("runs/tile=3/out=2.png: no such file", "runs/tile=3/out=2.png: no such file"),
    ("THEANO_FLAGS=size=3,tile=4", "THEANO_FLAGS=size=3,tile=4"),
    ("can't serve at out=:: tile=3", "can't serve at --out :: --tile 3"),
    ("can't read the schedule tile=3.txt: no such file", "can't read the schedule tile=3.txt: no such file"),
    ("'prior=' is not text", "'prior=' is not text"),
])
def test_options_are_named_as_they_are_typed(said, typed):
    assert as_typed(said, NAMES, ["--schedule", "tile=3.txt"]) == typed
