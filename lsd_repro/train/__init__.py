"""Training of the small VGG-16 that ships in ``data/`` (needs the extra ``train``).

The rest of the package never imports this: it reads the finished .mat file.

=================  ==========================================================
``images.py``      the Tiny-ImageNet archive -> arrays, and their augmentation
``model.py``       the network in PyTorch; folding into plain convolutions
``__main__.py``    ``python -m lsd_repro.train ARCHIVE --out FILE.mat``
=================  ==========================================================
"""
