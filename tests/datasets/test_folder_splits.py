"""Which folder holds the classes: a split in any spelling, or a refusal that says what is there."""

import pytest

from robustinfo.core.errors import UserError
from robustinfo.datasets._splits import role
from robustinfo.evaluation.images import images


@pytest.fixture
def split_into(paint):
    """Folders of splits, each with cats of level 0 and dogs of level 200."""

    def made(*splits, images=3):
        for split in splits:
            for level, name in ((0, "cat"), (200, "dog")):
                for number in range(images):
                    paint(f"data/{split}/{name}/{number}.png", level)

    return made


@pytest.mark.parametrize(
    "train, test",
    [
        ("train", "test"), ("Train", "Test"), ("TRAIN", "TEST"), ("training_set", "test_set"),
        ("TrainingSet", "TestSet"), ("train2017", "test2017"), ("01_train", "02_test"),
        ("train-images", "test-images"), ("trainset", "testset"), ("pets_train", "pets_test"),
        ("validation", "testing"), ("dev", "test"), ("eval", "tst"), ("holdout", "Test Data"),
    ],
)  # fmt: skip
def test_a_split_is_found_in_any_spelling_and_classes_lie_within(split_into, train, test):
    split_into(train)
    split_into(test, images=2)
    found = images("data")
    assert found.classes == ["cat", "dog"] and found.summary.split == test
    assert found.summary.classes == {"cat": 2, "dog": 2} and found.summary.root == f"data/{test}"
    assert found.labels.equal((found.images[:][:, 0, 0, 0] > 0).long())
    assert found.summary.left_out == [(train, 1, "folders beside the split's")]


def test_each_split_can_be_asked_for(split_into):
    split_into("Training", "VAL", "test")
    for asked, name in (("train", "Training"), ("val", "VAL"), ("test", "test")):
        assert images("data", split=asked).summary.split == name


def test_a_folder_beside_train_and_test_is_left_out_and_said(split_into):
    split_into("train", "test", "extra")
    found = images("data").summary
    assert found.split == "test" and found.n == 6
    assert found.left_out == [("extra, train", 2, "folders beside the split's")]


def test_a_hidden_folder_beside_the_splits_changes_nothing(split_into, paint):
    split_into("Train", "Test")
    for hidden in (".cache", "__MACOSX/Test/cat"):
        paint(f"data/{hidden}/1.png")
    assert images("data").summary.classes == {"cat": 3, "dog": 3}


def test_the_split_that_is_called_so_exactly_is_meant(split_into):
    split_into("train", "test", "test_hard")
    assert images("data").summary.split == "test"


@pytest.mark.parametrize(
    "splits, words",
    [
        (["train", "val"], r"data has no 'test'; it has images in train, val,.*--data data/train"),
        (["train", "eval"], "data has no 'test'; it has images in eval, train"),
        (["train", "Test", "test"], "data has more than one folder for 'test': Test, test; it"),
        (["train", "test_a", "test_b"], "more than one folder for 'test': test_a, test_b"),
        (["trainA", "testA", "testB"], "more than one folder for 'test': testA, testB"),
        (["test", "extra"], "data has test beside folders that are no splits; it has images in"),
        (["mammals", "fish"], r"data/fish has images in folders of its own \(fish/cat, fish/dog"),
        (["pets/train", "pets/test"], r"data/pets has images in folders.*--data data/pets$"),
        (["test/train", "test/test", "train"], "data/test/test has images in folders of its own"),
    ],
)
def test_a_tree_that_may_be_meant_in_two_ways_is_refused(split_into, splits, words):
    split_into(*splits)
    with pytest.raises(UserError, match=words):
        images("data")


def test_splits_within_classes_are_refused(paint):
    for file in ("cat/train/1", "cat/test/2", "dog/train/1", "dog/test/2"):
        paint(f"data/{file}.png")
    with pytest.raises(UserError, match=r"data/cat has images in .*cat/test, cat/train"):
        images("data")
    with pytest.raises(UserError, match="data/cat has images directly in test, train: called like"):
        images("data/cat")


def test_images_two_folders_below_a_class_are_refused(pets, paint):
    paint("pets/cat/old/1.png")
    with pytest.raises(UserError, match=r"pets/cat has images in folders of its own \(cat/old\)"):
        images("pets")


@pytest.mark.parametrize(
    "names", [["train", "test"], ["Train", "Test", "cat"], ["test"], ["pets_train", "pets_test"]]
)
def test_splits_without_classes_are_no_classes_unless_a_file_says_so(paint, tmp_path, names):
    for name in names:
        paint(f"data/{name}/1.png")
    with pytest.raises(UserError, match=r"called like splits, not like classes; .*with --classes"):
        images("data")
    (tmp_path / "names.txt").write_text("\n".join(names))
    assert images("data", class_file=tmp_path / "names.txt").classes == names


def test_a_split_without_classes_beside_one_with_classes_is_refused(split_into, paint):
    split_into("train")
    paint("data/test/1.png")
    with pytest.raises(UserError, match=r"data/test has images, but not class by class \(1.png\)"):
        images("data")
    assert images("data", split="train").classes == ["cat", "dog"]


@pytest.mark.parametrize(
    "names", [["dog", "test"], ["crash test", "road test"], ["car", "train"], ["latest", "trains"]]
)
def test_a_class_may_have_the_word_of_a_split(paint, names):
    for name in names:
        paint(f"data/{name}/1.png")
    assert images("data").classes == names


@pytest.mark.parametrize(
    "name, said",
    [
        ("val2017", "val"), ("Dev", "val"), ("hold-out", "holdout"), ("evaluation", "evaluation"),
        ("test_val", "test+val"), ("contest", None), ("restrain", None), ("2017", None),
    ],
)  # fmt: skip
def test_a_split_is_known_by_whole_words(name, said):
    assert role(name) == said
