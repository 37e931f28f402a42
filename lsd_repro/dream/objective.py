"""The class term of the loss: two classes, one for each half of the picture."""


def target_logit(logits, rows, c0, c1, full_rows):
    """Mean logit of c0 over the bottom half plus that of c1 over the top half.

    A quirk of the 2015 program: the halves are cut at the middle of the map of the
    UNPOOLED picture, also for pooled ones.  The bottom half can then be empty; its
    term counts 0 here, where the program printed NaN (its gradient was 0 as well).

    Parameters
    ----------
    logits : symbolic tensor, shape (1, classes, rows, columns)
    rows : int
        Rows of this map.
    c0, c1 : symbolic int or int
        Classes of the bottom and of the top half.
    full_rows : int
        Rows of the map of the unpooled picture.

    Returns
    -------
    target : symbolic scalar
    halves : int
        How many of the two are not empty.
    """
    middle = full_rows // 2
    means = []
    if middle < rows:
        means.append(logits[0, c0, middle:, :].mean())
    if middle > 0:
        means.append(logits[0, c1, :middle, :].mean())
    return sum(means), len(means)


def class_term(logits, target):
    """What the network adds to the loss: the mean of all logits minus the target's.

    The mean keeps all the other classes low.

    Parameters
    ----------
    logits : symbolic tensor, shape (1, classes, rows, columns)
    target : symbolic scalar
        From `target_logit`.

    Returns
    -------
    symbolic scalar
    """
    return logits.mean() - target
