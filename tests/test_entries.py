import pytest

from robustinfo.core.entries import entry
from robustinfo.core.errors import UserError


@pytest.mark.parametrize(
    "text", ["digits", "{method: digits}", '{"method": "digits"}', {"method": "digits"}]
)
def test_a_method_is_named_alone_or_in_yaml_or_json_or_as_it_is(text):
    assert entry("datasets", text) == {"method": "digits"}


def test_numbers_come_as_the_studies_write_them():
    pgd = entry("attacks", "{method: pgd, epsilon: 8/255, step_size: 1e-3, steps: 7}")
    assert pgd == {"method": "pgd", "epsilon": "8/255", "step_size": 1e-3, "steps": 7}


@pytest.mark.parametrize(
    "text, words",
    [
        ("digitz", "'digitz': no method 'digitz'; datasets/ has cifar10, .*digits"),
        ("../models/lenet5", "no method '../models/lenet5'"),
        ("{size: 28}", "no method None; datasets/ has"),
        ("{method: digits, size: 4}", r"size: .*greater than or equal to 8, it reads 4; the numb"),
        ("{method: digits, size: big}", "size: .*valid integer, it reads 'big'"),
        ("{method: digits, sise: 28}", "sise: Extra .*the numbers of digits are: size"),
        ("{method: mnist, size: 28}", "the numbers of mnist are: none"),
        ("{method: digits, method: mnist}", "is not YAML .*duplicate key"),
        ("{method: digits", "is not YAML"),
        ("[digits]", r"is no entry of datasets/; write \{method"),
        ("28", "is no entry of datasets/"),
        ("", "is no entry of datasets/"),
    ],
)
def test_what_is_wrong_is_said_with_the_choices(text, words):
    with pytest.raises(UserError, match=words):
        entry("datasets", text)
