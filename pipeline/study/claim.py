"""What a study says of a paper's claim: which numbers speak of it, and which side it is on."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from pipeline.study.schema import Column, Where
from pipeline.study.slices import REFERENCES
from pipeline.study.strict_yaml import StudyError, read
from pipeline.study.target import looked_up
from robustinfo.core.settings import Fraction01, Settings

SETTING = ("dataset", "model")
Judgement = Literal[
    "supported", "not supported", "undecided", "saturated", "undertrained", "confounded"
]


class Alike(Settings):
    """A quantity that both sides of a comparison must have alike, or it is of something else."""

    where: Where  # the columns in which its rows differ from those of each side
    within: Fraction01  # the most that a seed's two values differ by, as a share of the greater

    @field_validator("where")
    @classmethod
    def it_is_a_quantity(cls, where: Where) -> Where:
        """Otherwise it would be what the claim compares."""
        if "quantity" not in where:
            raise ValueError("name the `quantity` that must be alike")
        return where

    def of_side(self, side: Where) -> Where:
        """Which rows are the quantity of one of the two selections."""
        return {**side, **self.where}


class Published(Settings):
    """Where the paper's value of a claim's statistic stands: a number, or two of a range."""

    key: str  # in the claim's reference file; {dataset} and {model} are those of the setting
    scale: float = 1.0  # 0.01 where the paper prints percent

    @field_validator("key")
    @classmethod
    def key_has_known_places(cls, key: str) -> str:
        """It is looked up when a whole study has run."""
        try:
            key.format(**dict.fromkeys(SETTING, ""))
        except (LookupError, ValueError) as error:
            raise ValueError(f"takes {{dataset}} and {{model}} ({error!r})") from None
        return key

    def told(self, reference: dict, names: dict[str, str]) -> str:
        """``0.07`` or ``0.02 to 0.09``; nothing where the paper prints none in the setting."""
        found = looked_up(reference, self.key, names)
        values = found if isinstance(found, list) else [found]
        return "" if found is None else " to ".join(f"{self.scale * one:g}" for one in values)


class Claim(Settings):
    """Per seed, a ``statistic`` of one or two selections.

    - difference: what ``of`` comes to, minus what ``against`` does if there is one.
    - ratio: what ``of`` comes to, by what ``against`` does.
    - correlation: Spearman's, of the two over the epochs, or over the levels of a sweep. Fewer than
      five of them, or a constant series, have none.

    With ``worst_over``, that of the least favourable group. With ``alike``, only where both sides
    have these quantities alike. A selection comes to its mean; or to its ``fall``, by how much its
    series over epochs or levels ends below its greatest value; or to its ``half_rise``, the first
    epoch or level by which it has come half-way from its first value to its greatest.
    """

    paper: str = ""  # of studies/references, without .yaml; none: a control of the study's own
    claim: str = ""  # its id there
    # of `of` and `against`; a correlation is Spearman's, over epochs or levels
    statistic: Literal["difference", "ratio", "correlation"] = "difference"
    tested: str = ""  # which part of the claim the statistic speaks of, or what it controls
    of: Where  # the rows that it is about
    against: Where | None = None  # the rows that it compares them with
    # a column, e.g. entry: the value is that of the least favourable attack, so all must show it
    worst_over: Column | None = None
    # what the rows of a side are made to: their mean; `fall`: by how much a series ends below its
    # greatest value; `half_rise`: where it has come half-way from its first value to its greatest
    comes_to: Literal["mean", "fall", "half_rise"] = "mean"
    over: Literal["epoch", "level"] = "epoch"  # what a series runs over
    # quantities that both sides must have alike, e.g. the accuracy of two networks
    alike: list[Alike] = Field(default_factory=list)
    expect: Literal["below", "above"]  # on which side of the threshold the paper says it lies
    threshold: float = 0.0  # of the statistic
    published: Published | None = None  # the paper's own value, shown beside ours
    # What the report says first: a sentence per judgement, with {value}, {low} and {high}.
    says: dict[Judgement, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def two_selections_are_compared(self) -> Self:
        """A correlation is taken over their values as they are."""
        if self.statistic != "difference" and self.against is None:
            raise ValueError(f"a {self.statistic} needs `against`")
        if self.alike and self.against is None:
            raise ValueError("`alike` compares two sides; it needs `against`")
        if self.statistic == "correlation" and self.comes_to != "mean":
            raise ValueError("a correlation is of values; leave `comes_to` out")
        return self

    @model_validator(mode="after")
    def it_is_a_papers_or_says_what_it_controls(self) -> Self:
        """A claim without a paper has no text there."""
        if bool(self.paper) != bool(self.claim):
            raise ValueError("`paper` and `claim`, its id there, come together")
        if not (self.paper or self.tested):
            raise ValueError("a claim is a `paper`'s, or says in `tested` what it controls")
        return self

    @field_validator("says")
    @classmethod
    def sentences_have_known_places(cls, says: dict[Judgement, str]) -> dict[Judgement, str]:
        """They are filled in when a whole study has run: too late for a slip of the pen."""
        for sentence in says.values():
            try:
                sentence.format(value=0.0, low=0.0, high=0.0)
            except (KeyError, IndexError, ValueError) as error:
                problem = f"{sentence!r} takes {{value}}, {{low}} and {{high}} ({error!r})"
                raise ValueError(problem) from None
        return says

    @property
    def worst(self) -> str:
        """The least favourable of several values is their ..."""
        return "max" if self.expect == "below" else "min"

    @property
    def groups(self) -> list[Column]:
        """What a value is computed for, before the worst is taken and seeds come together."""
        return ["seed", *([self.worst_over] if self.worst_over else [])]


def text_of(claim: Claim) -> str:
    """The claim in the paper's terms. Raises StudyError if the reference file has no such id.

    A control of the study's own is what it says.
    """
    if not claim.paper:
        return claim.tested
    texts = {known["id"]: known["text"] for known in reference(claim)["claims"]}
    if claim.claim not in texts:
        file = f"{REFERENCES}/{claim.paper}.yaml"
        raise StudyError(f"{file}: no claim {claim.claim!r}; choose from {', '.join(texts)}")
    return texts[claim.claim] + (f" (tested: {claim.tested})" if claim.tested else "")


def published(claim: Claim, names: dict[str, str]) -> str:
    """What the paper prints for the claim in a setting (``Published.told``), if anything."""
    return "" if claim.published is None else claim.published.told(reference(claim), names)


def reference(claim: Claim) -> dict:
    """The content of its paper's reference file."""
    return read(Path(REFERENCES) / f"{claim.paper}.yaml")[0]


def named(claim: Claim) -> str:
    """The statistic in words: what is compared with what, and on which side it is claimed."""
    sign = {"difference": "-", "ratio": "/", "correlation": "correlated with"}[claim.statistic]
    other = f" {sign} {_selection(claim.against)}" if claim.against is not None else ""
    group = f", worst {claim.worst_over}" if claim.worst_over else ""
    what = "" if claim.comes_to == "mean" else f"{claim.comes_to} of "
    side = f"{claim.expect} {claim.threshold:g}"
    names = " and ".join(str(one.where["quantity"]) for one in claim.alike)
    alike = f", at like {names}" if names else ""
    return f"{what}{_selection(claim.of)}{other}{group}{alike}; claimed {side}"


def _selection(where: dict) -> str:
    return " ".join(
        "/".join(map(str, value)) if isinstance(value, list) else str(value)
        for value in where.values()
    )
