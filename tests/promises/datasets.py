"""What every data set promises."""

from pathlib import Path

import numpy as np

from tests.promises import Held


def held(one: Held, root: Path) -> None:
    """root: the folder of all data sets. Raises Broken at the first promise that is broken."""
    raw = {
        split: one.module.load(split, config=one.config, root=root) for split in ("train", "test")
    }
    for split, found in raw.items():
        texts = one.hook("READS") == "texts"
        inputs = found.words if texts else found.images
        shaped = (inputs.dtype, inputs.ndim) == ((np.int32, 2) if texts else (np.uint8, 4))
        one.keeps(shaped, "images are uint8 (n, c, h, w), words int32 (n, length)")
        numbered = found.labels.dtype == np.int64 and found.labels.shape == (len(inputs),)
        one.keeps(numbered, "labels are int64 (n,)")
        there = {*found.labels.tolist()} == {*range(len(found.classes))}
        one.keeps(there, "labels are 0..K-1, all of them, for K classes")
        one.keeps(all(isinstance(name, str) for name in found.classes), "classes have names")
        one.keeps(found.source and "\n" not in found.source, "the source is one line")
        if texts:
            known = inputs.min() >= 0 and inputs.max() < len(found.vocabulary)
            one.keeps(known, "words are places in the vocabulary")
        elif shape := one.hook("image_shape"):
            one.keeps(shape(one.config) == inputs.shape[1:], "image_shape is that of the images")
        again = one.module.load(split, config=one.config, root=root)
        same = np.array_equal(again[0], found[0]) and np.array_equal(again.labels, found.labels)
        one.keeps(same, "it is the same whenever it is asked")
    one.keeps(raw["train"].classes == raw["test"].classes, "both splits have the same classes")
    try:
        one.module.load("validation", config=one.config, root=root)
    except ValueError:
        return
    one.keeps(False, "another split than train and test is refused")
