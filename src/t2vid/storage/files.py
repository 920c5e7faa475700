"""Writes a file whole or not at all, and hashes it.

>>> import tempfile; path = Path(tempfile.mkdtemp(), "note.txt")
>>> write_atomically(path, "done"); path.read_text()
'done'
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def sha256_of(path: str | Path) -> str:
    """Hash a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, text: str) -> None:
    """Write a small file so that a reader sees all of it or the one before."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
