"""What PGD climbs: by hand, and on a network that is too sure for its cross-entropy in float32."""

import pytest
import torch
from torch import nn

from robustinfo.attacks import _objectives, pgd
from robustinfo.attacks._objectives import OBJECTIVES, difference_of_logits_ratio
from robustinfo.core.errors import UserError
from robustinfo.diagnostics.zero_gradients import vanishing
from robustinfo.evaluation.threats import threat

NUMBERS = {"epsilon": 0.25, "step_size": 0.05, "steps": 10, "random_start": False}
FINDS = [{"temperature": 1000.0}, {"precision": "float64"}, {"objective": "margin"}]
FINDS.append({"objective": "dlr"})


def turned(p, seed=0, **settings):
    generator = torch.Generator().manual_seed(seed)
    config = pgd.Config(**NUMBERS | settings)
    return pgd.perturb_with_extras(p.model, p.x, p.y, config=config, generator=generator)


def scaled(p, by):
    for weight in p.model.parameters():
        weight.data *= by
    return p


def test_dlr_is_the_lead_of_the_best_wrong_class_over_the_first_logit_less_the_third():
    logits = torch.tensor([[4.0, 1.0, 2.0, -3.0], [4.0, 1.0, 2.0, -3.0], [0.0, 5.0, 5.0, 5.0]])
    found = difference_of_logits_ratio(logits, torch.tensor([0, 3, 0]))
    ties = torch.finfo(torch.float32).tiny
    torch.testing.assert_close(found, torch.tensor([-2 / 3, 7 / 3, 5 / ties]))


@pytest.mark.parametrize("shift, scale", [(0, 1000), (7, 1), (-3, 1e-3)])
def test_dlr_does_not_change_with_the_scale_or_shift_of_the_logits(shift, scale, generator):
    logits, y = torch.randn(32, 5, generator=generator).double(), torch.arange(32) % 5
    changed = difference_of_logits_ratio(scale * logits + shift, y)
    torch.testing.assert_close(changed, difference_of_logits_ratio(logits, y))


@pytest.mark.parametrize("scale", [1, 1000])
def test_pgd_on_dlr_takes_the_same_steps_whatever_the_scale_of_the_logits(scale, four_classes):
    expected = turned(four_classes, objective="dlr")[1]
    assert turned(scaled(four_classes, scale), objective="dlr")[1].equal(expected)


def test_dlr_of_two_classes_is_refused_with_the_way_out(two_classes):
    with pytest.raises(UserError, match="has 2; write `objective: margin`"):
        turned(two_classes, objective="dlr")


def test_temperature_1_is_the_plain_attack_bit_for_bit(four_classes):
    plain, at_one = turned(four_classes), turned(four_classes, temperature=1.0)
    assert plain[0].equal(at_one[0]) and plain[1].equal(at_one[1]) and plain[1].any()
    logits = torch.randn(64, 10) * 50
    y = torch.arange(64) % 10
    total = _objectives.tempered_cross_entropy(1.0)(lambda x: x, logits, y)[1]
    assert total.equal(nn.functional.cross_entropy(logits, y, reduction="sum"))


def test_a_temperature_divides_the_logits_and_nothing_else(four_classes):
    cold = turned(scaled(four_classes, 1000), temperature=1000.0)[1]
    assert turned(scaled(four_classes, 1e-3))[1].equal(cold)


@pytest.mark.parametrize("until", ["end", "fooled"])
@pytest.mark.parametrize("settings", FINDS, ids=str)
def test_a_flat_cross_entropy_in_float32_hides_what_others_find(settings, until, four_classes):
    """Leads above 104 have no slope in float32, those below 745 one in float64."""
    p = scaled(four_classes, 1000)
    lead = p.model(p.x).topk(2).values.diff().abs().squeeze(1)
    kept = (lead > 150) & (lead < 700)
    p.x, p.y = p.x[kept], p.y[kept]
    assert len(p.y) > 8 and vanishing(p.model, p.x, p.y).all()
    assert not turned(p, until=until)[1].any()
    x_adv, success, _ = turned(p, until=until, **settings)
    assert success.all() and x_adv.dtype == torch.float32
    assert (p.model(x_adv).argmax(1) != p.y).all()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_float64_is_the_same_attack_where_the_slope_is_no_matter_of_rounding(norm, four_classes):
    """Also where a run ends, fooling or not."""
    ends = []
    for precision in ("float32", "float64"):
        config = pgd.Config(**NUMBERS | {"norm": norm, "precision": precision})
        generator = torch.Generator().manual_seed(0)
        p = four_classes
        ends.append(pgd.craft(p.model, p.x, p.y, config=config, generator=generator))
    torch.testing.assert_close(*ends, rtol=0, atol=1e-6)
    assert (ends[0] != four_classes.x).any() and ends[1].dtype == torch.float32


class OnlyFloat32(nn.Module):
    def forward(self, x):
        return x.flatten(1) @ torch.eye(16)


class Rounds(nn.Module):
    def forward(self, x):
        return x.flatten(1).float()


@pytest.mark.parametrize("network", [OnlyFloat32(), Rounds()])
def test_a_network_that_does_not_compute_in_float64_is_refused(network, four_classes, generator):
    x = four_classes.x
    config = pgd.Config(**NUMBERS, precision="float64")
    with pytest.raises(UserError, match=r"does not compute in float64 .*leave out `precision`"):
        pgd.perturb(network, x, x.flatten(1).argmax(1), config=config, generator=generator)


@pytest.mark.parametrize("objective", ["margin", "dlr"])
def test_only_the_cross_entropy_takes_a_temperature(objective):
    with pytest.raises(ValueError, match=f"cross-entropy alone, not `{objective}`"):
        pgd.Config(**NUMBERS, objective=objective, temperature=10.0)


def test_what_finds_a_hidden_slope_is_no_attack_on_the_plain_cross_entropy():
    """The judge asks what the plain one leaves: there its slopes are looked at."""
    found = [threat({"method": "pgd"} | NUMBERS | settings).loss for settings in [{}, *FINDS]]
    names = ["cross_entropy", "tempered cross_entropy", "float64 cross_entropy", "margin", "dlr"]
    assert found == names


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_what_is_climbed_is_summed_over_the_images(objective, four_classes):
    p = four_classes
    logits, total = OBJECTIVES[objective](p.model, p.x, p.y)
    alone = [
        OBJECTIVES[objective](p.model, a[None], b[None])[1] for a, b in zip(p.x, p.y, strict=True)
    ]
    assert logits.equal(p.model(p.x))
    torch.testing.assert_close(total, sum(alone))
