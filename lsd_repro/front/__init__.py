"""What ``import lsd_repro`` offers; `lsd_repro.__getattr__` brings it when it is first used.

============  ==============================================================
``film``      `dream`: a film, computed as it is looked at, or saved
``network``   `load_network`: the logits that a network has of a picture
``prior``     `load_prior`, `fit_prior`: energies, gradients, samples
``pictures``  pictures that a user hands over
``parity``    `replay`: how far this is from what 2015 computed
============  ==============================================================
"""
