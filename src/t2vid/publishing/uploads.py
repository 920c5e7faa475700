"""A file that is to be in a repository, and whether it is there already.

>>> File("README.md", b"# Mix").size
5
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class File:
    """A file to be: its path in the repository and its content, on disk or in memory."""

    path: str
    content: Path | bytes

    @cached_property
    def digests(self) -> tuple[str, str, int]:
        """SHA-256, name as a git blob, and size in bytes."""
        on_disk = isinstance(self.content, Path)
        size = self.content.stat().st_size if on_disk else len(self.content)  # type: ignore[union-attr, arg-type]
        sha256, git = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size)
        for chunk in self._chunks():
            sha256.update(chunk)
            git.update(chunk)
        return sha256.hexdigest(), git.hexdigest(), size

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.digests[2]

    def read(self) -> bytes:
        """Give the content."""
        return b"".join(self._chunks())

    def is_at(self, entry: Any) -> bool:
        """Tell whether a file that the Hub lists has this content."""
        if entry is None:
            return False
        sha256, git, _ = self.digests
        return bool(entry.lfs.sha256 == sha256 if entry.lfs else entry.blob_id == git)

    def addition(self) -> Any:
        """Give the operation that adds it in a commit."""
        from huggingface_hub import CommitOperationAdd

        return CommitOperationAdd(self.path, self.content)

    def _chunks(self) -> Iterator[bytes]:
        if isinstance(self.content, bytes):
            yield self.content
            return
        with open(self.content, "rb") as file:
            while chunk := file.read(2**20):
                yield chunk


def wrong_paths(
    tree: Mapping[str, Any], files: Sequence[File], gone: Sequence[str] = ()
) -> list[str]:
    """Name the paths of a tree that a commit of `files` and removal of `gone` would change."""
    wrong = [file.path for file in files if not file.is_at(tree.get(file.path))]
    return wrong + [path for path in gone if path in tree]
