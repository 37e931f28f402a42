"""The patch prior: what a natural picture looks like, 8x8 pixels at a time.

============  ============================================================
``patches``   a folder of photos -> patches
``em``        samples -> multivariate Student-t, by EM
``fit``       patches -> `PatchPrior`: Gaussian, or Student-t by ``em``
``store``     `PatchPrior` <-> file; reads 2015's four ``.npy`` files too
``density``   what a `PatchPrior` says of patches: likelihood, marginals, samples
``denoise``   `PatchPrior`, noisy picture -> what it was, the standard test of a prior
``energy``    `PatchPrior`, picture -> symbolic energy, over several scales
============  ============================================================

Only ``energy`` imports Theano.
"""
