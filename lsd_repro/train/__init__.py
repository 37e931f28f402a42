"""Training of the networks that ship in ``data/`` (needs the extra ``train``).

The rest of the package never imports this: it reads the finished .mat files.

=====================  ==========================================================
``trunk.py``           the genuine convolutions of VGG-16, from an ONNX file
``canvases.py``        folders of pictures -> squares that show one or four
``judge.py``           EfficientNet-lite0, which teaches, and judges dreams
``judge_ablation.py``  what the judge says of the dreams of an ablation
``features.py``        squares -> pool5 maps, and the teacher's maps
``targets.py``         what the read-out is taught at each place
``head.py``            fc6 to fc8 in PyTorch: groups of channels, trained and folded
``earlier.py``         a group out of a read-out that was trained before
``__main__.py``        ``python -m lsd_repro.train TRUNK DIR... --out FILE.mat``
``accuracy.py``        how often pictures are named rightly: ``python -m lsd_repro.train.accuracy``
``appraise.py``        how near dreams come to 2015's: ``python -m lsd_repro.train.appraise``
``tiny_imagenet.py``   for the small network: its archive, and augmentation
``model.py``           the small network in PyTorch; folding
``small.py``           ``python -m lsd_repro.train.small ARCHIVE --out FILE.mat``
=====================  ==========================================================
"""
