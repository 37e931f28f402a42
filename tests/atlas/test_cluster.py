"""What each worker of this machine has for itself."""

import pytest

from lsd_repro.atlas import cluster
from lsd_repro.cli.main import main
from lsd_repro.errors import InputError
from lsd_repro.runtime import device


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Eight cores, and nothing that the user chose."""
    monkeypatch.setattr(cluster, "cores", lambda: 8)
    monkeypatch.setattr(cluster.os, "sysconf", lambda name: {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 4 << 20}[name])
    for name in (*cluster.THREADS, cluster.VISIBLE):
        monkeypatch.delenv(name, raising=False)


def threads(count):
    return {name: str(count) for name in cluster.THREADS}


def test_cores_are_shared_out_and_the_users_own_number_of_threads_stays(monkeypatch):
    assert cluster.environments("cpu", 3) == [threads(2)] * 3
    assert cluster.environments("cpu", 20) == [threads(1)] * 20
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert cluster.environments("cpu", 2) == [{"OMP_NUM_THREADS": "5", "OPENBLAS_NUM_THREADS": "4"}] * 2


def test_there_is_a_worker_for_each_core_as_far_as_memory_goes(monkeypatch):
    assert cluster.environments("cpu") == [threads(1)] * 8
    monkeypatch.setattr(cluster.os, "sysconf", lambda name: {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1 << 20}[name])
    assert cluster.environments("cpu") == [threads(4)] * 2
    monkeypatch.setattr(cluster.os, "sysconf", lambda name: 1)
    assert cluster.environments("cpu") == [threads(8)]


def test_each_worker_has_a_gpu(monkeypatch):
    monkeypatch.setattr(device, "problems", lambda name: [])
    monkeypatch.setattr(cluster.cuda, "find_driver", lambda: None)
    monkeypatch.setattr(cluster.cuda, "find_gpus", lambda driver: ["one", "another"])
    monkeypatch.setenv(cluster.FLAGS, "floatX=float32,device=cpu")
    own = {**threads(4), cluster.FLAGS: 'floatX=float32,device=cpu,device="cuda"'}
    assert cluster.environments("cuda") == [{**own, cluster.VISIBLE: "0"}, {**own, cluster.VISIBLE: "1"}]
    assert [own[cluster.VISIBLE] for own in cluster.environments("cuda", 3)] == ["0", "1", "0"]
    monkeypatch.setenv(cluster.VISIBLE, "5,GPU-a3f")
    assert [own[cluster.VISIBLE] for own in cluster.environments("cuda")] == ["5", "GPU-a3f"]
    monkeypatch.delenv(cluster.FLAGS)
    assert cluster.environments("cuda1") == [{**threads(8), cluster.FLAGS: 'device="cuda1"'}]


def test_a_gpu_that_lacks_something_is_said(monkeypatch):
    monkeypatch.setattr(device, "problems", lambda name: ["no pygpu"])
    with pytest.raises(InputError, match="no pygpu"):
        cluster.environments("cuda")


def test_without_dask_it_says_how_to_get_it(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(cluster, "NEEDED", ("distributed", "no_such_module"))
    assert main(["atlas", str(tmp_path / "sweep.toml")]) == 2
    assert "needs no_such_module, not installed here: pip install no_such_module" in capsys.readouterr().err
