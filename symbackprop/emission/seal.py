"""The last line of a written module: a hash of the lines above, by which an edited file is told."""

from __future__ import annotations

from hashlib import sha256

SEAL = "# sha256 of the lines above: "


def sealed(text: str) -> str:
    """The text, and a comment with the first 16 hexadecimal digits of its SHA-256."""
    return f"{text}\n\n{SEAL}{_digest(text)}\n"


def is_sealed(text: str) -> bool:
    """Whether a text ends in a seal, whatever it says."""
    return _parted(text) is not None


def is_as_written(text: str) -> bool:
    """Whether a text ends in the seal of what stands above it: nobody has edited it."""
    parted = _parted(text)
    return parted is not None and _digest(parted[0]) == parted[1]


def _parted(text: str) -> tuple[str, str] | None:
    """What stands above the seal, and the digits that the seal says."""
    above, mark, said = text.replace("\r\n", "\n").rpartition(f"\n\n{SEAL}")
    return (above, said.strip()) if mark and len(said.split()) == 1 else None


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]
