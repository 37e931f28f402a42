import numpy as np
import pytest
from PIL import Image

from lsd_repro.errors import InputError
from lsd_repro.network import ilsvrc
from lsd_repro.train import accuracy


def test_finds_pictures_by_wordnet_id(tmp_path):
    wnids, _ = ilsvrc.read()
    for name in (f"{wnids[7]}_cock.png", "n99999999_unknown.png"):
        Image.new("RGB", (9, 9)).save(tmp_path / name)
    assert accuracy.labelled(tmp_path) == [(tmp_path / f"{wnids[7]}_cock.png", wnids[7])]


def test_finds_pictures_of_a_list_whose_classes_begin_at_one(tmp_path):
    wnids, _ = ilsvrc.read()
    (tmp_path / "images.csv").write_text("ImageId,URL,TrueLabel\nabc,x,1\ndef,x,1000\n")
    assert accuracy.labelled(tmp_path) == [(tmp_path / "images/abc.png", wnids[0]), (tmp_path / "images/def.png", wnids[999])]


def test_no_labels_is_an_error(tmp_path):
    with pytest.raises(InputError, match="WordNet id"):
        accuracy.labelled(tmp_path)


def test_rank_counts_classes_before_the_right_one(tmp_path, monkeypatch):
    Image.new("RGB", (64, 64)).save(tmp_path / "n1.png")
    logits = np.array([[[1.0, 5.0]], [[2.0, 2.0]], [[4.0, 4.0]]])  # means 3, 2 and 4
    monkeypatch.setattr(accuracy, "compile_logits", lambda network: lambda picture: logits)
    network = type("Network", (), {"names": ("n1", "n2", "n3")})
    pictures = [(tmp_path / "n1.png", name) for name in network.names]
    assert accuracy.ranks(network, pictures).tolist() == [1, 2, 0]
