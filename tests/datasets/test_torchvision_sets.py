"""Each source is written in its published layout, three images long, then read and prepared."""

import hashlib
import pickle
import socket
import struct

import numpy as np
import pytest
import scipy.io
import torch
import torchvision.datasets as tv

from robustinfo.core import registry
from robustinfo.datasets._prepared import DataError, open_split, prepare


def pixels(n, c, side, seed):
    return np.random.default_rng(seed).integers(0, 256, (n, c, side, side), dtype=np.uint8)


TRUTH = {"train": 0, "test": 1}  # split -> seed of its images
LABELS = np.array([2, 0, 1])


def md5(file):
    return hashlib.md5(file.read_bytes()).hexdigest()


def write_mnist(folder, monkeypatch, name="MNIST"):
    (folder / name / "raw").mkdir(parents=True)
    for split, stem in {"train": "train", "test": "t10k"}.items():
        images = pixels(3, 1, 28, TRUTH[split])
        raw = folder / name / "raw"
        (raw / f"{stem}-images-idx3-ubyte").write_bytes(
            struct.pack(">4i", 2051, 3, 28, 28) + images.tobytes()
        )
        (raw / f"{stem}-labels-idx1-ubyte").write_bytes(
            struct.pack(">2i", 2049, 3) + LABELS.astype(np.uint8).tobytes()
        )


def write_fashion(folder, monkeypatch):
    write_mnist(folder, monkeypatch, "FashionMNIST")


def write_cifar(folder, monkeypatch, dataset, key, names):
    base = folder / dataset.base_folder
    base.mkdir(parents=True)
    for split, files in {"train": dataset.train_list, "test": dataset.test_list}.items():
        # Three images in the first file of the split, none in those that follow.
        for place, (name, _) in enumerate(files):
            count = 3 if place == 0 else 0
            batch = {"data": pixels(3, 3, 32, TRUTH[split]).reshape(3, -1)[:count]}
            batch[key] = LABELS[:count].tolist()
            (base / name).write_bytes(pickle.dumps(batch))
    (base / dataset.meta["filename"]).write_bytes(pickle.dumps({dataset.meta["key"]: names}))
    for attribute in ("train_list", "test_list"):
        summed = [[name, md5(base / name)] for name, _ in getattr(dataset, attribute)]
        monkeypatch.setattr(dataset, attribute, summed)
    meta = {**dataset.meta, "md5": md5(base / dataset.meta["filename"])}
    monkeypatch.setattr(dataset, "meta", meta)


def write_cifar10(folder, monkeypatch):
    write_cifar(folder, monkeypatch, tv.CIFAR10, "labels", ["a", "b", "c"])


def write_cifar100(folder, monkeypatch):
    write_cifar(folder, monkeypatch, tv.CIFAR100, "fine_labels", ["a", "b", "c"])


def write_svhn(folder, monkeypatch):
    folder.mkdir()
    lines = {}
    for split, seed in TRUTH.items():
        file = folder / f"{split}_32x32.mat"
        images = pixels(3, 3, 32, seed).transpose(2, 3, 1, 0)  # published as (h, w, c, n)
        scipy.io.savemat(file, {"X": images, "y": np.where(LABELS == 0, 10, LABELS)[:, None]})
        lines[split] = ["", file.name, md5(file)]
    monkeypatch.setattr(tv.SVHN, "split_list", lines)


def write_stl10(folder, monkeypatch):
    base = folder / "stl10_binary"
    base.mkdir(parents=True)
    for split, seed in TRUTH.items():
        images = pixels(3, 3, 96, seed).transpose(0, 1, 3, 2)  # published column by column
        (base / f"{split}_X.bin").write_bytes(images.tobytes())
        (base / f"{split}_y.bin").write_bytes((LABELS + 1).astype(np.uint8).tobytes())
    for split in TRUTH:
        names = [f"{split}_X.bin", f"{split}_y.bin"]
        summed = [[name, md5(base / name)] for name in names]
        monkeypatch.setattr(tv.STL10, f"{split}_list", summed)


SOURCES = {
    "mnist": (write_mnist, (1, 28), 10),
    "fashion_mnist": (write_fashion, (1, 28), 10),
    "cifar10": (write_cifar10, (3, 32), 3),
    "cifar100": (write_cifar100, (3, 32), 3),
    "svhn": (write_svhn, (3, 32), 10),
    "stl10": (write_stl10, (3, 96), 10),
}


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("Network is unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("method", SOURCES)
def test_the_published_layout_becomes_the_right_pixels_and_labels(
    tmp_path, monkeypatch, no_network, method
):
    write_source, (channels, side), classes = SOURCES[method]
    write_source(tmp_path / "downloads", monkeypatch)
    entry = {"method": method}
    manifest = prepare(method, entry, tmp_path)
    assert len(manifest["classes"]) == classes and str(tmp_path) not in str(manifest)
    for split, seed in TRUTH.items():
        opened = open_split(method, split, entry, tmp_path)
        assert torch.equal(opened.images, torch.from_numpy(pixels(3, channels, side, seed)))
        assert opened.labels.tolist() == LABELS.tolist()


def test_without_files_and_network_the_error_says_what_to_do(tmp_path, no_network):
    said = rf"(?s)no readable source files in {tmp_path}/downloads.*no network.*ROBUSTINFO_DATA"
    with pytest.raises(DataError, match=said):
        registry.get("datasets", {"method": "svhn"})("train", root=tmp_path)
    with pytest.raises(DataError, match=rf"put the prepared split at {tmp_path}/mine/train\.safe"):
        prepare("mine", {"method": "svhn"}, tmp_path)
    assert not (tmp_path / "mine").exists()


def test_a_cut_source_file_is_an_error_of_the_data(tmp_path, monkeypatch, no_network):
    write_mnist(tmp_path / "downloads", monkeypatch)
    cut = tmp_path / "downloads" / "MNIST" / "raw" / "train-images-idx3-ubyte"
    cut.write_bytes(cut.read_bytes()[:1000])
    with pytest.raises(DataError, match="MNIST: no readable source files"):
        prepare("mnist", {"method": "mnist"}, tmp_path)
