"""Sweeps of a tiny network, and workers in this process."""

import contextlib
from pathlib import Path

import numpy as np
from distributed import Client, LocalCluster
from PIL import Image
from small_network import small_network

from lsd_repro.atlas import plan, sweep
from lsd_repro.cli.main import main
from lsd_repro.network import matconvnet

# As small as the coarsest of the prior's scales allows.
FIXED = 'weights = "small.mat"\nsize = "264x256"\nframes = 1\nsteps = 2\nvideo-frames = 2\n'


def write(folder, swept, fixed=FIXED, name="sweep.toml"):
    """A sweep's file, and beside it the network."""
    path = Path(folder, name)
    network = path.with_name("small.mat")
    if not network.exists():
        matconvnet.write(network, small_network(np.random.default_rng(5)))
    path.write_text(f"[fixed]\n{fixed}\n[swept]\n{swept}\n", "utf-8")
    return path


def write_guide(path, seed):
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)).save(path)


def planned(path):
    """The dreams of a sweep's file, as the command line finds them."""
    return plan.dreams(sweep.read(path))


def run(*arguments):
    """Exit status, also where argparse exits by itself."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as error:
        return error.code


@contextlib.contextmanager
def in_this_process():
    """A worker that is a thread."""
    with LocalCluster(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster, \
            Client(cluster, set_as_default=False) as client:
        yield client
