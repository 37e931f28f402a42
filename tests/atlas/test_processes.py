"""Atlases of several processes, some of which are killed."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys

import pytest
from interruptible import heed_ctrl_c
from sweeps import FIXED, in_this_process, planned, write
from waiting import wait_until

from lsd_repro.atlas import run as atlas
from lsd_repro.atlas import store

pytestmark = pytest.mark.slow  # processes load Theano, and dream for some seconds

FIXED = FIXED.replace("steps = 2", "steps = 20")
SWEPT = 'classes = ["creature 3", "creature 4+creature 5", "creature 6", "7", "8", "9"]'


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The sweep's file, and the pictures that one worker makes of it."""
    folder = tmp_path_factory.mktemp("alone")
    path = write(folder, SWEPT, FIXED)
    atlas.make(folder / "out", planned(path), in_this_process)
    return path, pictures(folder / "out")


def pictures(out):
    return {path.name: path.read_bytes() for path in (out / "pictures").glob("*.png")}


def records(out):
    """What is recorded so far; every file is whole as soon as it is there."""
    return [json.loads(path.read_text()) for path in (out / "records").glob("*.json")]


@contextlib.contextmanager
def started(*command):
    """A process in a group of its own, which is gone afterwards."""
    process = subprocess.Popen([sys.executable, "-m", *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, preexec_fn=heed_ctrl_c, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def command(sweep, out, *options):
    return started("lsd_repro.cli.main", "atlas", sweep, "--out", out, *options)


def gone(process):
    """Whether no process of its group runs."""
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_worker_killed_while_it_dreams_costs_nobody_a_picture(alone, tmp_path):
    path, expected = alone
    out = tmp_path / "out"
    with command(path, out, "--workers", 2) as client:
        victim = wait_until(lambda: records(out))[0]["worker"]["process"]
        os.kill(victim, signal.SIGKILL)
        said = client.communicate(timeout=300)
        assert client.returncode == 0, said
    assert pictures(out) == expected and len(expected) == 6
    by_victim = [record for record in records(out) if record["worker"]["process"] == victim]
    assert 1 <= len(by_victim) < 6
    # The bar, and nothing of Dask's.
    assert all(line.strip().startswith("dreaming:") for line in re.split(r"[\r\n]+", said[1]) if line.strip()), said[1]


def test_a_killed_client_takes_its_workers_along_and_an_interrupted_one_says_how_to_go_on(alone, tmp_path):
    path, expected = alone
    out = tmp_path / "out"
    with command(path, out, "--workers", 2) as client:
        wait_until(lambda: records(out))
        client.kill()
        client.wait()
        wait_until(lambda: gone(client), 10)
    with command(path, out, "--workers", 1, "--resume") as client:
        done = len(records(out))
        assert 1 <= done < 6
        wait_until(lambda: len(records(out)) > done)
        # As a terminal does it.
        os.killpg(client.pid, signal.SIGINT)
        said = client.communicate(timeout=60)
        assert client.returncode == 130 and "--resume" in said[1] and "Traceback" not in said[1], said
        wait_until(lambda: gone(client), 10)
    assert set(store.kept(out)) < {dream.digest for dream in planned(path)}
    with command(path, out, "--resume") as client:
        assert client.wait(300) == 0
    assert pictures(out) == expected


def test_a_scheduler_elsewhere_and_its_end(alone, tmp_path):
    path, expected = alone
    out = tmp_path / "out"
    at = tmp_path / "scheduler.json"
    loopback = "--host", "127.0.0.1", "--no-dashboard"
    with started("distributed.cli.dask_scheduler", *loopback, "--port", 0, "--dashboard-address", "127.0.0.1:0",
                 "--scheduler-file", at) as scheduler:
        address = json.loads(wait_until(lambda: at.exists() and at.read_text()))["address"]
        with command(path, out, "--scheduler", address) as client:
            waiting = client.stderr.readline()
            with started("distributed.cli.dask_worker", address, *loopback, "--nthreads", 1):
                wait_until(lambda: len(records(out)) >= 2)
                scheduler.kill()
                said = waiting + client.communicate(timeout=120)[1]
        assert client.returncode == 2 and "Traceback" not in said, said
        assert f"no worker is at {address} yet" in said and f"the scheduler {address} went away" in said
    done = pictures(out)
    assert 2 <= len(done) < 6
    with command(path, out, "--resume") as client:
        assert client.wait(300) == 0
    assert pictures(out) == expected and done.items() < expected.items()
