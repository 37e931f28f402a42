"""Files: what ships, what 2015 left, and how anything is written.

==============  ==========================================================
``files.py``    files that are written whole or not at all
``lock.py``      one process at a time in a run's folder
``regular.py``   reading what is a file, and no longer than it should be
``arrays.py``   arrays out of files that anyone may have made
``shipped.py``  the network and the priors in ``data/``
``fetch.py``    downloads the material of 2015
``photos.py``   folders of photos, read one by one
==============  ==========================================================
"""
