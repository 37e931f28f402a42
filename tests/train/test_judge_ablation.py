import json

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs pip install -e '.[train]'")

from lsd_repro.errors import InputError  # noqa: E402
from lsd_repro.network import ilsvrc  # noqa: E402
from lsd_repro.train import judge_ablation  # noqa: E402

LION = [text.startswith("lion,") for text in ilsvrc.read()[1]].index(True)


def test_dreams_of_known_classes_are_judged_once(tmp_path):
    """A judge to whom brightness is the only evidence for a lion."""
    seen = []

    def look(pictures):
        seen.append(len(pictures))
        logits = torch.zeros(len(pictures), 1000)
        logits[:, LION] = torch.as_tensor(pictures.mean((1, 2, 3)) - 100).float()
        return logits

    (tmp_path / "classes.json").write_text(json.dumps({"a": ilsvrc.read()[1][LION], "b": "unicorn"}))
    for folder, grey in (("a", 90), ("a", 105), ("b", 200)):
        (tmp_path / "pictures" / folder).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), grey, np.uint8)).save(tmp_path / "pictures" / folder / f"{grey}.png")
    judge_ablation.judge_folder(tmp_path, look)
    found = json.loads((tmp_path / "judged.json").read_text())
    assert set(found) == {"a/90.png", "a/105.png"}
    for grey, first in ((90, 0), (105, 1)):
        logit = grey - 100
        assert found[f"a/{grey}.png"] == {"EfficientNet-lite0": pytest.approx(logit - np.log(np.exp(logit) + 999), rel=1e-5),
                                          "EfficientNet-lite0, first": first}
    judge_ablation.judge_folder(tmp_path, look)
    assert seen == [2]


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="prior ablate"):
        judge_ablation.judge_folder(tmp_path, None)
