"""The evaluation of a network's robustness, for programs, the command line and the pipeline.

A network is asked in five steps; each file has one idea:

    questions.py    what is asked, and the evaluation that answers (labelled.py, networks.py: of
                    what a program has; images.py, sources/: of what a command line names)
    evaluate.py     attacks and diagnostics on all images, batch by batch (batches.py, batch.py,
                    task.py), each part kept when it is finished (finished.py, progress.py)
    first_look.py   ... after a look at the outputs on clean images, which may spare the longest
    verdict.py      the answers to every check of checks.py, and the class that follows
    remedies/       where a check fails, the attacks that answer it, on what is still robust
    result.py       the evaluation: verdict, accuracies, per image, adversarial images; as data
                    (document.py), as text (printing.py, terminal.py), as a folder (save.py,
                    report/, which shares display/ with the page of a study)
    union/          several threat models: an evaluation in each, and what is robust in all

protocol.py     the attacks and diagnostics of five sizes (sizes.py), and their cost (cost.py,
                budget.py); protocol_beside.py: what decides no verdict
selection.py    which attacks are made: the protocol's, named ones, the user's own (own.py)
attacks.py      attacks, with every success verified (threats.py: their threat model and kind)
outcome.py      per image, in one threat model: which attacks broke it, and which alone did
follow_up.py    longer gradient attacks where the first may have been too short (convergence.py)
evidence.py     diagnostics of one network, as the measurements that checks read (measured.py:
                what its attacks show)
distances.py    how far each image is from being misclassified, found by diagnostics/
beside.py       calibration and accuracy under common corruptions, beside robust accuracy
certificate.py  how many images no attack can turn
abstain.py      networks that may decline to answer
planning.py     what a protocol takes here (peak_memory.py), and what differences can be seen
"""
