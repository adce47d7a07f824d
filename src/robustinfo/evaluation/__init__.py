"""The verdict on a network's robustness, for the command line, the pipeline, or a program.

checks.py     the checks of an evaluation, one record each
verdict.py    their answers (failed, passed, cannot say, not run), and the class that follows
threats.py    the threat model and the kind of each attack
attacks.py    attacks, with every success verified
outcome.py    per image, in one threat model: which attacks broke it, and which alone did
follow_up.py  longer gradient attacks where the first may have been too short (convergence.py)
evidence.py   diagnostics of one network, as the measurements that checks read
evaluate.py   a network in memory, from images to verdict
protocol.py   the attacks and diagnostics of five sizes, and their cost (budget.py)
"""
