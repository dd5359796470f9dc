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
#: SHA-256 of the gzipped files as LeCun, Cortes and Burges published them, to download.
PUBLISHED = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
#: SHA-256 of the images and of the labels in each pair of them, whatever they are compressed by.
PUBLISHED_CONTENTS = {
    "train": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "t10k": (
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}
#: Files that an error lists at most.
LISTED = 8


def load_mnist(folder: str | Path, split: str | None = None) -> tuple[Array, Array]:
    """Images of 28 × 28 pixels and labels from a folder of IDX files named as MNIST's, gzipped or not.

    Other data come in files of these names too, Fashion-MNIST for one: `mnist_source` says which these are.

    Parameters
    ----------
    folder : str or Path
        Holds ``train-images-idx3-ubyte`` and ``train-labels-idx1-ubyte``, or the ``t10k-`` pair, each perhaps ``.gz``
        and perhaps with a dot for the second hyphen (``train-images.idx3-ubyte``).
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
    """What `load_mnist` would read, in words: MNIST where the SHA-256 of what the files hold is that of the published.

    Their names do not matter for that, nor whether and how they are compressed.

    Parameters
    ----------
    folder, split
        As for `load_mnist`.

    Returns
    -------
    str
        ``"MNIST, t10k pair, SHA-256 as published"``, say; of anything else "IDX images", by which names they were
        found, and how the SHA-256 of images and labels begin.

    Raises
    ------
    ValueError
        For a missing folder or file, and for a damaged gzip file.
    """
    files = _pair(path_of("folder", folder), split)
    images, labels = (hashlib.sha256(_content(file)).hexdigest() for file in files)
    for name, published in PUBLISHED_CONTENTS.items():
        if (images, labels) == published:
            return f"MNIST, {name} pair, SHA-256 as published"
    found = files[0].name.partition("-")[0]
    return f"IDX images, {found} pair, SHA-256 {images[:12]}… and {labels[:12]}…, not those of MNIST"


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
    looked_for = (split,) if split else SPLITS
    for name in looked_for:
        images, labels = (_there(folder, stem) for stem in _stems(name))
        if images and labels:
            return images, labels
    wanted = ", or ".join(" and ".join(_stems(name)) for name in looked_for)
    raise ValueError(
        f"folder {str(folder)!r} must hold {wanted} (also with a dot before idx, also with .gz at the end), "
        f"got {_listing(folder)}"
    )


def _stems(split: str) -> tuple[str, str]:
    """Names of the images and of the labels of a split."""
    return f"{split}-images-idx3-ubyte", f"{split}-labels-idx1-ubyte"


def _there(folder: Path, stem: str) -> Path | None:
    """File in a folder, gzipped or not, with a hyphen or a dot before idx; None where there is none."""
    for name in (stem, stem.replace("-idx", ".idx")):
        for file in (folder / f"{name}.gz", folder / name):
            if file.is_file():
                return file
    return None


def _listing(folder: Path) -> str:
    """Names of what a folder holds, the first of many."""
    names = sorted(path.name for path in folder.iterdir())
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return (", ".join(names[:LISTED]) + more) or "an empty one"


def _content(file: Path) -> bytes:
    """Bytes of a file, those that it was compressed from where it is gzipped."""
    content = file.read_bytes()
    if file.suffix != ".gz":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{file}: must be a whole gzip file, got: {error}") from None


def _idx(file: Path, ndim: int) -> NDArray[np.uint8]:
    """Array of unsigned bytes in an IDX file: two zeros, the type 8, the number of dimensions, their lengths, data."""
    content = _content(file)
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
