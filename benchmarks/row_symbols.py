"""What it costs to number the distinct rows of binned activations: our hash, or a kept library's.

    python -m benchmarks.row_symbols [rounds] [file]

5,000 samples of 6,272 neurons, bins of width 0.5, one CPU thread: Gaussian noise, where every row
is another; 500 rows ten times each; and one row 5,000 times, where no column can be left unread.
Every loop starts from the float32 activations and gives one id per sample. The loops take turns, so
that whatever else the machine does meets all of them, and the time is the processor's. First all
must agree on which samples share an id. The numbers are printed, and written to ``file``.

ours: ``maths/binning.py``, which reads a row no farther than to where it differs. Of the libraries
each gets whole numbers, int32: numpy sorts rows, or rows as one void each, which is how arXiv
1703.00810 was published; torch sorts rows; pandas hashes the bytes of each row.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from benchmarks._timing import header, seconds, spread, write
from robustinfo.maths.binning import symbols

SAMPLES, NEURONS, WIDTH, TWICE = 5000, 6272, 0.5, 10
CPU = torch.device("cpu")


def layers() -> dict[str, Tensor]:
    noise = torch.randn(SAMPLES, NEURONS, generator=torch.Generator().manual_seed(0))
    return {
        "every row another": noise,
        "every row ten times": noise[: SAMPLES // TWICE].repeat(TWICE, 1),
        "one row": noise[:1].repeat(SAMPLES, 1),
    }


def cells(t: Tensor) -> Tensor:
    return (t / WIDTH).floor_().int()


def numpy_rows(t: Tensor) -> np.ndarray:
    return np.unique(cells(t).numpy(), axis=0, return_inverse=True)[1].ravel()


def numpy_voids(t: Tensor) -> np.ndarray:
    rows = cells(t).numpy()
    voids = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    return np.unique(voids, return_inverse=True)[1]


def torch_rows(t: Tensor) -> np.ndarray:
    return cells(t).unique(dim=0, return_inverse=True)[1].numpy()


def pandas_bytes(t: Tensor) -> np.ndarray:
    rows = np.empty(len(t), dtype=object)
    rows[:] = [row.tobytes() for row in cells(t).numpy()]
    return pd.factorize(rows)[0]


LOOPS: dict[str, Callable[[Tensor], np.ndarray]] = {
    "ours": lambda t: symbols(t, WIDTH),
    "np.unique of rows": numpy_rows,
    "np.unique of voids": numpy_voids,
    "torch.unique of rows": torch_rows,
    "pandas.factorize of bytes": pandas_bytes,
}


def shared(ids: np.ndarray) -> np.ndarray:
    """For each sample the first one with its id: alike for every way of numbering."""
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    return first[inverse]


def measured(t: Tensor, rounds: int) -> dict:
    expected = shared(numpy_voids(t))
    for name, run in LOOPS.items():
        if not np.array_equal(shared(run(t)), expected):
            sys.exit(f"error: {name} takes other rows for alike: nothing is timed")
    times: dict[str, list[float]] = {name: [] for name in LOOPS}
    for _ in range(rounds):
        for name, run in LOOPS.items():
            times[name].append(seconds(lambda run=run: run(t), CPU))  # type: ignore[misc]
    ratios = {
        f"{name} / ours": spread(
            [a / b for a, b in zip(times[name], times["ours"], strict=True)], 1
        )
        for name in LOOPS
        if name != "ours"
    }
    return {"seconds": {name: spread(values, 3) for name, values in times.items()}} | ratios


def main(rounds: int = 5, file: str | None = None) -> None:
    torch.set_num_threads(1)
    found = header(CPU, rounds, numpy=np.__version__, pandas=pd.__version__)
    found |= {name: measured(t, rounds) for name, t in layers().items()}
    write(found, Path(file) if file else None)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:])
