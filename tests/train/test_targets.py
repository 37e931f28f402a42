from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs pip install -e '.[train]'")

from lsd_repro.train import targets as taught  # noqa: E402
from lsd_repro.train.canvases import Canvas  # noqa: E402

WNIDS = "n00000001", "n00000002", "n00000003"
# The teacher's word, as probabilities.
WORD = np.array([0.7, 0.2, 0.1])


def target(*canvases):
    """Targets of canvases of which the teacher always says the same."""
    logits = torch.tensor(np.log(WORD), dtype=torch.float32).repeat(len(canvases), 1)
    return taught.targets(canvases, logits, WNIDS).numpy()


def canvas(kind, pictures=1, small=False):
    return Canvas((Path("x"),) * pictures, kind, small, 0)


@pytest.mark.parametrize("pictures, small, share", [(1, False, taught.SHARP), (1, True, taught.SMALL),
                                                    (4, False, taught.MOSAIC), (4, True, taught.SMALL)])
def test_a_label_has_its_share_and_the_teacher_the_rest(pictures, small, share):
    found = target(canvas("n00000002", pictures, small))
    np.testing.assert_allclose(found[0], share * np.array([0, 1, 0]) + (1 - share) * WORD, atol=1e-6)


def test_without_a_label_the_teacher_decides():
    np.testing.assert_allclose(target(canvas("ant"))[0], WORD, atol=1e-6)


def test_of_a_mosaic_counts_what_the_teacher_says_of_its_kind_and_not_of_it():
    logits = torch.log(torch.tensor([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]]))
    found = taught.targets([canvas("ant"), canvas("ant", 4)], logits, WNIDS)
    np.testing.assert_allclose(found[1], [0.8, 0.1, 0.1], atol=1e-6)
