"""What every method promises, checked for every entry of every study.

A new method is one new file and one new entry: its tests are already here. A misspelt key is found
here too, not six hours into a run.
"""

from importlib import import_module
from math import isfinite
from pathlib import Path
from typing import get_args

import pytest
import torch

from pipeline.study.check import load
from pipeline.study.slices import KINDS, TRAININGS, in_setting
from robustinfo.core import registry
from robustinfo.core.measurement import Interval, Measurement
from robustinfo.core.settings import Settings
from robustinfo.judge.threats import ROLES
from robustinfo.training import loop
from tests.told import told

FILES = [Path("params.yaml"), *sorted(Path("studies").glob("*.yaml"))]
STUDIES = {  # as each of its settings sees it
    f"{file}:{setting['dataset']}/{setting['model']}": in_setting(study, setting)
    for file, study in zip(FILES, map(load, FILES), strict=True)
    for setting in study["settings"]
}
METHODS = [(kind, name) for kind in registry.VERBS for name in registry.names(kind)]
SHAPE, CLASSES = (1, 32, 32), 10
TEXT_SHAPE = (30, 60)  # words of a text, of the vocabulary


def each(section, reads=("images", None)):
    """Every entry of the section in every study, once, at the first level of its sweep.

    reads: only those that read this.
    """
    entries = {
        f"{file}:{name}": next(iter(registry.sweep(entry)))[1]
        for file, study in reversed(STUDIES.items())
        for name, entry in study[section].items()
        if registry.reads(KINDS[section], entry) in reads
    }
    once = {str(entry): name for name, entry in entries.items()}
    entries = {name: entries[name] for name in reversed(once.values())}
    return pytest.mark.parametrize("entry", entries.values(), ids=entries)


def each_on_its_network(section):
    """Like ``each``, with the network of the first setting that has the entry."""
    found = {}
    for file, study in STUDIES.items():
        network = study["models"][file.rpartition("/")[2]]
        for name, entry in study[section].items():
            key = str(next(iter(registry.sweep(entry)))[1])
            if registry.reads("models", network) == "images" and key not in found:
                found[key] = (f"{file}:{name}", entry, network)
    names = [name for name, *_ in found.values()]
    pairs = [(next(iter(registry.sweep(e)))[1], network) for _, e, network in found.values()]
    return pytest.mark.parametrize(("entry", "network"), pairs, ids=names)


def narrow(network):
    """The same layers with few channels: contracts do not ask for accuracy."""
    fields = registry.module("models", network).Config.model_fields
    least = {"width": 2, "hidden": 8, "depth": 10}
    own = network | {name: value for name, value in least.items() if name in fields}
    inner = {"network": narrow(network["network"])} if "network" in network else {}
    return own | inner


def built(network):
    torch.manual_seed(0)
    return registry.get("models", narrow(network))(SHAPE, CLASSES)


def says_what_it_rests_on(one):
    """A measurement has what its kind of interval needs, and leaves its entry to who asked."""
    own = one.low is not None and one.high is not None and one.low <= one.value <= one.high
    needed = {"fraction": bool(one.n) and 0 <= one.value <= 1, "own": own}
    kind = isinstance(one, Measurement) and one.interval in get_args(Interval)
    return kind and not one.entry and needed.get(one.interval, one.low is None is one.high)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return registry.get("models", {"method": "lenet5"})(SHAPE, CLASSES)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(6, *SHAPE, generator=generator), torch.arange(6), generator


@pytest.mark.parametrize(("kind", "name"), METHODS)
def test_every_file_says_what_it_is_and_has_a_strict_config_and_its_verb(kind, name):
    module = import_module(f"robustinfo.{kind}.{name}")
    assert len(module.__doc__.split()) > 8, "say what it is and where it comes from"
    assert issubclass(module.Config, Settings)
    assert module.Config.model_config["extra"] == "forbid" and module.Config.model_config["strict"]
    assert callable(getattr(module, registry.VERBS[kind]))


@each("models")
def test_a_model_gives_logits_and_its_points(entry, batch):
    network = registry.get("models", entry)(SHAPE, CLASSES).eval()
    logits, seen = network.observe(batch[0], (*network.probes, *network.activations))
    assert torch.equal(logits, network(batch[0])) and logits.shape == (6, CLASSES)
    assert set(seen) == {*network.probes, *network.activations}
    assert all(t.ndim == 2 and len(t) == 6 for t in seen.values())
    assert all((seen[layer] >= 0).all() for layer in network.activations)


def quick(kind, entry):
    """The same attack with few steps: contracts do not ask for strength."""
    steps = 11 if kind == "diagnostics" else 2  # the path of an attack has more than ten
    least = {"steps": steps, "binary_search_steps": 2, "draws": 20, "perplexity": 2.0}
    fields = registry.module(kind, entry).Config.model_fields
    return entry | {name: value for name, value in least.items() if name in fields}


@each("attacks")
def test_an_attack_stays_in_its_ball_and_leaves_the_model_alone(entry, model, batch):
    x, y, generator = batch
    before = {name: value.clone() for name, value in model.state_dict().items()}
    x_adv, success = registry.get("attacks", quick("attacks", entry))(
        model, x, y, generator=generator
    )
    config, module = registry.config("attacks", entry), registry.module("attacks", entry)
    assert module.ROLE in ROLES
    assert x_adv.shape == x.shape and success.shape == y.shape and success.dtype == torch.bool
    assert x_adv.min() >= 0 and x_adv.max() <= 1
    if config.epsilon is not None:
        order = {"linf": torch.inf, "l2": 2}[config.norm]
        assert ((x_adv - x).flatten(1).norm(order, dim=1) <= config.epsilon + 1e-5).all()
    assert torch.equal(x_adv[~success], x[~success])
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(weight.grad is None and weight.requires_grad for weight in model.parameters())


@each_on_its_network("defences")
def test_a_defence_gives_finite_scalar_terms_with_a_gradient(entry, network, batch):
    (x, y, generator), model = batch, built(network)
    module, terms = registry.module("defences", entry), registry.get("defences", entry)
    extra = {}
    if hasattr(module, "prepare"):
        config = registry.config("defences", entry)
        _, extra["state"] = module.prepare(model, lambda: [(x, y)], config=config)
    found = terms(model, x, y, generator=generator, **extra)
    sum(found.values()).backward()
    assert all(term.ndim == 0 and term.isfinite() for term in found.values())
    assert any(weight.grad.abs().sum() > 0 for weight in model.parameters())


@each("measures")
def test_a_measure_maps_activations_and_labels_to_named_measurements(entry):
    y = torch.arange(4).repeat(30)
    found = registry.get("measures", entry)(torch.nn.functional.one_hot(y).float(), y)
    assert registry.module("measures", entry).POINTS in ("probes", "activations", "logits")
    assert found and told(found) and all(isinstance(one.value, float) for one in found)
    for one in found:
        assert says_what_it_rests_on(one)
        has_ceiling = one.ceiling is not None
        assert one.quantity.count("bits") == int(has_ceiling), "bits have a ceiling here"
        assert isinstance(one.saturated, bool) == has_ceiling


@each("complexities")
def test_a_complexity_is_one_number_per_image_and_least_for_a_blank_one(entry, batch):
    images = torch.cat([torch.zeros(1, *SHAPE), batch[0]]).mul(255).round().to(torch.uint8)
    found = registry.get("complexities", entry)(images)
    assert found.shape == (7,) and found.dtype == torch.float64
    assert (found[0] < found[1:]).all()


@each("models", ("texts",))
def test_a_model_of_texts_gives_logits_and_its_points(entry):
    network = registry.get("models", entry)(TEXT_SHAPE, CLASSES).eval()
    x = torch.randint(60, (6, 30))
    logits, seen = network.observe(x, (*network.probes, *network.activations))
    assert torch.equal(logits, network(x)) and logits.shape == (6, CLASSES)
    assert all(t.ndim == 2 and len(t) == 6 for t in seen.values())
    assert all((seen[layer] >= 0).all() for layer in network.activations)


@each("attacks", ("texts",))
def test_an_attack_on_words_gives_words_and_leaves_failures_alone(entry):
    torch.manual_seed(0)
    model = registry.get("models", {"method": "text_classifier"})(TEXT_SHAPE, CLASSES)
    x, generator = torch.randint(60, (6, 30)), torch.Generator()
    y = model.eval()(x).argmax(1)
    x_adv, success = registry.get("attacks", quick("attacks", entry))(
        model, x, y, generator=generator
    )
    assert registry.module("attacks", entry).ROLE in ("single_step", "iterated")
    assert x_adv.shape == x.shape and x_adv.dtype == x.dtype and success.dtype == torch.bool
    assert x_adv.min() >= 0 and x_adv.max() < 60
    assert torch.equal(x_adv[~success], x[~success])


@each("complexities", ("texts",))
def test_a_complexity_of_texts_is_one_number_per_text_and_least_for_one_that_repeats(entry):
    found = registry.get("complexities", entry)(["@ " * 40, "three blind mice, 17 men " * 4])
    assert found.shape == (2,) and found.dtype == torch.float64
    assert found[0] < found[1]


@each("distortions")
def test_a_distortion_keeps_the_shape_and_the_box(entry, batch):
    x, _, generator = batch
    found = registry.get("distortions", entry)(x, generator=generator)
    assert found.shape == x.shape and found.min() >= 0 and found.max() <= 1


@each_on_its_network("diagnostics")
def test_a_diagnostic_is_a_list_of_finite_numbers_with_names(entry, network, batch):
    (x, y, generator), model = batch, built(network).eval()
    given = {}
    if "examples" in entry:
        flags = {"correct": y == y, "success": y == y}
        given["examples"] = flags | {"x_adv": x, "distance_l2": y + 1.0, "distance_linf": y + 1.0}
    if "after" in entry:  # which leaves all of them standing
        given["after"] = {"correct": y == y, "success": y != y}
    if "other" in entry:
        given["other"] = given["examples"]
    found = registry.get("diagnostics", quick("diagnostics", entry))(
        model, x, y, generator=generator, **given
    )
    assert found and all(one.quantity and isfinite(one.value) for one in found)
    assert all(says_what_it_rests_on(one) for one in found)


@pytest.mark.parametrize("file", STUDIES)
def test_the_training_of_every_defence_is_valid(file):
    study = STUDIES[file]
    for name in study["defences"]:
        loop.Config(**next(study[one][name] for one in TRAININGS if name in study[one]))


@pytest.mark.parametrize(("kind", "name"), METHODS)
def test_every_file_is_used_by_a_study_or_has_a_test_of_its_own(kind, name):
    used = any(
        entry["method"] == name
        for study in STUDIES.values()
        for entry in study.get(kind, {}).values()
    )
    tested = any(name in file.read_text() for file in Path("tests").rglob("test_*.py"))
    assert used or tested
