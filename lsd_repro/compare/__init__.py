"""Comparing what this package computes with 2015, and priors with each other.

==========================  ==========================================================
``parity.py``               replays a golden file and reports every deviation
``devices.py``              the same gradient on two devices
``pictures.py``             photos, and what can be done to them, to judge priors by
``priors.py``               priors in numbers: likelihood, energies, ranking
``ablation.py``             the same dreams under different priors
``ablation_measures.py``    what is measured of them
``ablation_contrasts.py``   priors compared at one price
``ablation_page.py``        the page and figures of that
``denoising.py``            priors as denoisers
``prior_pages.py``          figures and JSON of the rest
``statistics.py``           statistics of a frame, and the yardstick for them
``coherence.py``            whether two pictures have the same detail
``genuine.py``              the author's frames as numbers
``naming.py``               whether a network names what the author's frames were dreamt for
``report.py``               our frames compared with 2015's: numbers and page
``report_page.py``          that page, of ``templates/report.html``
``report_parts.py``         what it is put together from
``published.py``            our dreams of what the author published, on one sheet, and a page with links to his
``change.py``               whether two changes of one picture are alike, and how sure that is
``transition.py``           from the one frame of 2015 whose successor is known to that
``transition_arms.py``      2015's way there, and ways that differ from it in a single thing
``transition_numbers.py``   what it tells of 2015
``transition_page.py``      the page of that
==========================  ==========================================================
"""
