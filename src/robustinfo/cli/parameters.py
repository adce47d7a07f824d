"""The parameters that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from robustinfo.evaluation import sources

MODEL = ", ".join(sources.FORMS)
DATA = "a folder of images by class, or a data set, as digits or mnist; a wrong name lists them"

Epsilon = Annotated[str | None, typer.Option(help="of the threat model, as 0.2 or 8/255")]
Norm = Annotated[str | None, typer.Option(help="linf, if none is named, l2 or l1")]
Threat = Annotated[
    list[str] | None,
    typer.Option(help="as linf:8/255; comes again: each threat model is asked, and their union"),
]
Build = Annotated[
    str | None, typer.Option(help="module:Class, which builds the network of a file of weights")
]
BuildArgs = Annotated[
    str | None, typer.Option(help="its arguments: a mapping in JSON or YAML, as {width: 12}")
]
Mean = Annotated[
    str | None, typer.Option(help="where it reads (x - mean) / std: 0.5, or 0.49,0.48,0.45")
]
Std = Annotated[str | None, typer.Option(help="as the mean")]
Size = Annotated[int | None, typer.Option(help="of the images, in pixels", min=1)]
Classes = Annotated[
    Path | None, typer.Option(help="those of a folder, in order: a line each, or JSON")
]
Images = Annotated[int | None, typer.Option(help="how many, whatever the protocol says", min=1)]
Device = Annotated[str, typer.Option(help="cpu, cuda or cuda:1; else a GPU if there is")]
