"""What the numbers of a network support, whoever asks: the command, the pipeline, a program.

checks.py     every question to an evaluation, one record each
verdict.py    their answers (failed, passed, cannot say, not run), and the class that follows
threats.py    what an attack may do, and the threat models of an evaluation
outcome.py    per image, in one of them: what broke it, and what alone did
follow_up.py  gradient attacks go on where they may have been too short (convergence.py)
evidence.py   attacks and diagnostics on one network, as the numbers that checks read
evaluate.py   a network in memory, from images to verdict
protocol.py   what a network is put through, in five sizes, and what it costs (budget.py)
"""
