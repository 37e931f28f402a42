"""From a network and a prior to a step of gradient descent on the picture.

=================  =========================================================
``target.py``      what is raised: classes, a layer, a channel, a guide
``objective.py``   logits and classes -> the class term of the loss
``activation.py``  a layer, a channel or what a guide shows, in place of classes
``adam.py``        the 2015 update, and others to compare it with
``gradient.py``    the gradient step; holds picture and moments
``whole.py``       compiles it for a picture that is looked at as a whole
``tiled.py``       the same step, one tile of the picture at a time
``tiles.py``       how a picture is cut into tiles
``evaluate.py``    what energies and networks say of a picture
``sampling.py``    pictures sampled from a prior alone
``probe.py``       what single logits see, and how hard objectives push
``trace.py``       a dream followed step by step
=================  =========================================================
"""
