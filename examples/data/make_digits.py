"""Writes digits.npz from scikit-learn's copy of the UCI digits; needs the `data` extra.

`images` is (1797, 64), one 8x8 image a row, each pixel a count from 0 to 16; `labels` is (1797,), 0 to 9.
Running it again gives the same bytes.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

DESTINATION = Path(__file__).parent / "digits.npz"


def main() -> None:
    """Write the file beside this script."""
    digits = load_digits()
    np.savez_compressed(
        DESTINATION, images=digits.data.astype(np.uint8), labels=digits.target.astype(np.uint8)
    )
    print(f"{DESTINATION.name}: {len(digits.target)} images, {DESTINATION.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
