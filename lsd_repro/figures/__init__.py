"""Every matplotlib figure.  Each function takes numbers and pictures, and returns a Figure.

==============  ===========================================================
``drawing.py``  what all are drawn with, and `save`
``bench.py``    how fast a step is, and how much memory it takes
``parity.py``   how exact the reproduction is
``priors.py``   what priors look like, and what they do to a dream
``report.py``   our frames beside 2015's
==============  ===========================================================
"""
