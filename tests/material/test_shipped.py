"""Which file a network's name means."""

from pathlib import Path

import pytest

from lsd_repro.errors import InputError
from lsd_repro.material import shipped


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """What ships: two empty files; the working folder is another, and empty."""
    (tmp_path / "data").mkdir()
    (tmp_path / "here").mkdir()
    for name in ("vgg16-small.mat", "vgg16-trunk.mat"):
        (tmp_path / "data" / name).touch()
    monkeypatch.setattr(shipped, "folder", lambda: tmp_path / "data")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "data"


def test_names_mean_what_ships_even_where_a_file_is_called_so(folder):
    Path("small").touch()
    assert shipped.network("small") == folder / "vgg16-small.mat"
    assert shipped.network("trunk") == folder / "vgg16-trunk.mat"
    assert shipped.network() == folder / shipped.NETWORK


def test_all_else_is_a_file(folder):
    for name in ("small", "own.mat"):
        Path(name).touch()
    for wanted in ("./small", "own.mat", Path("small"), folder / "vgg16-trunk.mat"):
        assert shipped.network(wanted) == wanted


@pytest.mark.parametrize("wanted", ["large", "./trunk", "", Path("small"), "Small"])
def test_what_is_neither_says_which_names_there_are(folder, wanted):
    with pytest.raises(InputError, match="no such file, and it is not small or trunk"):
        shipped.network(wanted)


def test_a_network_that_should_ship_and_does_not_is_named(folder):
    (folder / "vgg16-trunk.mat").unlink()
    with pytest.raises(InputError, match="vgg16-trunk.mat is not in"):
        shipped.network("trunk")
