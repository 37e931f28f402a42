"""How fast a step is, and how much memory it takes, beside others that compute the same.

==================  =======================================================
``problem.py``      what is computed: network, prior, picture, classes
``arithmetic.py``   how many floating-point operations that takes
``theano_step.py``  the contenders in Theano: ours, and the graph as written
``torch_step.py``   the contender in PyTorch (extra ``bench``)
``sgemm.py``        the rate of matrix products, the limit of them all
``film.py``         the contenders for the film
``contenders.py``   who takes part in what
``worker.py``       a contender in a process of its own
``process.py``      that process, from the side of the one who asks it for steps
``race.py``         contenders in turn, round by round
``measure.py``      all races of ``lsd-repro bench``, kept in a JSON file
``summary.py``      medians, ratios, targets
``table.py``        the summary as markdown
``pages.py``        figure, table and numbers in a folder
==================  =======================================================

Machines are shared and noisy: what counts are ratios of times from the same round,
and their medians over rounds.
"""
