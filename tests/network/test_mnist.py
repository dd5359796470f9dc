"""MNIST files, whole and broken."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infogeom.network import fetch_mnist, load_digits, load_mnist, mnist_source
from infogeom.network.mnist import PUBLISHED, PUBLISHED_CONTENTS

REAL = Path(__file__).parents[3] / "shared" / "data" / "mnist"
#: For tests of the published files themselves.
REAL_FILES = pytest.mark.skipif(
    not REAL.is_dir(), reason="the real MNIST files lie beside the project where its tests may read them"
)
#: The published pair of the test set.
STEMS = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
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


def test_a_split_is_chosen_and_train_is_the_first(tmp_path: Path) -> None:
    write(tmp_path, "train", idx(PIXELS[:2]), idx(LABELS[:2]))
    write(tmp_path, "t10k")
    assert [len(load_mnist(tmp_path, split)[0]) for split in (None, "train", "t10k")] == [2, 2, 3]


@REAL_FILES
def test_the_real_files_are_the_published_ones() -> None:
    x, y = load_mnist(REAL)
    assert (x.shape, y.shape, x.min(), x.max()) == ((10_000, 784), (10_000, 10), 0, 1)
    # Counts per digit of the MNIST test set, as published.
    assert y.sum(axis=0).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist_source(REAL) == "MNIST, t10k pair, SHA-256 as published"


@REAL_FILES
@pytest.mark.parametrize("compress", [lambda b: b, lambda b: gzip.compress(b, 1)], ids=["plain", "gzipped anew"])
@pytest.mark.parametrize("named", [lambda s: s, lambda s: s.replace("t10k", "train")], ids=["own", "another split's"])
def test_the_published_contents_are_known_whatever_their_names_and_compression(
    compress: Callable[[bytes], bytes], named: Callable[[str], str], tmp_path: Path
) -> None:
    suffix = "" if compress(b"0") == b"0" else ".gz"
    for stem in STEMS:
        content = gzip.decompress((REAL / f"{stem}.gz").read_bytes())
        (tmp_path / f"{named(stem)}{suffix}").write_bytes(compress(content))
    assert mnist_source(tmp_path) == "MNIST, t10k pair, SHA-256 as published"


@REAL_FILES
def test_one_pixel_off_the_published_images_are_no_longer_mnist(tmp_path: Path) -> None:
    images, labels = (bytearray(gzip.decompress((REAL / f"{stem}.gz").read_bytes())) for stem in STEMS)
    images[-1] ^= 1
    write(tmp_path, images=bytes(images), labels=bytes(labels))
    assert "MNIST" not in mnist_source(tmp_path).partition(", not those of MNIST")[0]


def test_files_of_mnists_names_are_not_called_mnist(tmp_path: Path) -> None:
    images, labels = (hashlib.sha256(idx(array)).hexdigest()[:12] for array in (PIXELS, LABELS))
    source = mnist_source(write(tmp_path, "train"))
    assert source == f"IDX images, train pair, SHA-256 {images}… and {labels}…, not those of MNIST"


def test_the_digests_of_contents_and_of_downloads_name_the_same_files() -> None:
    # Each published file but the test pair, which is hashed above, is known by name alone.
    stems = [f"{split}-{kind}-ubyte.gz" for split in PUBLISHED_CONTENTS for kind in ("images-idx3", "labels-idx1")]
    assert stems == list(PUBLISHED)
    digests = [*PUBLISHED.values(), *chain.from_iterable(PUBLISHED_CONTENTS.values())]
    assert len(set(digests)) == len(digests)
    assert {len(digest) for digest in digests} == {64}


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_dot_for_the_hyphen_is_read_as_well(suffix: str, tmp_path: Path) -> None:
    for stem, array in (("t10k-images.idx3-ubyte", PIXELS), ("t10k-labels.idx1-ubyte", LABELS)):
        content = gzip.compress(idx(array)) if suffix else idx(array)
        (tmp_path / f"{stem}{suffix}").write_bytes(content)
    assert load_mnist(tmp_path)[0].shape == (3, 784)
    assert mnist_source(tmp_path).startswith("IDX images, t10k pair, ")


def test_a_folder_in_the_place_of_a_file_is_passed_over(tmp_path: Path) -> None:
    # As archives are unpacked that hold each file in a folder of its name, beside one with a dot.
    (tmp_path / "t10k-images-idx3-ubyte").mkdir()
    (tmp_path / "t10k-images.idx3-ubyte").write_bytes(idx(PIXELS))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(LABELS))
    assert load_mnist(tmp_path)[0].shape == (3, 784)


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
    four = (
        "train-images-idx3-ubyte and train-labels-idx1-ubyte, or t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte "
        r"\(also with a dot before idx, also with .gz at the end\)"
    )
    with pytest.raises(ValueError, match=f"must hold {four}, got an empty one"):
        load_mnist(tmp_path)
    (write(tmp_path) / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(ValueError, match=f"must hold {four}, got t10k-images-idx3-ubyte$"):
        mnist_source(tmp_path)
    with pytest.raises(ValueError, match=r"must hold t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte \(also"):
        load_mnist(tmp_path, "t10k")
    for k in range(10):
        (tmp_path / f"a{k}").touch()
    with pytest.raises(ValueError, match=r"got a0, a1, a2, a3, a4, a5, a6, a7 and 3 more$"):
        load_mnist(tmp_path)
    with pytest.raises(ValueError, match="split must be 'train' or 't10k', got 'test'"):
        load_mnist(tmp_path, "test")


def test_without_a_network_the_download_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infogeom.network.mnist.MIRROR", "http://127.0.0.1:9/mnist/")  # nobody listens there
    with pytest.raises(ConnectionError, match=r"MNIST could not be downloaded .* put the four files into a folder"):
        fetch_mnist(tmp_path)
