"""Addresses of schedulers where there is none."""

import contextlib
import socket
import threading

import pytest

from lsd_repro.atlas import cluster
from lsd_repro.errors import InputError


@pytest.fixture
def talker():
    """Something that is no scheduler: takes connections, and says what it is told to."""
    connections = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def starting(says):
            def talk():
                with contextlib.suppress(OSError):
                    while True:
                        connection, _ = listening.accept()
                        connections.append(connection)
                        connection.sendall(says)

            threading.Thread(target=talk, daemon=True).start()
            return f"tcp://127.0.0.1:{listening.getsockname()[1]}"

        yield starting
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["nothing", "what a web server says"])
def test_what_answers_and_is_no_scheduler_is_said_to_be_none(monkeypatch, talker, says):
    monkeypatch.setattr(cluster, "SECONDS_TO_CONNECT", 0.1)
    with pytest.raises(InputError, match="no Dask scheduler answers there"), cluster.remote(talker(says)):
        pass


def test_a_client_that_fails_says_nothing_at_the_end_of_the_process(python):
    code = """
from lsd_repro.atlas import cluster
from lsd_repro.errors import InputError

async def answers(_):
    "What does, and still is no scheduler."

cluster._call, cluster.SECONDS_TO_CONNECT = answers, 0.1
try:
    cluster.remote("tls://127.0.0.1:1").__enter__()
except InputError as error:
    print(error)
"""
    done = python(code)
    assert "no Dask scheduler answers there" in done.stdout and done.stdout.count("\n") == 1
    assert (done.stderr, done.returncode) == ("", 0)
