"""In what a run is smaller than the paper's: both numbers, or nothing where ours is as large."""

from pathlib import Path

import pytest

from pipeline.study import scale
from pipeline.study.check import load
from pipeline.study.slices import in_setting
from pipeline.study.strict_yaml import read

NAMES = {
    "dataset": "mnist", "model": "net", "defence": "pat", "stage": "attack",
    "entry": "random_search", "input": "",
}  # fmt: skip
INNER = {"steps": 3}


def study(**more):
    return {
        "seeds": [0, 1],
        "datasets": {"mnist": {"method": "mnist"}},
        "models": {"net": {"method": "pytorch_cnn"}},
        "training_images": 6000,
        "validation_share": 0.1,
        "evaluation_images": 200,
        "defences": {"pat": {"method": "adversarial", "attack": INNER}, "plain": {}},
        "pretrain": {"plain": {"epochs": 5}},
        "retrain": {"pat": {"epochs": 10}},
        "train_selected": {},
        "stop_early": [],
        "attacks": {"random_search": {"method": "random_search", "epsilon": 0.1, "draws": 300}},
        "diagnostics": {"left": {"method": "broken", "examples": "random_search"}},
    } | more


def paper(**more):
    nothing = {"training_images": None, "test_images": None, "seeds": None, "network": None}
    return scale.Scale(**nothing | {"epochs": {"pat": 5, "plain": 5}} | more)


def test_all_that_is_smaller_is_told_with_both_numbers():
    theirs = paper(
        training_images=60000,
        test_images={"random_search": 1000, "else": 10000},
        epochs={"pat": 200, "else": 100},
        seeds=3,
        network={"method": "lenet5"},
        inner_steps=10,
        attacks={"random_search": {"draws": 10000}, "pgd": {"steps": 40}},
    )
    assert scale.smaller_than_paper(study(), NAMES, theirs) == (
        "5,400 of 60,000 training images, 10 of 200 epochs, 1/3 of the weights, 2 of 3 seeds, "
        "3 of 10 steps of the inner attack, 200 of 1,000 test images, "
        "300 of 10,000 draws of random_search; 0.45 % of images x epochs"
    )
    clean = scale.smaller_than_paper(
        study(), NAMES | {"defence": "plain", "entry": "clean"}, theirs
    )
    assert "5 of 100 epochs" in clean and "200 of 10,000 test images; 0.45 %" in clean
    assert "inner" not in clean and "draws" not in clean


def test_what_is_as_large_and_what_the_paper_does_not_print_is_not_smaller():
    assert scale.smaller_than_paper(study(), NAMES, paper()) == ""
    as_large = paper(
        training_images=5400, test_images=200, seeds=2, network={"method": "pytorch_cnn"},
        inner_steps=3, attacks={"random_search": {"draws": 300}},
    )  # fmt: skip
    assert scale.smaller_than_paper(study(validation_share=0.0), NAMES, as_large) == ""


def test_more_images_than_are_attacked_count_as_measured():
    theirs = paper(test_images=10000)
    assert scale.smaller_than_paper(study(), NAMES, theirs, n=150) == "200 of 10,000 test images"
    assert scale.smaller_than_paper(study(), NAMES, theirs, n=5000) == "5,000 of 10,000 test images"
    assert scale.smaller_than_paper(study(evaluation_images=None), NAMES, theirs, n=150) == ""


def test_the_complexity_of_clean_images_knows_no_training():
    theirs = paper(training_images=60000, test_images=10000, seeds=3)
    about = NAMES | {"stage": "complexity", "entry": "jpeg_20"}
    of_clean = scale.smaller_than_paper(study(), about | {"input": "clean"}, theirs)
    assert of_clean == "200 of 10,000 test images"
    assert "2 of 3 seeds" in scale.smaller_than_paper(study(), about | {"input": "fgsm"}, theirs)


def test_a_diagnostic_of_stored_examples_has_the_scale_of_their_attack():
    theirs = paper(attacks={"random_search": {"draws": 10000}})
    told = scale.smaller_than_paper(study(), NAMES | {"entry": "left"}, theirs)
    assert told == "300 of 10,000 draws of random_search"


def test_unprinted_epochs_are_told_as_ours():
    told = scale.smaller_than_paper(study(), NAMES, paper(training_images=60000, epochs=None))
    assert told == "5,400 of 60,000 training images, 10 epochs where the paper prints none"
    assert (
        scale.training_fraction(study(), "pat", paper(training_images=60000, epochs=None)) is None
    )


def test_all_images_are_as_many_as_the_papers_without_the_held_out_ones():
    own, theirs = study(training_images=None), paper(training_images=60000)
    assert scale.images(own, theirs) == "54,000 of 60,000 training images"
    assert scale.training_fraction(own, "plain", theirs) == pytest.approx(0.9)
    assert scale.images(study(training_images=None, validation_share=0.0), theirs) == ""


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [  # LeNet-5 has 61,706 weights, PyTorch's example 21,840; the others 11,042 and 13,790
        ({"method": "pytorch_cnn"}, {"method": "lenet5"}, "1/3 of the weights"),
        ({"method": "lenet5"}, {"method": "pytorch_cnn"}, ""),
        ({"method": "keras_cnn", "blocks": [[4]], "dense": [16]},
         {"method": "keras_cnn", "blocks": [[4]], "dense": [20]}, "80 % of the weights"),
        ({"method": "lenet5"}, None, ""),
    ],
)  # fmt: skip
def test_networks_are_compared_by_their_weights(ours, theirs, told):
    own = study(models={"net": ours})
    assert scale.weights(own, "mnist", "net", paper(network=theirs)) == told


def test_the_inner_attack_may_be_that_of_what_a_defence_is_built_on():
    built = {"pat": {"method": "ib_rar", "base": {"method": "trades", "attack": INNER}}}
    told = scale.smaller_than_paper(study(defences=built), NAMES, paper(inner_steps=7))
    assert told.startswith("3 of 7 steps of the inner attack")


def test_settings_that_an_attack_leaves_out_are_its_defaults():
    own = study(attacks={"random_search": {"method": "random_search", "epsilon": 0.1}})
    from robustinfo.attacks.random_search import Config

    draws = Config(epsilon=0.1).draws
    theirs = paper(attacks={"random_search": {"draws": draws + 1}})
    assert f"{draws:,} of {draws + 1:,} draws" in scale.smaller_than_paper(own, NAMES, theirs)


def test_entropic_retraining_has_the_papers_scale_in_full_and_a_tenth_of_the_images_in_small():
    published = read(Path("studies/references/entropic-retraining.yaml"))[0]
    names = NAMES | {"model": "lenet5", "defence": "entropic", "entry": "fgsm"}
    theirs = scale.of_paper(published, "mnist", "lenet5")
    told = {
        end: scale.smaller_than_paper(
            in_setting(load(Path(f"studies/entropic-retraining{end}.yaml")), names), names, theirs
        )
        for end in ("", "-small")
    }
    assert told[""] == ""
    assert told["-small"] == (
        "6,000 of 60,000 training images, 10 of 200 epochs, 200 of 10,000 test images; "
        "0.5 % of images x epochs"
    )
    assert scale.of_paper(published, "svhn", "lenet5") is None
