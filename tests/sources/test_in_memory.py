"""A network that the caller has in memory: it is judged, and stays as it is."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from robustinfo.core.errors import UserError
from robustinfo.evaluation.sources import in_memory

SHAPE, CLASSES = (3, 4, 4), 5


def small(classes=CLASSES):
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.Flatten()
    return nn.Sequential(*layers, nn.Linear(16, classes))


def given(network, shape=SHAPE, classes=CLASSES, **options):
    return in_memory(network, shape=shape, classes=classes, **options)


def images(n=6):
    return torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(1))


def state(network):
    return {
        name: (one.dtype, one.device, one.requires_grad, one.grad, one.detach().clone())
        for name, one in [*network.named_parameters(), *network.named_buffers()]
    }


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.float64])
def test_the_callers_network_stays_as_it_is(dtype):
    network = small().to(dtype).train()
    network[1].eval()
    network[0].requires_grad_(False)
    modes, before = [part.training for part in network.modules()], state(network)
    guard = given(network)
    guard.train().requires_grad_(True)(images()).sum().backward()
    assert [part.training for part in network.modules()] == modes
    after = state(network)
    assert {k: v[:4] for k, v in after.items()} == {k: v[:4] for k, v in before.items()}
    assert all(after[name][4].equal(before[name][4]) for name in before)


def test_it_answers_in_eval_mode_as_the_network_does():
    network = small().train()
    guard = given(network)
    assert guard(images()).equal(copy.deepcopy(network).eval()(images()))


def test_a_network_that_keeps_its_last_activations_is_copied_without_their_graph():
    network = small().eval()
    network[3].register_forward_hook(lambda part, _, output: setattr(part, "kept", output))
    expected = network(images())
    assert network[3].kept.requires_grad
    assert given(network)(images()).equal(expected) and network[3].kept.requires_grad


def test_a_network_that_cannot_be_copied_is_refused_with_the_lines_to_copy():
    network = small()
    network.kept = [network(images())]
    with pytest.raises(UserError, match=r"mine cannot be copied .*deepcopy") as told:
        given(network, name="mine")
    assert "\n    fresh.load_state_dict(network.state_dict())" in str(told.value)


def test_what_torch_compiled_is_judged_as_it_was_written():
    network = small().eval()
    guard = given(torch.compile(network))
    assert guard(images()).equal(network(images())) and guard.sha256 == given(network).sha256


@pytest.mark.parametrize("mean, std", [(0.5, 0.25), ((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))])
def test_mean_and_std_are_put_inside(mean, std):
    network = small().eval()
    wide = [torch.tensor(one).view(-1, 1, 1) for one in (mean, std)]
    expected = network((images() - wide[0]) / wide[1])
    guard = given(network, mean=mean, std=std)
    torch.testing.assert_close(guard(images()), expected)
    (note,) = guard.notes
    assert note.startswith("network reads (x - mean) / std: mean 0.5") and "; std 0.2" in note


@pytest.mark.parametrize(
    "options, words",
    [
        ({"mean": 0.5}, "mean and std belong together"),
        ({"mean": 0.5, "std": 0}, r"std is \[0\.0\].*above 0"),
        ({"mean": (0.5, 0.5), "std": 1}, "mean is of images of 2 channels, the data has 3"),
        ({"mean": float("nan"), "std": 1}, r"mean is \[nan\]; give finite numbers"),
    ],
)
def test_a_mean_or_std_that_cannot_be_is_refused(options, words):
    with pytest.raises(UserError, match=words):
        given(small(), **options)


def test_the_sha256_tells_weights_buffers_and_dtypes_apart_and_nothing_else():
    shas = [given(small()).sha256, given(small().half()).sha256]
    for name in ("4.bias", "1.running_mean"):
        other = small()
        other.state_dict()[name][1] += 1
        shas.append(given(other).sha256)
    assert len({*shas}) == 4 and shas[0] == given(small().train()).sha256
    assert given(given(small())).sha256 == shas[0]


def test_it_has_the_name_by_which_errors_and_notes_call_it():
    guard = given(small().half(), name="mine")
    assert guard.source == "mine"
    assert guard.notes == ["mine has weights in torch.float16: it is judged in torch.float32"]
    with pytest.raises(UserError, match=r"^mine cannot read 33 images of 1 x 4 x 4"):
        given(small(), shape=(1, 4, 4), name="mine")


def test_a_function_of_numpy_arrays_is_known_by_its_answers_alone():
    network, seen = small().eval(), []

    def scores(x):
        seen.append((type(x), x.dtype, x.min() >= 0, x.max() <= 1))
        return network(torch.from_numpy(x)).detach().numpy()

    guard = given(scores)
    assert guard.answers_only and not guard.labels_only and guard.sha256 == ""
    assert guard(images()).equal(network(images()))
    assert guard.notes == ["network is known by its scores alone, and attacked without gradients"]
    assert guard(images(0)).shape == (0, CLASSES)
    assert {*seen} == {(np.ndarray, np.dtype("float32"), True, True)}
    assert not guard(images().requires_grad_()).requires_grad
    assert not given(network).answers_only


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.int32])
def test_labels_become_scores_of_1_for_their_class_and_minus_1(dtype):
    def labels(x):
        return (x[:, 0, 0, 0] * CLASSES).astype(dtype)

    guard = given(labels)
    assert guard.answers_only and guard.labels_only
    assert guard(images()).argmax(1).tolist() == labels(images().numpy()).tolist()
    assert guard(images()).sort().values.tolist() == [[-1, -1, -1, -1, 1]] * 6
    assert guard(images(1)).argmax(1).tolist() == labels(images(1).numpy()).tolist()


def test_the_scores_of_probabilities_are_their_logarithms():
    network = small().eval()

    def probabilities(x):
        return network(torch.from_numpy(x)).softmax(1).detach().numpy().round(4)

    guard = given(probabilities)
    torch.testing.assert_close(guard(images()), network(images()).log_softmax(1), atol=0.02, rtol=0)
    assert "known by its probabilities alone" in guard.notes[0] and not guard.labels_only
    certain = given(lambda x: np.eye(CLASSES)[np.zeros(len(x), int)])
    assert certain(images()).isfinite().all() and certain(images()).argmax(1).sum() == 0


def test_a_function_that_holds_what_cannot_be_copied_is_judged():
    class Session:
        def __call__(self, x):
            return x.reshape(len(x), -1)[:, :CLASSES]

        def __deepcopy__(self, memo):
            raise TypeError("a session")

    guard = copy.deepcopy(given(Session()))
    assert guard(images()).equal(images().flatten(1)[:, :CLASSES]) and guard.answers_only


@pytest.mark.parametrize(
    "network, words",
    [
        (lambda x: "cat", r"gives str of <U3, not numbers"),
        (lambda x: np.full(len(x), 7), r"gives the label 7; labels are 0 to 4"),
        (lambda x: x[:, 0, 0, 0], r"gives \(2,\) for 2 images, not \(2, 5\)"),
        (lambda x: x.mean(), r"gives \(\) for 2 images"),
        (nn.Linear, "network is the class Linear, no network; give a torch.nn.Module"),
        ({"state": 1}, "network is {'state': 1}, no network"),
    ],
)
def test_what_is_no_network_is_told_in_a_line(network, words):
    with pytest.raises(UserError, match=words):
        given(network)
