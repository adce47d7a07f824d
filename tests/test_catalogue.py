import math
from importlib import import_module

import pytest
import torch
from pydantic import ValidationError

from robustinfo.core import registry
from robustinfo.core.settings import Settings

PGD = {"method": "pgd", "epsilon": "8/255", "step_size": "2/255", "steps": 7}


def test_a_file_is_found_by_its_name_and_a_shared_file_is_no_method():
    assert "pgd" in registry.names("attacks")
    assert not any(name.startswith("_") for kind in registry.VERBS for name in registry.names(kind))


@pytest.mark.parametrize(
    "kind, name", [(kind, name) for kind in registry.VERBS for name in registry.names(kind)]
)
def test_every_file_defines_a_config_and_the_verb_of_its_folder(kind, name):
    file = import_module(f"robustinfo.{kind}.{name}")
    assert issubclass(file.Config, Settings)
    assert callable(getattr(file, registry.VERBS[kind]))


@pytest.mark.parametrize("method", ["pdg", "_foolbox", "../attacks/pgd", "", None])
def test_an_unknown_method_is_refused_with_the_choices(method):
    with pytest.raises(ValueError, match=r"attacks/ has adaptive, .*, pgd"):
        registry.get("attacks", PGD | {"method": method})


def test_an_entry_without_a_method_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="no method None; losses/ has cross_entropy"):
        registry.get("losses", {})


def test_a_misspelt_parameter_is_refused_by_name():
    with pytest.raises(ValidationError, match=r"step_sise\n.*not permitted"):
        registry.get("attacks", PGD | {"step_sise": 0.1})


def test_a_missing_parameter_is_refused_by_name():
    with pytest.raises(ValidationError, match=r"steps\n.*[Ff]ield required"):
        registry.get("attacks", {key: PGD[key] for key in PGD if key != "steps"})


@pytest.mark.parametrize(
    "written, value", [("8/255", 8 / 255), ("0/255", 0.0), (0.3, 0.3), (1, 1.0)]
)
def test_pixels_are_numbers_or_fractions_as_the_papers_print_them(written, value):
    assert registry.config("attacks", PGD | {"epsilon": written}).epsilon == value


@pytest.mark.parametrize(
    "bad",
    ["1e-3", "0.3", "-8/255", "8/0", "8/255/2", "", -0.1, -8 / 255, math.nan, math.inf, True, None],
)
def test_anything_else_is_no_number_of_pixels(bad):
    with pytest.raises(ValidationError, match="epsilon"):
        registry.config("attacks", PGD | {"epsilon": bad})


@pytest.mark.parametrize("bad", [{"steps": 7.0}, {"steps": 0}, {"steps": "7"}, {"norm": "Linf"}])
def test_a_value_of_the_wrong_type_is_refused(bad):
    with pytest.raises(ValidationError, match=next(iter(bad))):
        registry.config("attacks", PGD | bad)


def test_settings_never_change():
    config = registry.config("attacks", PGD)
    with pytest.raises(ValidationError, match="frozen"):
        config.epsilon = 1.0


def test_the_verb_comes_with_its_settings_bound():
    loss = registry.get("losses", {"method": "cross_entropy"})
    logits, y = torch.zeros(3, 4), torch.tensor([0, 1, 2])
    assert loss(logits, y).item() == pytest.approx(torch.tensor(4.0).log().item())


def test_a_sweep_is_one_entry_per_level():
    found = list(registry.sweep({"method": "jpeg", "sweep": {"quality": [5, 20]}}))
    assert found == [(5, {"method": "jpeg", "quality": 5}), (20, {"method": "jpeg", "quality": 20})]
    assert list(registry.sweep({"method": "jpeg", "quality": 5})) == [
        (None, {"method": "jpeg", "quality": 5})
    ]
