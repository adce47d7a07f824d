"""Reference, sections: the content of a study file."""

from inspect import getdoc
from typing import Any

from pipeline.report.reference.markdown import default, fields, kind, table
from pipeline.study import schema as shapes
from pipeline.study.claim import Alike, Claim, Published
from pipeline.study.entries import SWEPT
from pipeline.study.external import External
from pipeline.study.json_schema import schema
from pipeline.study.per import SECTIONS
from pipeline.study.plot_kinds import REQUIREMENTS
from pipeline.study.slices import KINDS, TRAININGS
from pipeline.study.target import Paper, Target
from robustinfo.training import augment, loop

OF_SECTIONS = {
    "settings": shapes.Setting,
    "selection": shapes.Selection,
    "stop_early": shapes.StopEarly,
    "threat": shapes.Limits,
    "transfers": shapes.Transfer,
    "distorted": shapes.Distorted,
    "verdict": shapes.Verdict,
}
LANGUAGE = """## The language

- **Entries.** A section such as `attacks` holds `name: {{method: file, its settings}}`. The method
  is a file of `src/robustinfo/<folder>/`; the name is the study's, and stands in paths and results.
  One more line is one more variant.
- **`extends: other.yaml`** names a study that this one differs from. Mappings are merged key by
  key; anything else replaces what was inherited, and so does an entry with another `method`. `null`
  removes an inherited entry, `figure-4-*: null` all that are named so. `name` is never inherited.
- **`per`** makes a value depend on the setting: `{{per: {{mnist: 0.3, cifar10/vgg16: 8/255, else:
  0.03}}}}`. `dataset/model` wins over a data set, and **`else`** serves all that are not named. It
  may take the place of any value, or of an entry, in these sections: {per}.
- **`null`** for an entry, as one of the values of `per`: there is none in that setting.
- **`sweep: {{setting: [values]}}`** makes an entry once for each value, which becomes the column
  `level`; in {swept}, and of the distortion in `learning/retrained`.
- **Sizes** of perturbations are in pixel values of [0, 1], written as numbers or as `8/255`.
- YAML's anchors and merges (`&x`, `*x`, `<<: *x`) are allowed; tags are not."""
FILTERS = """### Selections

`where`, and `of` and `against` of a claim, select rows of the results: `{column: value}` or
`{column: [values]}`, all of which must hold. The columns are
[those of the results](#columns-of-the-results) up to `quantity`. `epoch: first` and `epoch: last`
are the first and the last snapshot of each run. Every value must be one that the results of the
study will hold: that is checked before any job."""


def parts() -> list[str]:
    """Markdown of the section."""
    json_schema = schema()
    return [
        "## Sections",
        _sections(json_schema),
        *_models(json_schema, dict(OF_SECTIONS), "### `{}`"),
        *_training(json_schema),
        *_models(json_schema, {"A network trained elsewhere": External}, "### {}"),
        LANGUAGE.format(per=_listed(SECTIONS), swept=_listed(SWEPT)),
        *_targets(json_schema),
        *_claims(json_schema),
    ]


def _sections(json_schema: dict[str, Any]) -> str:
    lines = []
    for name, field in shapes.Study.model_fields.items():
        section_schema = json_schema["properties"][name]
        if name in KINDS:
            value = f"entries of [{KINDS[name]}/](#{KINDS[name]})"
            if name == "defences":
                value += " or [networks trained elsewhere](#a-network-trained-elsewhere)"
        elif name in TRAININGS:
            value = "names of `defences`, each a [training](#a-training)"
        elif name in OF_SECTIONS:
            listed = field.annotation is not OF_SECTIONS[name]
            value = f"{'list, each ' if listed else ''}[as below](#{name})"
        elif name in ("tables", "figures", "claims"):
            heading = "claims" if name == "claims" else "tables-and-figures"
            value = f"names, each [as below](#{heading})"
        else:
            value = kind(section_schema)
        lines.append([f"`{name}`", value, default(field), section_schema.get("description", "")])
    return table(["section", "value", "without it", "meaning"], lines)


def _models(json_schema: dict[str, Any], models: dict[str, type], heading: str) -> list[str]:
    markdown = []
    for name, model in models.items():
        described = getdoc(model) or ""
        description = "" if described.startswith("Base of") else described
        properties = json_schema["$defs"][model.__name__]["properties"]
        markdown += [heading.format(name), *filter(None, [description]), fields(model, properties)]
    return markdown


def _training(json_schema: dict[str, Any]) -> list[str]:
    definitions = {
        module: json_schema["$defs"][
            f"robustinfo__training__{module.__name__.rpartition('.')[2]}__Config"
        ]
        for module in (loop, augment)
    }
    introduction = (
        "Of `pretrain`, `retrain`, `train_selected`, and of the methods of learning/ that train:"
    )
    return [
        "### A training",
        introduction,
        fields(loop.Config, definitions[loop]["properties"]),
        "Its `augmentation`:",
        fields(augment.Config, definitions[augment]["properties"]),
    ]


def _targets(json_schema: dict[str, Any]) -> list[str]:
    ways = [[f"`{name}`", takes] for name, (takes, _) in REQUIREMENTS.items()]
    return [
        "## Tables and figures",
        Target.__doc__ or "",
        *_models(json_schema, {"Target": Target}, "### Keys of a table or figure")[::2],
        FILTERS,
        "### Ways to `draw`",
        table(["draw", "takes"], ways),
        *_models(json_schema, {"paper": Paper}, "### `{}`"),
    ]


def _claims(json_schema: dict[str, Any]) -> list[str]:
    return [
        "## Claims",
        getdoc(Claim) or "",
        *_models(json_schema, {"Claim": Claim}, "### Keys of a claim")[::2],
        *_models(json_schema, {"alike": Alike, "published": Published}, "### `{}`"),
    ]


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
