"""A claim shows what the paper prints for its statistic, where the paper prints it."""

import pandas as pd
import pytest
from pydantic import ValidationError

from pipeline.results import rows
from pipeline.stages import claims
from pipeline.study.claim import Claim, Published, published_text
from tests.jobs import made, small
from tests.made_results import RATES, claim, results

REFERENCE = {"gain": {"mnist": 7, "stl10": [2.5, 9]}, "rate": {"mnist/lenet5": 0.3}}


@pytest.mark.parametrize(
    ("dataset", "key", "scale", "told"),
    [
        ("mnist", "gain|{dataset}", 0.01, "0.07"),
        ("stl10", "gain|{dataset}", 0.01, "0.025 to 0.09"),
        ("mnist", "rate|{dataset}/{model}", 1.0, "0.3"),
        ("svhn", "gain|{dataset}", 0.01, ""),  # the paper has nothing on it
        ("mnist", "gain|{dataset}|deeper", 0.01, ""),
    ],
)
def test_what_the_paper_prints_for_a_claim_is_found_by_the_setting(dataset, key, scale, told):
    names = {"dataset": dataset, "model": "lenet5"}
    assert Published(key=key, scale=scale).text(REFERENCE, names) == told


def test_a_claim_without_a_published_value_has_none():
    asked = Claim(paper="uncertainty", claim="linearity", of={}, expect="below")
    assert published_text(asked, {"dataset": "cifar10", "model": "resnet18"}) == ""


@pytest.mark.parametrize("key", ["gain|{defence}", "gain|{}", "gain|{dataset"])
def test_a_key_with_another_place_than_the_settings_is_refused(key):
    with pytest.raises(ValidationError, match=r"takes \{dataset\} and \{model\}"):
        Published(key=key)


def test_the_table_shows_what_the_paper_prints_for_a_claim_where_it_prints_it(
    monkeypatch, tmp_path
):
    folder = tmp_path / "studies/references"
    folder.mkdir(parents=True)
    (folder / "p.yaml").write_text(
        "gain: {mnist: 38}\nclaims: [{id: c, text: it falls}]\nscale: {mnist/lenet5: {seeds: null, "
        "training_images: 60000, test_images: 10000, epochs: 200, network: {method: lenet5}}}\n"
    )
    known = results(**RATES)
    both = pd.concat([known, known.assign(dataset="stl10")], ignore_index=True)
    monkeypatch.setattr(claims, "read_results", lambda files: both)
    monkeypatch.setattr(claims, "read_untrained", lambda files: known.head(0))
    monkeypatch.setattr(claims, "read_outcomes", lambda files: known.assign(index=0, correct=1))
    asked = claim(paper="p", claim="c", published={"key": "gain|{dataset}", "scale": -0.01})
    defences = [*known.defence.unique()]
    study = small(
        claims={"falls": asked.model_dump()},
        seeds=[0, 1],
        settings=[{"dataset": name, "model": "lenet5"} for name in ("mnist", "stl10")],
        datasets={"mnist": {"method": "mnist"}, "stl10": {"method": "stl10"}},
        models={"lenet5": {"method": "lenet5"}},
        defences={name: {"method": "standard"} for name in defences},
        pretrain={name: {"epochs": 20} for name in defences},
        training_images=6000,
    )
    job = made(study, "claims")
    monkeypatch.chdir(tmp_path)
    claims.run(job)
    table = rows.read(job.writes["claims"]).set_index("dataset")
    assert table.published.to_dict() == {"mnist": "-0.38", "stl10": ""}
    less = "6,000 of 60,000 training images, 20 of 200 epochs; 1 % of images x epochs"
    assert table.smaller_than_paper.to_dict() == {"mnist": less, "stl10": ""}
    assert table.value.to_list() == pytest.approx([-0.38, -0.38])
