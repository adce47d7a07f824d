"""Bad input without end, drawn from a seed, and what becomes of it.

    python -m tests.fuzz 20000 5000     # so many studies, and files; writes docs/bad-input.md

``studies.mutated`` changes study files, ``files`` and ``trees`` make images, class lists,
checkpoints and folders; ``readers`` says who reads them, and how a refusal has to look;
``limited.outcomes`` runs the reader in a child whose CPU time and memory are limited.
"""
