import json
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from robustinfo.datasets import digits
from robustinfo.datasets._prepared import DataError, data_root, open_split, prepare
from robustinfo.datasets._storage import digest

ENTRY = {"method": "digits", "size": 8}


def times(root):
    return {file: file.stat().st_mtime_ns for file in root.rglob("*.safetensors")}


def test_the_manifest_describes_both_splits_and_is_json(tmp_path):
    manifest = prepare("small", ENTRY, tmp_path)
    assert json.loads(json.dumps(manifest)) == manifest
    assert str(tmp_path) not in json.dumps(manifest)
    assert manifest["name"] == "small" and manifest["method"] == "digits"
    assert {split: part["images"] for split, part in manifest["splits"].items()} == {
        "train": 1347,
        "test": 450,
    }
    assert manifest["splits"]["test"]["shape"] == [1, 8, 8]
    assert manifest["source"] == "sklearn.datasets.load_digits"


def test_what_is_opened_is_what_the_source_gave(tmp_path):
    manifest = prepare("small", ENTRY, tmp_path)
    raw = digits.load("test", config=digits.Config(size=8), root=tmp_path)
    sha256 = manifest["splits"]["test"]["sha256"]
    opened = open_split("small", "test", ENTRY, tmp_path, sha256=sha256)
    assert torch.equal(opened.images, torch.from_numpy(raw.images))
    assert torch.equal(opened.labels, torch.from_numpy(raw.labels))
    assert opened.classes == raw.classes and sha256 == digest(raw.images, raw.labels)


def test_preparing_again_or_elsewhere_says_the_same_and_rewrites_nothing(tmp_path):
    first = prepare("small", ENTRY, tmp_path / "a")
    before = times(tmp_path / "a")
    assert prepare("small", ENTRY, tmp_path / "a") == first
    assert times(tmp_path / "a") == before and len(before) == 2
    assert prepare("small", ENTRY, tmp_path / "b") == first


def test_only_the_missing_split_is_made(tmp_path):
    first = prepare("small", ENTRY, tmp_path)
    (tmp_path / "small" / "test.safetensors").unlink()
    before = times(tmp_path)
    assert prepare("small", ENTRY, tmp_path) == first
    assert before.items() <= times(tmp_path).items()


def test_a_complete_folder_is_described_without_lock_or_source(tmp_path, monkeypatch):
    prepare("small", ENTRY, tmp_path)
    (tmp_path / "small.lock").unlink(missing_ok=True)
    monkeypatch.delattr(digits, "load")
    prepare("small", ENTRY, tmp_path)
    assert os.listdir(tmp_path) == ["small"]


def test_other_settings_are_refused_with_both_and_the_way_out(tmp_path):
    prepare("small", ENTRY, tmp_path)
    other = {"method": "digits", "size": 9}
    said = r"(?s)small/.*\.safetensors was made with other settings: .*'size': 8.*'size': 9.*delete"
    for attempt in (prepare, lambda *args: open_split("small", "test", *args[1:])):
        with pytest.raises(DataError, match=said):
            attempt("small", other, tmp_path)


def test_another_method_under_the_same_name_is_refused(tmp_path):
    prepare("small", {"method": "digits"}, tmp_path)
    with pytest.raises(DataError, match=r"'method': 'digits'.*'method': 'mnist'"):
        open_split("small", "test", {"method": "mnist"}, tmp_path)


def test_a_default_written_out_is_the_default(tmp_path):
    prepare("small", {"method": "digits"}, tmp_path)
    open_split("small", "test", {"method": "digits", "size": 28}, tmp_path)


def test_files_of_another_origin_without_settings_are_read(tmp_path):
    images, labels = np.zeros((2, 1, 3, 3), np.uint8), np.array([0, 1])
    about = {"classes": '["a", "b"]', "source": "elsewhere", "sha256": digest(images, labels)}
    (tmp_path / "given").mkdir()
    for split in ("train", "test"):
        save_file(
            {"images": images, "labels": labels}, tmp_path / "given" / f"{split}.safetensors", about
        )
    assert prepare("given", {"method": "mnist"}, tmp_path)["source"] == "elsewhere"
    assert open_split("given", "train", {"method": "mnist"}, tmp_path).classes == ["a", "b"]


def test_splits_that_do_not_fit_each_other_are_refused(tmp_path):
    prepare("small", ENTRY, tmp_path)
    images, labels = np.zeros((1, 3, 8, 8), np.uint8), np.array([0])
    about = {"classes": '["a"]', "source": "elsewhere", "sha256": digest(images, labels)}
    about["settings"] = '{"method": "digits", "size": 8}'
    save_file({"images": images, "labels": labels}, tmp_path / "small" / "test.safetensors", about)
    with pytest.raises(DataError, match="train and test differ"):
        prepare("small", ENTRY, tmp_path)


def test_an_exchanged_file_is_found_by_the_manifest(tmp_path):
    prepare("small", ENTRY, tmp_path)
    with pytest.raises(DataError, match=r"test\.safetensors has sha256 .*manifest says 00"):
        open_split("small", "test", ENTRY, tmp_path, sha256="00")


def test_a_missing_split_and_a_wrong_name_are_told_apart(tmp_path):
    with pytest.raises(DataError, match=r"small/test\.safetensors does not exist"):
        open_split("small", "test", ENTRY, tmp_path)
    with pytest.raises(ValueError, match="'dev'; there are train, test"):
        open_split("small", "dev", ENTRY, tmp_path)


def test_two_processes_at_once_make_one_whole_set(tmp_path):
    spawn = get_context("spawn")
    start = spawn.Barrier(2, timeout=120).wait  # neither begins before both have started
    with ProcessPoolExecutor(2, mp_context=spawn, initializer=start) as pool:
        jobs = [pool.submit(prepare, "small", ENTRY, tmp_path) for _ in range(2)]
        manifests = [job.result() for job in jobs]
    assert manifests[0] == manifests[1] == prepare("small", ENTRY, tmp_path)
    assert sorted(os.listdir(tmp_path / "small")) == ["test.safetensors", "train.safetensors"]


def test_the_root_is_the_environments_or_data(monkeypatch):
    monkeypatch.delenv("ROBUSTINFO_DATA", raising=False)
    assert data_root() == Path("data")
    monkeypatch.setenv("ROBUSTINFO_DATA", "/large/disk")
    assert data_root() == Path("/large/disk")
