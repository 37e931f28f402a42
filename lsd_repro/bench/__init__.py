"""How fast a step is, and how much memory it takes, beside others that compute the same.

==================  =======================================================
``problem.py``      what is computed: network, prior, picture, classes; the least that takes
``theano_step.py``  the contenders in Theano: ours, and the graph as written
``torch_step.py``   the contender in PyTorch (extra ``bench``)
``film.py``         the contenders for the film
``contenders.py``   who takes part in what
``worker.py``       a contender in a process of its own
``race.py``         contenders in turn, round by round
``measure.py``      all races of ``lsd-repro bench``, kept in a JSON file, and their pages
``table.py``        medians and ratios, as markdown and for the figure
==================  =======================================================

Machines are shared and noisy: what counts are ratios of times from the same round,
and their medians over rounds.
"""
