"""Build the embedded sample of MNIST from a folder with its four files: python scripts/build_mnist_sample.py FOLDER.

Writes tinygrad_cnn/datasets/mnist_sample.npz, byte for byte the same each time, and prints its SHA-256, which
belongs into tinygrad_cnn/datasets/mnist.py.
"""

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

from tinygrad_cnn.datasets.idx import expected_size, parse_idx, read_bytes
from tinygrad_cnn.datasets.mnist import FILES, SAMPLE, Digits

TRAINING_IMAGES = 5_000


def main() -> int:
    """Verify the files, take the sample, write it."""
    folder = Path(sys.argv[1])
    arrays = []
    for file in FILES:
        content = read_bytes(folder / (file.name + ".gz"), expected_size(file.magic, file.items))
        if hashlib.sha256(content).hexdigest() != file.sha256:
            print(f"{file.name}: not the original (SHA-256)")
            return 1
        arrays.append(parse_idx(content, file.magic, file.items, file.name))
    arrays[0], arrays[1] = arrays[0][:TRAINING_IMAGES], arrays[1][:TRAINING_IMAGES]
    with zipfile.ZipFile(SAMPLE, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in zip(Digits._fields, arrays, strict=True):
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", (2026, 1, 1, 0, 0, 0)),
                buffer.getvalue(),
                zipfile.ZIP_DEFLATED,
                9,
            )
    print(SAMPLE, SAMPLE.stat().st_size, hashlib.sha256(SAMPLE.read_bytes()).hexdigest())
    return 0


if __name__ == "__main__":
    sys.exit(main())
