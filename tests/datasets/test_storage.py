import json
import os
import resource

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from robustinfo.core.files import DiskError
from robustinfo.datasets._storage import DataError, digest, read, write

IMAGES = np.arange(4 * 3 * 2 * 2, dtype=np.uint8).reshape(4, 3, 2, 2)
LABELS = np.array([0, 1, 1, 0])
ABOUT = {"classes": ["cat", "dog"], "source": "here", "settings": {}}


def test_what_is_written_is_read_whatever_the_order_in_memory(tmp_path):
    file = tmp_path / "set" / "train.safetensors"
    write(file, IMAGES.transpose(0, 1, 3, 2), LABELS[::-1], **ABOUT)
    images, labels, metadata = read(file)
    assert torch.equal(images, torch.from_numpy(IMAGES).transpose(2, 3))
    assert labels.tolist() == [0, 1, 1, 0][::-1]
    assert json.loads(metadata["classes"]) == ["cat", "dog"] and metadata["settings"] == "{}"
    assert metadata.keys() == {"classes", "source", "sha256", "settings"}


def test_a_change_in_memory_does_not_reach_the_file(tmp_path):
    file = tmp_path / "train.safetensors"
    write(file, IMAGES, LABELS, **ABOUT)
    read(file)[0].zero_()
    assert torch.equal(read(file)[0], torch.from_numpy(IMAGES))


def test_any_altered_byte_of_images_or_labels_is_found(tmp_path):
    file = tmp_path / "train.safetensors"
    write(file, IMAGES, LABELS, **ABOUT)
    whole = file.read_bytes()
    for place in range(1, IMAGES.nbytes + LABELS.nbytes + 1):
        broken = bytearray(whole)
        broken[-place] ^= 1
        file.write_bytes(broken)
        with pytest.raises(DataError, match=r"train\.safetensors (was altered|has labels)"):
            read(file)


@pytest.mark.parametrize("kept", [0, 5, 60, -1])
def test_a_truncated_file_is_named_with_what_to_do(tmp_path, kept):
    file = tmp_path / "train.safetensors"
    write(file, IMAGES, LABELS, **ABOUT)
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"train\.safetensors is unreadable .*delete it and run"):
        read(file)


def test_a_missing_file_is_named_with_the_command(tmp_path):
    with pytest.raises(DataError, match=r"test\.safetensors does not exist.*snakemake --cores all"):
        read(tmp_path / "test.safetensors")


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (IMAGES.astype(np.float32), LABELS, "not images uint8"),
        (IMAGES[0], LABELS, "not images uint8"),
        (IMAGES, LABELS.astype(np.int32), "labels int64"),
        (IMAGES, LABELS[:3], "4 images and 3 labels"),
        (IMAGES, LABELS + 1, "labels 1..2 for 2 classes"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path, images, labels, said):
    file = tmp_path / "train.safetensors"
    about = {"classes": '["cat", "dog"]', "source": "here", "sha256": digest(images, labels)}
    save_file({"images": images, "labels": labels}, file, about)
    with pytest.raises(DataError, match=said):
        read(file)


def test_a_file_without_metadata_is_refused(tmp_path):
    save_file({"images": IMAGES, "labels": LABELS}, tmp_path / "train.safetensors")
    with pytest.raises(DataError, match=r"lacks the metadata .*'sha256'"):
        read(tmp_path / "train.safetensors")


def test_a_write_that_the_system_cuts_leaves_the_old_file_whole(tmp_path):
    file = tmp_path / "train.safetensors"
    write(file, IMAGES, LABELS, **ABOUT)
    before = file.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(DiskError, match=r"cannot write .*train\.safetensors"):
            write(file, IMAGES + 1, LABELS, **ABOUT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert file.read_bytes() == before and os.listdir(tmp_path) == ["train.safetensors"]


def test_what_a_killed_process_left_is_cleared(tmp_path):
    (tmp_path / ".train.safetensors.partial").write_bytes(b"half")
    write(tmp_path / "train.safetensors", IMAGES, LABELS, **ABOUT)
    assert os.listdir(tmp_path) == ["train.safetensors"]


def test_others_may_read_the_file_as_the_umask_allows(tmp_path):
    file = tmp_path / "train.safetensors"
    write(file, IMAGES, LABELS, **ABOUT)
    (tmp_path / "any").touch()
    assert file.stat().st_mode == (tmp_path / "any").stat().st_mode


def test_the_same_split_is_the_same_bytes(tmp_path):
    """safetensors alone writes its metadata in an order that changes from run to run."""
    images, labels = np.arange(8, dtype=np.uint8).reshape(2, 1, 2, 2), np.array([0, 1])
    write(tmp_path / "a", images, labels, classes=["a", "b"], source="drawn", settings={})
    header = (tmp_path / "a").read_bytes()[8:]
    order = [
        header.index(f'"{key}":'.encode()) for key in ("classes", "source", "sha256", "settings")
    ]
    assert order == sorted(order)
