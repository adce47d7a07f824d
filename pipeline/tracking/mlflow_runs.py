"""Finished runs of a study in MLflow's form: flat parameters, a key, named metrics by step.

A run is finished once all its result files exist. Its key is the sha256 of these files and of
its parameters: the same results have the same key on every machine. Nothing here knows mlflow.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

from pipeline.results import rows
from pipeline.run.plan import Plan
from pipeline.study.early import SECTION as STOP_EARLY
from pipeline.study.quantities import UNION
from pipeline.study.slices import KINDS, TRAININGS
from robustinfo.core.settings import Norm

ADOPT = "adopt"  # in place of a training
TEST_STAGES = ("measure", "complexity", "distort", "diagnose")
NORMS = get_args(Norm)
# Pages open on the number that was logged first: that of a norm, which is a threat model.
HEADLINES = [f"robust/{norm}.robust_accuracy" for norm in NORMS]
# The charts of a section share what stands before the last slash, and a title shows 27 letters:
# few sections, what is compared in the same one, what tells its charts apart early in the name.
OTHER = "{entry}/{input}/{layer}.{quantity}"  # of a stage that is not named here
NAMES = {
    "train": "{quantity}",
    "stop_early": "validation/{quantity}/{input}",
    "measure": "{entry}/{input}/{layer}.{quantity}",
    "snapshot": "snapshot/{quantity}/{input}",
    "attack": "{quantity}/{entry}",
    "complexity": "complexity/{entry}/{input}.{quantity}",
    "distort": "distortion/{entry}/{quantity}/{input}",
    "distorted layer": "distortion/{entry}/{quantity}/{input}/{layer}",
    "diagnose": "diagnostics/{entry}/{quantity}",
    "transfer": "{quantity}_from_{input}/{entry}",
    "learn": "learning/{entry}/{input}.{quantity}",
    "remedies": "robust/{entry}.{quantity}",
    "detect": "detection/{input}/{entry}.{quantity}",
    "diagnose clean": "robust/clean_{quantity}",
    **{f"diagnose {of}": f"robust/{of}.{{quantity}}" for of in (*NORMS, UNION)},
    **{f"transfer {of}": f"robust/{of}.{{quantity}}_with_transfers" for of in (*NORMS, UNION)},
}


class Run(NamedTuple):
    """One finished run. swept: {(stage, entry): the setting that is swept}."""

    names: dict[str, str]
    params: dict[str, str]
    swept: dict[tuple[str, str], str]
    files: list[Path]
    key: str
    checkpoint_sha256: str

    @property
    def name(self) -> str:
        """``digits/lenet5/entropic/0``."""
        return "/".join(self.names.values())

    @property
    def defence(self) -> str:
        """``digits/lenet5/entropic``, the same for all its seeds."""
        return self.name.rpartition("/")[0]


def runs(study: dict[str, Any]) -> tuple[list[Run], int]:
    """(finished runs, all with the same parameter names; number of unfinished ones)."""
    finished, incomplete, plan = [], 0, Plan(study)
    for names, files in _expected_runs(plan):
        if all(file.is_file() for file in files):
            finished.append(_finished_run(plan, names, files))
        else:
            incomplete += 1
    all_params = dict.fromkeys(key for run in finished for key in run.params)
    aligned = [run._replace(params=dict.fromkeys(all_params, "-") | run.params) for run in finished]
    return aligned, incomplete


def metrics(run: Run) -> Iterator[tuple[str, float, int]]:
    """(name, value, step) of every finite number of the run. A step is an epoch or a level.

    Steps are whole numbers: a sweep with fractions counts in thousandths, as its name shows.
    """
    for file in run.files:
        if file.suffix == ".csv":
            table = rows.read(file)
            table = table[~(table.stage.eq("diagnose") & table.input.ne(""))]  # points of pictures
            fractional = table[table.level % 1 > 0]
            fractions = set(zip(fractional.stage, fractional.entry, strict=True))
            for row in table[table.value.map(math.isfinite)].itertuples():
                sweep = (row.stage, row.entry)
                if math.isnan(row.level):
                    yield (
                        _metric_name(row),
                        row.value,
                        0 if math.isnan(row.epoch) else int(row.epoch),
                    )
                else:
                    scale = 1000 if sweep in fractions else 1
                    axis = f"_by_{run.swept.get(sweep, 'level')}" + "_x1000" * (scale == 1000)
                    yield _metric_name(row) + axis, row.value, round(row.level * scale)


def place(metric: str) -> int:
    """Where a metric is logged: the HEADLINES first."""
    return HEADLINES.index(metric) if metric in HEADLINES else len(HEADLINES)


def _metric_name(row: Any) -> str:  # noqa: ANN401 - a row of itertuples
    kind = f"{row.stage} {row.entry}"
    if row.stage == "measure" and not row.entry:
        kind = "snapshot"
    elif row.stage == "distort" and row.layer:
        kind = "distorted layer"
    name = NAMES.get(kind, NAMES.get(row.stage, OTHER)).format(
        entry=row.entry, input=row.input, layer=row.layer, quantity=row.quantity
    )
    # The whole network is no layer, and a complexity is a mean unless it says more.
    return name.replace("/network.", "/").removesuffix(".mean")


def _expected_runs(plan: Plan) -> Iterator[tuple[dict[str, str], list[Path]]]:
    """(names, files) of every run of the study: its checkpoint, all tables, and remedies."""
    for job in plan.of("collect"):
        read = plan.reads(job)
        for model in read["model"]:
            tables = [
                file.path for file in read["tables"] if model.names.items() <= file.names.items()
            ]
            remedied = [plan.writes(one)["remedied"] for one in plan.of("remedies", **model.names)]
            yield model.names, [model.path, *tables, *remedied]


def _finished_run(plan: Plan, names: dict[str, str], files: list[Path]) -> Run:
    adopted = bool(plan.of(ADOPT, **names))
    used: dict[str, Any] = {"start": "elsewhere" if adopted else "scratch"}
    for stage in (ADOPT, *TRAININGS, STOP_EARLY, *TEST_STAGES):
        for job in plan.of(stage, **names):
            used |= plan.params(job)
    if adopted:
        del used["model"]  # that of the setting's other networks
    params = names | dict(_flat(used, ""))
    swept = {
        (stage, entry): next(iter(content["sweep"]))
        for stage, section in (("distort", "distortions"), ("diagnose", "diagnostics"))
        for entry, content in used.get(section, {}).items()
        if "sweep" in content
    }
    hashes = {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    key = hashlib.sha256(json.dumps([params, hashes], sort_keys=True).encode()).hexdigest()
    return Run(names, params, swept, files, key, hashes[str(files[0])])


def _flat(content: dict[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """``training.epochs: 12``; an entry of a section is one line, or they would be a hundred."""
    for key, value in content.items():
        if not isinstance(value, dict) or not value:
            yield f"{prefix}{key}", _text(value)
        elif prefix.removesuffix(".") in KINDS:
            yield f"{prefix}{key}", ", ".join(f"{k}: {_text(v)}" for k, v in value.items())
        else:
            yield from _flat(value, f"{prefix}{key}.")


def _text(value: Any) -> str:  # noqa: ANN401 - any YAML value
    """A value as YAML has it: null, true, 0.1, texts without quotes."""
    return value if isinstance(value, str) else json.dumps(value)
