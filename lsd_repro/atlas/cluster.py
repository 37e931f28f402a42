"""The workers of an atlas: processes of this machine, or those of a Dask scheduler elsewhere.

`local` starts processes that listen on the loopback interface only; they end with the client, however that ends.
Each has a share of the cores for itself, or a GPU.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Optional

from lsd_repro.errors import InputError, OptionError
from lsd_repro.runtime import device, extras
from lsd_repro.runtime.flags import overridden
from lsd_repro.runtime.gpu import cuda

if TYPE_CHECKING:
    from distributed import Client

LOOPBACK = "127.0.0.1"
SECONDS_TO_CONNECT = 10
# Read when the libraries are loaded, which a worker does for its first dream.
THREADS = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"
VISIBLE = "CUDA_VISIBLE_DEVICES"
FLAGS = "THEANO_FLAGS"
MEMORY = 2 << 30  # bytes that a worker may need: the whole VGG-16 does
NEEDED = "distributed", "cryptography", *(("tomli",) if sys.version_info < (3, 11) else ())


def check_installed() -> None:
    """InputError if what the extra ``atlas`` brings isn't there."""
    extras.check("an atlas", NEEDED)


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def environments(computing: str, workers: Optional[int] = None) -> list[dict[str, str]]:
    """What the environment of each worker has beside this process's own: its share of the cores, and its GPU.

    Parameters
    ----------
    computing : str
        The device, as `lsd_repro.runtime.device.choose` takes it.
    workers : int, optional
        How many; by default one for each GPU where they compute, else one for each core, as far as there is memory.

    Returns
    -------
    list of dict
        Threads that the user chose are left as they are.

    Raises
    ------
    InputError
        If a GPU is asked for and can't be used.
    """
    gpus = _gpus(computing)
    count = workers or len(gpus) or _default_workers()
    threads = str(max(1, cores() // count))
    return [{**{name: os.environ.get(name, threads) for name in THREADS}, **(gpus[index % len(gpus)] if gpus else {})}
            for index in range(count)]


def _default_workers():
    # On two cores two workers with a thread each dream a third more than one with two threads (docs/atlas.md).
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(cores(), memory // MEMORY))


def _gpus(computing):
    """The environment of a worker, for each GPU that they share out among them."""
    if computing == "cpu":
        return []
    missing = device.problems(computing)
    if missing:
        raise InputError("\n".join(missing))
    flags = {FLAGS: overridden(os.environ.get(FLAGS), {"device": computing})}
    if computing != "cuda":  # a certain one, which is found by its number among all
        return [flags]
    count = len(cuda.find_gpus(cuda.find_driver()))
    named = list(filter(None, os.environ.get(VISIBLE, "").split(",")))
    return [{**flags, VISIBLE: name} for name in (named or map(str, range(count)))][:count]


@contextlib.contextmanager
def local(computing: str, workers: Optional[int] = None) -> "Iterator[Client]":
    """Workers on this machine, for as long as the ``with`` block lasts.

    Parameters
    ----------
    computing, workers
        As for `environments`.

    Yields
    ------
    Client
    """
    import dask
    from distributed import Client, Nanny, Scheduler, SpecCluster
    from distributed.security import Security

    # Whoever can talk to Dask can have it run anything: other users of this machine can't, for want of a certificate.
    common = {"host": LOOPBACK, "protocol": "tls://", "security": Security.temporary(), "dashboard": False}
    # The system decides how much memory there is.
    worker = {**common, "nthreads": 1, "memory_limit": 0, "silence_logs": logging.CRITICAL}
    specs = {index: {"cls": Nanny, "options": {**worker, "env": own}}
             for index, own in enumerate(environments(computing, workers))}
    scheduler = {"cls": Scheduler, "options": {**common, "port": 0, "dashboard_address": f"{LOOPBACK}:0"}}
    # Dask would have malloc give back what arrays free.
    with _quiet(), dask.config.set({"distributed.nanny.pre-spawn-environ": {}}):
        # A Ctrl-C at the terminal is for this process alone: the threads that start the others, and so the others, never see
        # it.  What multiprocessing starts first would take their mask away.
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            cluster = SpecCluster(specs, scheduler=scheduler, security=common["security"], silence_logs=logging.CRITICAL)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        with cluster, Client(cluster, set_as_default=False) as client:
            yield client


@contextlib.contextmanager
def remote(address: str) -> "Iterator[Client]":
    """The workers of a scheduler.

    Parameters
    ----------
    address : str
        Such as ``tcp://10.0.0.1:8786``.

    Yields
    ------
    Client

    Raises
    ------
    InputError
        If there is no scheduler.
    """
    from distributed import Client

    with _quiet():
        client = Client.__new__(Client)
        try:
            asyncio.run(_call(address))
            Client.__init__(client, address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
        except Exception as error:  # whatever answers there may be no scheduler at all
            # Otherwise it would try to close, when it is collected, what it never opened: for 20 seconds, and with a traceback.
            client.status = "closed"
            raise OptionError("scheduler", f"{address}: no Dask scheduler answers there "
                             f"({(str(error).splitlines() or [type(error).__name__])[0][:120]})") from error
        with client:
            yield client


async def _call(address):
    """Connect, and hang up: a Client would wait for ever for somebody who says nothing."""
    from distributed.comm import connect
    from distributed.security import Security

    connecting = connect(address, timeout=SECONDS_TO_CONNECT, **Security().get_connection_args("client"))
    await (await asyncio.wait_for(connecting, SECONDS_TO_CONNECT + 1)).close()


@contextlib.contextmanager
def _quiet():
    """Without what Dask logs and warns of, which is said again where it matters."""
    import distributed  # noqa: F401 - sets its loggers when it is imported

    loggers = {name: logging.getLogger(name).level for name in ("distributed", "distributed.client", "tornado", "asyncio")}
    for name in loggers:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"distributed\.")
            yield
    finally:
        for name, level in loggers.items():
            logging.getLogger(name).setLevel(level)
