"""One file per check of a trained model; each defines ``Config`` and ``diagnose``.

``diagnose(model, x, y, *, config, generator) -> list[Measurement]`` sees all images at once and
takes them through the network in batches. Where ``Config`` names an attack in ``examples``, or in
``after``, it is given what the attack stage stored of these very images by that keyword.
"""
