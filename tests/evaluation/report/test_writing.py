"""The folder of an evaluation: which files, in what state, and what its images show."""

import re
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from robustinfo.core.errors import UserError
from robustinfo.core.files import DiskError
from robustinfo.evaluation import report
from robustinfo.evaluation.display.tile import png as tile_png
from robustinfo.evaluation.report import tiles
from robustinfo.evaluation.report.schema import Threat
from tests.evaluation.report import documents

LATEX = ["row.tex", "table.tex"]
ATTACKS = ["figures/attacks.svg", "figures/attacks.pdf"]
CURVE = ["figures/accuracy_by_epsilon.svg", "figures/accuracy_by_epsilon.pdf"]
SEVERITY = ["figures/accuracy_by_severity.svg", "figures/accuracy_by_severity.pdf"]
IMAGES = ["figures/gallery.svg", "figures/gallery.pdf"]
LINF, L2 = Threat(norm="linf", epsilon=0.25), Threat(norm="l2", epsilon=0.25)


def names(folder, files):
    return [str(file.relative_to(folder)) for file in files]


def there(folder):
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_it_returns_the_files_that_it_writes_and_removes_what_is_out_of_date(tmp_path):
    files = report.write(tmp_path, documents.document(), documents.gallery())
    drawn = [*ATTACKS, *CURVE, *SEVERITY, *IMAGES]
    assert names(tmp_path, files) == [*LATEX, *drawn, "report.html"]
    assert there(tmp_path) == {*names(tmp_path, files)}
    mine = tmp_path / "figures" / "mine.svg"
    mine.write_text("of the user")
    files = report.write(tmp_path, documents.document(curve=[], corruptions=None), None)
    assert names(tmp_path, files) == [*LATEX, *ATTACKS, "report.html"]
    assert there(tmp_path) == {*names(tmp_path, files), "figures/mine.svg"}


def test_the_same_evaluation_is_the_same_bytes_in_any_folder(tmp_path):
    for folder in ("a", "b"):
        report.write(tmp_path / folder, documents.document(), documents.gallery())
    for name in there(tmp_path / "a"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_figures_of_hostile_names_are_whole_and_nothing_is_warned_of(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report.write(tmp_path, documents.hostile(), documents.hostile_gallery())
    for file in (tmp_path / "figures").glob("*.svg"):
        root = ElementTree.fromstring(file.read_text(encoding="utf-8"))
        assert not {one.tag.rpartition("}")[2] for one in root.iter()} & {"script", "foreignObject"}
    for file in (tmp_path / "figures").glob("*.pdf"):
        content = file.read_bytes()
        assert content.startswith(b"%PDF") and content.rstrip().endswith(b"%%EOF")
        assert b"/Type3" not in content and b"CreationDate" not in content


def test_the_figure_of_attacks_has_every_attack_with_what_it_leaves(tmp_path):
    made = documents.document()
    report.write(tmp_path, made, None)
    text = re.sub(r"<[^>]+>", " ", (tmp_path / "figures" / "attacks.svg").read_text())
    for name, attack in made["attacks"].items():
        assert name.replace("_", " ") in text and f"{100 * attack['leaves']:.1f}" in text
    assert "all together" in text and f"{100 * made['robust_accuracy']:.1f}" in text


def test_without_the_disk_nothing_is_half_written(tmp_path):
    (tmp_path / "figures").write_text("a file")
    with pytest.raises(DiskError, match="figures"):
        report.write(tmp_path, documents.document(), None)
    assert not [*tmp_path.rglob("*.partial")] and not (tmp_path / "report.html").exists()


def test_a_document_that_is_none_writes_nothing(tmp_path):
    with pytest.raises(UserError, match=r"evaluation\.json"):
        report.write(tmp_path, {}, None)
    assert there(tmp_path) == set()


@pytest.mark.parametrize("change", [{"after": ["1"]}, {"labels": ["1"] * 13}])
def test_a_gallery_is_as_it_says_or_refused(tmp_path, change):
    with pytest.raises(UserError, match="k at most 12"):
        report.write(tmp_path, documents.document(), documents.gallery()._replace(**change))


def test_a_gallery_of_no_image_is_none(tmp_path):
    files = report.write(tmp_path, documents.document(), documents.gallery(0))
    assert not {*IMAGES} & {*names(tmp_path, files)}


def shown(clean, adversarial, threat):
    made = report.Gallery(clean[None], adversarial[None], ["a"], ["a"], ["b"], ["pgd"])
    return tiles.tiles(made, threat)[0]


def test_a_change_is_grey_where_there_is_none_and_black_or_white_at_epsilon():
    clean = torch.full((1, 2, 2), 0.5)
    change = torch.tensor([[[0.0, 0.25], [-0.25, 0.125]]])
    tile = shown(clean, clean + change, LINF)
    assert tile.change.tolist() == [[0.5, 1.0], [0.0, 0.75]]
    assert tile.clean.tolist() == clean[0].tolist()
    assert tile.adversarial.tolist() == (clean + change)[0].tolist()


def test_in_l2_a_change_is_scaled_to_its_own_largest_and_none_is_grey():
    clean = torch.full((1, 2, 2), 0.5)
    change = torch.tensor([[[0.0, 0.01], [-0.005, 0.0]]])
    assert shown(clean, clean + change, L2).change == pytest.approx(
        np.array([[0.5, 1.0], [0.25, 0.5]]), abs=1e-5
    )
    assert shown(clean, clean, L2).change.tolist() == [[0.5, 0.5], [0.5, 0.5]]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((1, 8, 8), (8, 8)), ((3, 8, 6), (8, 6, 3)), ((4, 8, 8), (8, 8)), ((1, 1000, 300), (250, 75)),
     ((3, 257, 9), (129, 5, 3))],
)  # fmt: skip
def test_images_of_any_shape_are_shown_and_large_ones_smaller(shape, expected):
    image = torch.rand(shape)
    tile = shown(image, image, LINF)
    assert tile.clean.shape == tile.change.shape == expected
    assert tile_png(tile.clean).startswith("data:image/png;base64,iVBOR")
    if shape[0] == 3:
        assert np.allclose(tile.clean[0, 0], image[:, 0, 0])
