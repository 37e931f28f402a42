"""What the read-out is taught: for each canvas a distribution over the classes of ILSVRC 2012."""

from collections import defaultdict
from collections.abc import Sequence

import torch

from lsd_repro.train.canvases import Canvas

# Share of the label in the target of a canvas whose class is known, by what it is. The rest is the teacher's word,
# which is poor on small pictures and wrong on mosaics (comic books, jigsaw puzzles).
SHARP, SMALL, MOSAIC = 0.5, 0.9, 0.7
# Share of what the teacher says of pictures of its kind on average in the target of one whose class is not known.
OF_KIND = 0.3


def targets(canvases: Sequence[Canvas], logits: torch.Tensor, wnids: Sequence[str]) -> torch.Tensor:
    """Soft targets for the read-out.

    Parameters
    ----------
    canvases : sequence of Canvas
    logits : tensor, shape (n, 1000)
        The teacher's.
    wnids : sequence of str
        WordNet ids of the classes, in the teacher's order.

    Returns
    -------
    tensor, shape (n, 1000)
        Rows sum to 1.
    """
    index = {wnid: i for i, wnid in enumerate(wnids)}
    taught = logits.float().softmax(1)
    kinds = defaultdict(list)
    for canvas, row in zip(canvases, taught):
        if len(canvas.paths) == 1 and not canvas.small:
            kinds[canvas.kind].append(row)
    of_kind = {kind: torch.stack(rows).mean(0) for kind, rows in kinds.items()}

    found = []
    for canvas, row in zip(canvases, taught):
        mosaic = len(canvas.paths) > 1
        general = of_kind.get(canvas.kind, row)
        if canvas.kind in index:
            share = SMALL if canvas.small else MOSAIC if mosaic else SHARP
            label = torch.zeros(len(wnids))
            label[index[canvas.kind]] = 1
            found.append(share * label + (1 - share) * (general if mosaic else row))
        else:
            found.append(general if mosaic else OF_KIND * general + (1 - OF_KIND) * row)
    return torch.stack(found)
