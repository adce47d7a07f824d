"""A paper's claim in a study: the statistic that tests it, and the side that the paper claims."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from pipeline.study.schema import Column, Where
from pipeline.study.slices import REFERENCES
from pipeline.study.strict_yaml import StudyError, read
from pipeline.study.target import reference_value
from robustinfo.core.settings import Fraction01, Settings

SETTING = ("dataset", "model")
Judgement = Literal[
    "supported", "not supported", "undecided", "saturated", "undertrained", "confounded"
]


class Alike(Settings):
    """A control: a quantity that both sides of a comparison must have alike."""

    where: Where  # the columns in which its rows differ from those of each side
    within: Fraction01  # the most that a seed's two values differ by, as a share of the greater

    @field_validator("where")
    @classmethod
    def it_is_a_quantity(cls, where: Where) -> Where:
        """Require the quantity: without it the control would be what the claim compares."""
        if "quantity" not in where:
            raise ValueError("name the `quantity` that must be alike")
        return where

    def for_side(self, side: Where) -> Where:
        """Filter for the quantity on one of the two sides."""
        return {**side, **self.where}


class Published(Settings):
    """Place of the paper's value of a claim's statistic: a number, or the two ends of a range."""

    key: str  # in the claim's reference file; {dataset} and {model} are those of the setting
    scale: float = 1.0  # 0.01 where the paper prints percent

    @field_validator("key")
    @classmethod
    def key_has_known_places(cls, key: str) -> str:
        """Check the placeholders now: the key is looked up when a whole study has run."""
        try:
            key.format(**dict.fromkeys(SETTING, ""))
        except (LookupError, ValueError) as error:
            raise ValueError(f"takes {{dataset}} and {{model}} ({error!r})") from None
        return key

    def text(self, reference: dict, setting: dict[str, str]) -> str:
        """``0.07`` or ``0.02 to 0.09``; empty where the paper prints none in the setting."""
        published = reference_value(reference, self.key, setting)
        values = published if isinstance(published, list) else [published]
        return "" if published is None else " to ".join(f"{self.scale * one:g}" for one in values)


class Claim(Settings):
    """Per seed, a ``statistic`` of one or two selections.

    - difference: value of ``of``, minus that of ``against`` if there is one.
    - ratio: value of ``of`` over that of ``against``.
    - correlation: Spearman's, of the two over the epochs, or over the levels of a sweep. Fewer than
      five of them, or a constant series, have none.

    With ``worst_over``, that of the least favourable group. With ``alike``, only where both sides
    have these quantities alike. The value of a selection is its mean; or its ``fall``, by how much
    its series over epochs or levels ends below its greatest value; or its ``half_rise``, the first
    epoch or level at which it is half-way from its first value to its greatest.
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
        """Check that ratio, correlation and ``alike`` have a second selection."""
        if self.statistic != "difference" and self.against is None:
            raise ValueError(f"a {self.statistic} needs `against`")
        if self.alike and self.against is None:
            raise ValueError("`alike` compares two sides; it needs `against`")
        if self.statistic == "correlation" and self.comes_to != "mean":
            raise ValueError("a correlation is of values; leave `comes_to` out")
        return self

    @model_validator(mode="after")
    def it_is_a_papers_or_says_what_it_controls(self) -> Self:
        """Check that a claim has a paper and its id there, or a text of its own."""
        if bool(self.paper) != bool(self.claim):
            raise ValueError("`paper` and `claim`, its id there, come together")
        if not (self.paper or self.tested):
            raise ValueError("a claim is a `paper`'s, or says in `tested` what it controls")
        return self

    @field_validator("says")
    @classmethod
    def sentences_have_known_places(cls, says: dict[Judgement, str]) -> dict[Judgement, str]:
        """Check the placeholders now: sentences are filled in when a whole study has run."""
        for sentence in says.values():
            try:
                sentence.format(value=0.0, low=0.0, high=0.0)
            except (KeyError, IndexError, ValueError) as error:
                problem = f"{sentence!r} takes {{value}}, {{low}} and {{high}} ({error!r})"
                raise ValueError(problem) from None
        return says

    @property
    def worst(self) -> str:
        """``max`` or ``min``: which of several values is the least favourable to the claim."""
        return "max" if self.expect == "below" else "min"

    @property
    def groups(self) -> list[Column]:
        """Columns that group the rows, before the worst group is taken and seeds are averaged."""
        return ["seed", *([self.worst_over] if self.worst_over else [])]


def claim_text(claim: Claim) -> str:
    """The claim in the paper's words, or what the study's own control tests.

    Raises StudyError if the reference file has no such id.
    """
    if not claim.paper:
        return claim.tested
    texts = {entry["id"]: entry["text"] for entry in reference(claim)["claims"]}
    if claim.claim not in texts:
        file = f"{REFERENCES}/{claim.paper}.yaml"
        raise StudyError(f"{file}: no claim {claim.claim!r}; choose from {', '.join(texts)}")
    return texts[claim.claim] + (f" (tested: {claim.tested})" if claim.tested else "")


def published_text(claim: Claim, setting: dict[str, str]) -> str:
    """The paper's value of the claim in a setting, as ``Published.text``; empty if none."""
    return "" if claim.published is None else claim.published.text(reference(claim), setting)


def reference(claim: Claim) -> dict:
    """Content of the reference file of the claim's paper."""
    return read(Path(REFERENCES) / f"{claim.paper}.yaml")[0]


def statistic_text(claim: Claim) -> str:
    """The statistic in words: what is compared with what, and the claimed side of the threshold."""
    sign = {"difference": "-", "ratio": "/", "correlation": "correlated with"}[claim.statistic]
    other = f" {sign} {_selection_text(claim.against)}" if claim.against is not None else ""
    group = f", worst {claim.worst_over}" if claim.worst_over else ""
    reduction = "" if claim.comes_to == "mean" else f"{claim.comes_to} of "
    side = f"{claim.expect} {claim.threshold:g}"
    quantities = " and ".join(str(equal.where["quantity"]) for equal in claim.alike)
    condition = f", at like {quantities}" if quantities else ""
    return f"{reduction}{_selection_text(claim.of)}{other}{group}{condition}; claimed {side}"


def _selection_text(where: dict) -> str:
    return " ".join(
        "/".join(map(str, value)) if isinstance(value, list) else str(value)
        for value in where.values()
    )
