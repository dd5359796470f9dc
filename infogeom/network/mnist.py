"""Images of handwritten digits: MNIST from its IDX files, or the small set that comes with scikit-learn."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from infogeom.arguments import path_of

__all__ = ["fetch_mnist", "load_digits", "load_mnist", "mnist_source"]

Array = NDArray[np.float32]

#: Where the files can be had.
MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"
#: Names of the pairs of files, in order of preference.
SPLITS = ("train", "t10k")
#: Digits.
CLASSES = 10
#: SHA-256 of the gzipped files as LeCun, Cortes and Burges published them.
PUBLISHED = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}


def load_mnist(folder: str | Path, split: str | None = None) -> tuple[Array, Array]:
    """MNIST images and labels from a folder of IDX files, gzipped or not.

    Parameters
    ----------
    folder : str or Path
        Holds ``train-images-idx3-ubyte`` and ``train-labels-idx1-ubyte``, or the ``t10k-`` pair, each perhaps ``.gz``.
    split : {"train", "t10k"}, optional
        Which pair; the one that is there when omitted, train before t10k.

    Returns
    -------
    inputs : ndarray of float32, shape (N, 784), in [0, 1]
    targets : ndarray of float32, shape (N, 10), one-hot

    Raises
    ------
    ValueError
        For a missing folder or file, and for one that is corrupt, truncated, or not what its name says: with the file
        and what was expected.
    """
    images, labels = _pair(path_of("folder", folder), split)
    pixels, digits = _idx(images, 3), _idx(labels, 1)
    if not len(pixels):
        raise ValueError(f"{images}: must hold at least one image, got none")
    if pixels.shape[1:] != (28, 28):
        raise ValueError(f"{images}: images must be 28 × 28, got {pixels.shape[1:]}")
    if len(pixels) != len(digits):
        raise ValueError(f"{labels}: must hold one label per image, got {len(digits)} for {len(pixels)} images")
    wrong = np.flatnonzero(digits >= CLASSES)
    if wrong.size:
        raise ValueError(f"{labels}: labels must lie in 0 … 9, got {digits[wrong[0]]} at index {wrong[0]}")
    return pixels.reshape(len(pixels), -1).astype(np.float32) / np.float32(255), _one_hot(digits)


def mnist_source(folder: str | Path, split: str | None = None) -> str:
    """What `load_mnist` would read, in words, and whether its files are the published ones by their SHA-256."""
    files = _pair(path_of("folder", folder), split)
    known = all(hashlib.sha256(file.read_bytes()).hexdigest() == PUBLISHED.get(file.name) for file in files)
    pair = files[0].name.partition("-")[0]
    return f"MNIST, {pair} pair" + (", SHA-256 as published" if known else ", of unknown SHA-256")


def fetch_mnist(folder: str | Path | None = None) -> Path:
    """Download the four MNIST files from a public mirror, checked by SHA-256 (extra ``mnist``).

    Parameters
    ----------
    folder : str or Path, optional
        The user's cache folder when omitted; files that are there already are kept.

    Returns
    -------
    Path
        The folder, for `load_mnist`.

    Raises
    ------
    ImportError
        Without pooch.
    ConnectionError
        When the mirror cannot be reached.
    """
    try:
        import pooch  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise ImportError("fetch_mnist needs pooch: pip install 'infogeom[mnist]'") from error
    path = path_of("folder", folder) if folder else Path(platformdirs.user_cache_dir("infogeom")) / "mnist"
    registry = {name: f"sha256:{digest}" for name, digest in PUBLISHED.items()}
    store = pooch.create(path, MIRROR, registry=registry)
    try:
        for name in registry:
            store.fetch(name)
    except OSError as error:  # requests' errors are OSErrors
        raise ConnectionError(
            f"MNIST could not be downloaded from {MIRROR} ({error}); put the four files into a folder by hand, "
            "and give it to load_mnist"
        ) from error
    return path


def load_digits() -> tuple[Array, Array]:
    """Handwritten digits bundled with scikit-learn (extra ``mnist``): 1,797 real images of 8 × 8 pixels, not MNIST.

    They are the test set of the UCI Optical Recognition of Handwritten Digits data (Alpaydin and Kaynak, 1998).

    Returns
    -------
    inputs : ndarray of float32, shape (1797, 64), in [0, 1]
    targets : ndarray of float32, shape (1797, 10), one-hot

    Examples
    --------
    >>> import infogeom as ig
    >>> x, y = ig.network.load_digits()
    >>> x.shape, y.shape
    ((1797, 64), (1797, 10))
    """
    try:
        from sklearn import datasets  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise ImportError("load_digits needs scikit-learn: pip install 'infogeom[mnist]'") from error
    pixels, digits = datasets.load_digits(return_X_y=True)
    return (pixels / 16).astype(np.float32), _one_hot(digits)


def _one_hot(digits: NDArray[np.integer]) -> Array:
    return np.asarray(np.eye(CLASSES, dtype=np.float32)[digits])


def _pair(folder: Path, split: str | None) -> tuple[Path, Path]:
    """Files of images and labels of a split, or of the first that is there."""
    if split is not None and split not in SPLITS:
        raise ValueError(f"split must be 'train' or 't10k', got {split!r}")
    if not folder.is_dir():
        raise ValueError(f"folder must be a folder of MNIST files, got {str(folder)!r}")
    for name in (split,) if split else SPLITS:
        images = _there(folder, f"{name}-images-idx3-ubyte")
        labels = _there(folder, f"{name}-labels-idx1-ubyte")
        if images and labels:
            return images, labels
    wanted = "a pair of MNIST files, train-… or t10k-…"
    if split:
        wanted = f"{split}-images-idx3-ubyte[.gz] and {split}-labels-idx1-ubyte[.gz]"
    raise ValueError(f"folder {str(folder)!r} must hold {wanted}")


def _there(folder: Path, stem: str) -> Path | None:
    """File in a folder, gzipped or not; None where there is neither."""
    for file in (folder / f"{stem}.gz", folder / stem):
        if file.is_file():
            return file
    return None


def _idx(file: Path, ndim: int) -> NDArray[np.uint8]:
    """Array of unsigned bytes in an IDX file: two zeros, the type 8, the number of dimensions, their lengths, data."""
    content = file.read_bytes()
    if file.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{file}: must be a whole gzip file, got: {error}") from None
    magic, header = bytes([0, 0, 8, ndim]), 4 + 4 * ndim
    if content[:4] != magic:
        raise ValueError(
            f"{file}: must begin with {magic.hex(' ')} ({ndim}-dimensional bytes), got {content[:4].hex(' ')}"
        )
    if len(content) < header:
        raise ValueError(f"{file}: must hold a header of {header} bytes, got {len(content)}")
    shape = tuple(np.frombuffer(content, dtype=">u4", count=ndim, offset=4).tolist())
    expected = header + int(np.prod(shape, dtype=object))
    if len(content) != expected:
        raise ValueError(f"{file}: must hold {expected} bytes for shape {shape}, got {len(content)}")
    return np.frombuffer(content, dtype=np.uint8, offset=header).reshape(shape)
