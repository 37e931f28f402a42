"""The patch prior: what a natural picture looks like, 8x8 pixels at a time.

============  ============================================================
``patches``   a folder of photos -> patches
``fit``       patches -> `PatchPrior`: Gaussian, or Student-t by EM
``store``     `PatchPrior` <-> file; reads 2015's four ``.npy`` files too
``energy``    `PatchPrior`, picture -> symbolic energy, over several scales
============  ============================================================

Only ``energy`` imports Theano.
"""
