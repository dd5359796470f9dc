"""Files damaged at random, and what becomes of those who read them; run as a script, for a reader may crash.

    python -W error -W ignore:Reading -m tests.reliability.damaged KIND,… FIRST LAST FOLDER

prints a line for each number of a damaged file: how it was damaged, and "refused" or "right", or else what went wrong.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from infogeom.losses import LpNorm, MeanPower
from infogeom.network import MLP, Record, fit, load_mnist, study
from infogeom.network import checkpoint as checkpoints

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Array]

RNG = np.random.default_rng(12)
X = RNG.random((12, 3)).astype(np.float32)
Y = np.eye(2)[RNG.integers(0, 2, 12)]
RECORD = Record(losses=[MeanPower(4)], spectra=2)
PIXELS = RNG.integers(0, 256, (5, 28, 28), dtype=np.uint8)
DIGITS = RNG.integers(0, 10, 5, dtype=np.uint8)


# --- Damage -----------------------------------------------------------------------------------------------------------


def flipped(content: bytes, draw: random.Random) -> bytes:
    """Some bits the other way."""
    found = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 8])):
        found[draw.randrange(len(found))] ^= 1 << draw.randrange(8)
    return bytes(found)


def overwritten(content: bytes, draw: random.Random) -> bytes:
    """A block of zeros, of ones or of anything in place of what was there."""
    length = draw.choice([1, 2, 4, 16, 512])
    start = draw.randrange(len(content))
    block = draw.choice([bytes(length), b"\xff" * length, draw.randbytes(length)])
    return content[:start] + block[: len(content) - start] + content[start + length :]


def cut(content: bytes, draw: random.Random) -> bytes:
    """The end is missing."""
    return content[: draw.randrange(len(content))]


def shifted(content: bytes, draw: random.Random) -> bytes:
    """A block is missing from the middle, or there twice."""
    start, length = draw.randrange(len(content)), draw.choice([1, 8, 64])
    return content[:start] + content[start + draw.choice([length, -length]) :]


def lengthened(content: bytes, draw: random.Random) -> bytes:
    """Something follows the end."""
    return content + draw.choice([bytes(8), draw.randbytes(16), content])


DAMAGES = (flipped, flipped, overwritten, overwritten, cut, shifted, lengthened)


def of_other_form(array: Array, draw: random.Random) -> Array:
    """An array of another dtype or shape, or of numbers that are none."""
    other = draw.choice([np.float64, np.float32, np.int32, np.uint8, np.complex128, np.dtype(">f8"), np.dtype("S3")])
    if array.ndim == 0:
        changes = [array.astype(np.float64) + 0.7, array.reshape(1), array - 10, array + 10**15]
    else:
        nothing = np.full(array.shape, np.nan).astype(array.dtype) if array.dtype.kind == "f" else array[::-1]
        changes = [array[:-1], array[:1], np.append(array, array, axis=0), array[None], nothing]
    if array.dtype != other:
        changes.append(array.astype(other))
    return draw.choice(changes)


def other_arrays(arrays: Arrays, draw: random.Random) -> Arrays:
    """Arrays of which one is missing, unknown, under another's name or of another form."""
    name = draw.choice(list(arrays))
    rest = {key: array for key, array in arrays.items() if key != name}
    changed = draw.choice([{}, {f"{name}_": arrays[name]}, {name: of_other_form(arrays[name], draw)}])
    return rest | changed


# --- Readers ----------------------------------------------------------------------------------------------------------


class Checkpoints:
    """Checkpoints of `fit`: the run must go on from them as if nothing had been."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "run.npz"
        self._fit(2)
        self.whole = self.file.read_bytes()
        self.right = self._fit(3)

    def _fit(self, epochs: int) -> xr.Dataset:
        net = MLP((3, 4, 2))
        ds = fit(net, X, Y, LpNorm(2), epochs=epochs, batch_size=5, record=RECORD, checkpoint=self.file)
        return ds.drop_attrs(deep=False)

    def damage(self, draw: random.Random) -> str:
        """Put a damaged file in place, and say how."""
        how = draw.choice(DAMAGES)
        self.file.write_bytes(how(self.whole, draw))
        return how.__name__

    def read(self) -> bool:
        """Whether what is read is right."""
        return self._fit(3).identical(self.right)


class Arraylists(Checkpoints):
    """Checkpoints of the right settings and wrong arrays, by somebody who knows how to write them."""

    def damage(self, draw: random.Random) -> str:
        """Put a file of other arrays in place, some with their right digests, some with damaged headers."""
        with np.load(io.BytesIO(self.whole)) as file:
            arrays = dict(file)
        if draw.random() < 0.2:
            self.file.write_bytes(self._repacked(draw))
            return "headers"
        settings = json.loads(str(arrays.pop("settings")))
        arrays = other_arrays(arrays, draw)
        if draw.random() < 0.5:
            np.savez(self.file, settings=json.dumps(settings), **arrays)  # type: ignore[arg-type]
            return "arrays"
        del settings["contents"]
        checkpoints.save(self.file, settings, arrays)
        return "arrays with their digests"

    def _repacked(self, draw: random.Random) -> bytes:
        """The archive with one member damaged, and its checksum that of the damaged one."""
        target = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(self.whole)) as old, zipfile.ZipFile(target, "w") as new:
            names = old.namelist()
            chosen = draw.choice(names)
            for name in names:
                content = old.read(name)
                if name == chosen:
                    content = draw.choice(DAMAGES)(content[:128], draw) + content[128:]
                new.writestr(name, content)
        return target.getvalue()


class Runs:
    """Finished runs of studies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "runs"
        self.file = self.folder / "l2_4_0.nc"
        self.right = self._study()
        self.whole = self.file.read_bytes()

    def _study(self) -> xr.Dataset:
        settings: dict[str, Any] = {"losses": [LpNorm(2)], "widths": [4], "seeds": [0], "epochs": 2, "record": RECORD}
        return study(X, Y, **settings, workers=1, out=self.folder)

    def damage(self, draw: random.Random) -> str:
        """Put a damaged file in place, and say how."""
        how = draw.choice(DAMAGES)
        self.file.write_bytes(how(self.whole, draw))
        return how.__name__

    def read(self) -> bool:
        """Whether what is read is right."""
        return self._study().identical(self.right)


def idx(array: Array) -> bytes:
    """An IDX file of bytes."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


class Images:
    """IDX files as they are: without a checksum, so that what is read must be what they say."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "train-images-idx3-ubyte", folder / "train-labels-idx1-ubyte"
        self.whole = idx(PIXELS), idx(DIGITS)

    def damage(self, draw: random.Random) -> str:
        """Put a damaged file beside a whole one, and say how."""
        chosen, how = draw.randrange(2), draw.choice(DAMAGES)
        for k, (file, content) in enumerate(zip(self.files, self.whole, strict=True)):
            # Most of an image file is pixels, about which there is nothing to refuse.
            head = content[:20] if draw.random() < 0.7 else content
            file.write_bytes(how(head, draw) + content[len(head) :] if k == chosen else content)
        self.file = self.files[chosen]
        return f"{how.__name__}, {self.file.name}"

    def read(self) -> bool:
        """Whether what is read is what the files say."""
        x, y = load_mnist(self.file.parent)
        images, labels = (file.read_bytes() for file in self.files)
        n, *_ = shape = struct.unpack(">3I", images[4:16])
        pixels = np.array(list(images[16:])).reshape(n, 784)
        return (
            (images[:4], labels[:8], shape[1:]) == (b"\0\0\x08\x03", b"\0\0\x08\x01" + struct.pack(">I", n), (28, 28))
            and np.array_equal(x, pixels.astype(np.float32) / np.float32(255))
            and y.argmax(axis=1).tolist() == list(labels[8:])
        )


class Archives(Images):
    """Gzipped IDX files, whose checksum tells all damage."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.files = self.files[0].with_suffix(".gz"), self.files[1].with_suffix(".gz")
        self.whole = gzip.compress(self.whole[0], mtime=0), gzip.compress(self.whole[1], mtime=0)

    def read(self) -> bool:
        """Whether what is read is what was written."""
        x, y = load_mnist(self.file.parent)
        right = PIXELS.reshape(5, 784).astype(np.float32) / np.float32(255)
        return np.array_equal(x, right) and y.argmax(axis=1).tolist() == DIGITS.tolist()


KINDS: dict[str, Callable[[Path], Any]] = {
    "checkpoints": Checkpoints,
    "arrays": Arraylists,
    "runs": Runs,
    "images": Images,
    "archives": Archives,
}


def verdict(reader: Any) -> str:
    """What becomes of a damaged file; other errors than ValueError are not caught."""
    content = reader.file.read_bytes()
    try:
        return "right" if reader.read() else "WRONG"
    except ValueError as error:
        if str(reader.file) not in str(error):
            return f"UNNAMED: {error}"
        return "refused" if reader.file.read_bytes() == content else "OVERWRITTEN"


def main(kinds: str, first: str, last: str, folder: str) -> None:
    """Damage files by number, and print what becomes of each."""
    for kind in kinds.split(","):
        place = Path(folder) / kind
        place.mkdir()
        reader = KINDS[kind](place)
        for number in range(int(first), int(last)):
            how = reader.damage(random.Random(f"{kind} {number}"))
            print(kind, number, how, end=": ", flush=True)
            print(verdict(reader), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
