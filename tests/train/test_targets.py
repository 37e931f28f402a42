import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install -e '.[train]'")

from lsd_repro.train import targets  # noqa: E402
from lsd_repro.train.features import Features  # noqa: E402

CHANNELS = 6


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(0)
    label = np.full((3, 10, 10), -1, np.int16)
    label[0, :5] = 4
    label[1] = 2
    return Features(rng.random((3, 512, 10, 10)).astype(np.float16), rng.random((3, 10, 10, CHANNELS)).astype(np.float16), label)


def test_a_window_attends_to_its_middle(features):
    rows, columns = torch.tensor([3, 0]), torch.tensor([2])
    found = targets.places(features, np.array([1]), 5, rows, columns).embedding.reshape(2, CHANNELS).numpy()
    for top, one in zip((3, 0), found):
        total, weights = 0, 0
        for y in range(5):
            for x in range(5):
                # The border is left out.
                weight = np.exp(-0.5 * ((y - 2) ** 2 + (x - 2) ** 2) / targets.MIDDLE ** 2) * (0 < y < 4) * (0 < x < 4)
                total = total + weight * features.teacher[1, top + y, 2 + x].astype(float)
                weights += weight
        np.testing.assert_allclose(one, total / weights, rtol=1e-5)


def test_a_window_has_a_label_if_its_middle_is_of_one(features):
    every = torch.arange(4)
    found = targets.places(features, np.array([0, 1, 2]), 7, every, every).label.reshape(3, 4, 4)
    # The middle 3 rows of the window that begins at row r are r + 2 to r + 4.
    assert (found[0, 0] == 4).all() and (found[0, 1:] == -1).all()
    assert (found[1] == 2).all() and (found[2] == -1).all()


def test_windows_with_anything_of_a_kept_class_are_not_fresh(features):
    kept = torch.zeros(1000, dtype=torch.bool)
    kept[4] = True
    every = torch.arange(6)
    found = targets.places(features, np.array([0, 1, 2]), 5, every, every, kept).fresh.reshape(3, 6, 6)
    assert not found[0, :5].any() and found[0, 5].all()
    assert found[1:].all()


def test_half_of_a_distribution_is_the_label():
    logits = torch.log(torch.tensor([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1]])) * targets.TEMPERATURE
    found = targets.distributions(logits, torch.tensor([1, -1])).numpy()
    word = np.array([0.7, 0.2, 0.1])
    np.testing.assert_allclose(found, [targets.LABEL * np.array([0, 1, 0]) + (1 - targets.LABEL) * word, word], atol=1e-6)
