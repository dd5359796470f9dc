"""MNIST files, whole and broken."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infogeom.network import fetch_mnist, load_digits, load_mnist, mnist_source

REAL = Path(__file__).parents[3] / "shared" / "data" / "mnist"
PIXELS = np.arange(3 * 28 * 28, dtype=np.uint8).reshape(3, 28, 28)
LABELS = np.array([7, 0, 9], dtype=np.uint8)


def idx(array: Any) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    return bytes(header + array.tobytes())


def write(folder: Path, split: str = "t10k", images: bytes = idx(PIXELS), labels: bytes = idx(LABELS)) -> Path:
    (folder / f"{split}-images-idx3-ubyte").write_bytes(images)
    (folder / f"{split}-labels-idx1-ubyte").write_bytes(labels)
    return folder


def test_images_and_labels_are_read(tmp_path: Path) -> None:
    x, y = load_mnist(write(tmp_path))
    np.testing.assert_array_equal(x, PIXELS.reshape(3, 784).astype(np.float32) / np.float32(255))
    assert y.argmax(axis=1).tolist() == [7, 0, 9]
    assert y.sum(axis=1).tolist() == [1, 1, 1]
    assert (x.dtype, y.dtype) == (np.float32, np.float32)


def test_gzipped_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(PIXELS)))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS)))
    assert load_mnist(tmp_path)[0].shape == (3, 784)
    assert mnist_source(tmp_path) == "MNIST, train pair, of unknown SHA-256"


def test_a_split_is_chosen_and_train_is_the_first(tmp_path: Path) -> None:
    write(tmp_path, "train", idx(PIXELS[:2]), idx(LABELS[:2]))
    write(tmp_path, "t10k")
    assert [len(load_mnist(tmp_path, split)[0]) for split in (None, "train", "t10k")] == [2, 2, 3]


@pytest.mark.skipif(
    not REAL.is_dir(), reason="the real MNIST files lie beside the project where its tests may read them"
)
def test_the_real_files_are_the_published_ones() -> None:
    x, y = load_mnist(REAL)
    assert (x.shape, y.shape, x.min(), x.max()) == ((10_000, 784), (10_000, 10), 0, 1)
    # Counts per digit of the MNIST test set, as published.
    assert y.sum(axis=0).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist_source(REAL) == "MNIST, t10k pair, SHA-256 as published"


def test_the_bundled_digits_are_real_and_small() -> None:
    x, y = load_digits()
    assert (x.shape, y.shape, x.min(), x.max()) == ((1797, 64), (1797, 10), 0, 1)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (idx(PIXELS)[:-1], idx(LABELS), r"images-idx3-ubyte: must hold 2368 bytes for shape \(3, 28, 28\), got 2367"),
        (idx(PIXELS)[:9], idx(LABELS), "images-idx3-ubyte: must hold a header of 16 bytes, got 9"),
        (idx(PIXELS) + b"\0", idx(LABELS), "must hold 2368 bytes .*, got 2369"),
        (b"", idx(LABELS), "must begin with 00 00 08 03"),
        (idx(LABELS), idx(PIXELS), r"images-idx3-ubyte: must begin with 00 00 08 03 .*, got 00 00 08 01"),
        (idx(PIXELS), idx(LABELS[:2]), "labels-idx1-ubyte: must hold one label per image, got 2 for 3 images"),
        (idx(PIXELS), idx(LABELS + 1), r"labels must lie in 0 … 9, got 10 at index 2"),
        (idx(PIXELS[:, :20]), idx(LABELS), r"images must be 28 × 28, got \(20, 28\)"),
    ],
    ids=["truncated", "header", "too long", "empty", "swapped", "counts", "label", "size"],
)
def test_a_broken_file_is_named_with_what_was_expected(
    images: bytes, labels: bytes, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        load_mnist(write(tmp_path, images=images, labels=labels))


@pytest.mark.parametrize(
    "broken",
    [lambda b: b[:-20], lambda b: b[:30] + b"\0\1\2\3" + b[34:], lambda b: b"no gzip" + b],
    ids=["truncated", "corrupt", "not gzip"],
)
def test_a_broken_gzip_file_is_named(broken: Callable[[bytes], bytes], tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(broken(gzip.compress(idx(PIXELS))))
    with pytest.raises(ValueError, match=r"images-idx3-ubyte\.gz: must be a whole gzip file"):
        load_mnist(tmp_path)


def test_a_missing_folder_or_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="folder must be a folder of MNIST files, got '/nowhere'"):
        load_mnist("/nowhere")
    with pytest.raises(ValueError, match="must hold a pair of MNIST files"):
        load_mnist(tmp_path)
    (write(tmp_path) / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(ValueError, match=r"must hold t10k-images-idx3-ubyte\[.gz\] and t10k-labels-idx1-ubyte"):
        load_mnist(tmp_path, "t10k")
    with pytest.raises(ValueError, match="split must be 'train' or 't10k', got 'test'"):
        load_mnist(tmp_path, "test")


def test_without_a_network_the_download_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infogeom.network.mnist.MIRROR", "http://127.0.0.1:9/mnist/")  # nobody listens there
    with pytest.raises(ConnectionError, match=r"MNIST could not be downloaded .* put the four files into a folder"):
        fetch_mnist(tmp_path)
