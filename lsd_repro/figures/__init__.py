"""Every matplotlib figure.  Each function takes numbers and pictures, and returns a Figure.

=================  =========================================================
``drawing.py``     what all are drawn with, and `save`
``ablation.py``    the same dreams under different priors
``bench.py``       how fast a step is, and how much memory it takes
``denoising.py``   priors as denoisers
``large.py``       pictures at their own size, as JPEG
``network.py``     what a VGG-16 sees, and where
``objective.py``   why the logit: what objectives push, and what they dream
``parity.py``      how exact the reproduction is
``priors.py``      what priors look like, and what they do to a dream
``report.py``      our frames beside 2015's
``scales.py``      the prior at many scales
``stills.py``      the stills program
``transition.py``  one frame of 2015, predicted
``update.py``      the 2015 Adam beside others
``zoom.py``        the zoom, and the film between two frames
=================  =========================================================
"""
