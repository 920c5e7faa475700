"""A dataset repository behind a network that fails: retries, single commits, clear messages.

>>> File("README.md", b"# Mix").size
5
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from t2vid._version import __version__
from t2vid.errors import InputError, PublishError
from t2vid.progress import progress
from t2vid.storage.http import AGAIN, RetryPolicy, reason_of, status_of

if TYPE_CHECKING:
    from huggingface_hub import HfApi

logger = logging.getLogger(__name__)

ATTEMPTS = 4  # on top of the tries that huggingface_hub gives each request of an upload
# A 409 is no busy server here but a repository in another state.
POLICY = RetryPolicy(retries=ATTEMPTS - 1, max_wait_s=60.0, jitter=0.0, statuses=AGAIN - {409, 425})

T = TypeVar("T")


class Moved(Exception):
    """Somebody else committed since the head was read."""


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


class Remote:
    """A dataset repository.

    Args:
        repo_id: `owner/name`.
        token: a token with write access, or None for the stored one.
    """

    def __init__(self, repo_id: str, token: str | None) -> None:
        from huggingface_hub import HfApi

        self.api: HfApi = HfApi(token=token, library_name="t2vid", library_version=__version__)
        self.repo_id, self.token = repo_id, token
        self.state = "nothing was uploaded"

    def call(self, what: str, act: Callable[[], T]) -> T:
        """Do it, again after transient failures.

        Raises:
            PublishError: after a lasting failure, saying where things stand and what to do.
        """
        try:
            return POLICY.call(act, what=f"{what} ({self.repo_id})")
        except (Moved, PublishError):
            raise
        except Exception as error:
            raise PublishError(
                f"{what} failed for {self.repo_id}: {reason_of(error)}; {self.state}, and nothing "
                f"new is visible there; {_advice(error)}"
            ) from error

    def sign_in(self) -> None:
        """Find out early whether the token is good."""
        self.call("signing in", self.api.whoami)

    def open(self, private: bool | None) -> None:
        """Make the repository, or check that the one there is as private as asked.

        Raises:
            InputError: when it is not.
        """
        api, name = self.api, self.repo_id
        url = self.call(
            "making the repository",
            lambda: api.create_repo(name, repo_type="dataset", private=private, exist_ok=True),
        )
        name = self.repo_id = url.repo_id
        look = "looking at the repository"
        info = self.call(look, lambda: api.repo_info(name, repo_type="dataset"))
        if private is not None and bool(info.private) != private:
            raise InputError(
                f"{name} exists and is {'private' if info.private else 'public'}, but "
                f"private={private} was asked; change its settings or choose another name; "
                "nothing was uploaded"
            )

    def upload(self, files: Sequence[File]) -> None:
        """Send the contents; those that are there already are not sent again."""
        total = sum(file.size for file in files)
        done = 0
        for i, file in enumerate(progress(files, desc="upload", unit="file")):
            self.state = (
                f"{i} of {len(files)} files ({done / 1e6:,.1f} of {total / 1e6:,.1f} MB) are up"
            )
            self.call(f"uploading {file.path}", lambda file=file: self._send(file))  # type: ignore[misc]
            done += file.size
        self.state = "all files are up"

    def head(self, branch: str = "main") -> str:
        """Give the commit that a branch points at."""
        info = self.call(
            f"reading the head of {branch}",
            lambda: self.api.repo_info(self.repo_id, repo_type="dataset", revision=branch),
        )
        return str(info.sha)

    def tree(self, revision: str) -> dict[str, Any]:
        """List the files of a revision."""

        def act() -> list[Any]:
            listing = self.api.list_repo_tree(
                self.repo_id, repo_type="dataset", revision=revision, recursive=True
            )
            return list(listing)

        entries = self.call("listing files", act)
        return {entry.path: entry for entry in entries if hasattr(entry, "blob_id")}

    def read(self, path: str, revision: str) -> str:
        """Read a text file of a revision."""
        local = self.call(
            f"reading {path}",
            lambda: self.api.hf_hub_download(
                self.repo_id, path, repo_type="dataset", revision=revision
            ),
        )
        return Path(local).read_text(encoding="utf-8")

    def commit(
        self,
        branch: str,
        parent: str,
        files: Sequence[File],
        gone: Sequence[str],
        *,
        message: str,
    ) -> str:
        """Put files on a branch in one commit, once, even when an answer of the server is lost.

        Args:
            branch: where to.
            parent: the commit that the branch is expected to point at.
            files: what to add or replace.
            gone: paths to remove.
            message: title of the commit.

        Raises:
            Moved: when the branch no longer points at `parent`.
            PublishError: when the commit cannot be made, or does not hold what was sent.
        """
        oid = self.call(
            f"the commit on {branch}", lambda: self._commit(branch, parent, files, gone, message)
        )
        wrong = wrong_paths(self.tree(oid), files, gone)
        if wrong:
            raise PublishError(
                f"commit {oid[:10]} on {branch} of {self.repo_id} does not hold what was sent: "
                f"{wrong[0]} differs; a .gitignore there, or the server, changed it; look at it "
                "before pushing again"
            )
        return oid

    def branch(self, name: str, revision: str) -> None:
        """Make a branch, over one that an interrupted push left behind."""
        self.drop(name)
        self.call(
            "making the trial branch",
            lambda: self.api.create_branch(
                self.repo_id, branch=name, revision=revision, repo_type="dataset", exist_ok=True
            ),
        )

    def drop(self, name: str) -> None:
        """Delete a branch, if it is there; a failure is logged, for nothing depends on it."""
        try:
            POLICY.call(
                lambda: self.api.delete_branch(self.repo_id, branch=name, repo_type="dataset"),
                what=f"deleting {name}",
            )
        except Exception as error:
            if status_of(error) != 404:
                logger.warning("%s of %s stays behind: %s", name, self.repo_id, reason_of(error))

    def _send(self, file: File) -> None:
        with _no_bars():
            self.api.preupload_lfs_files(self.repo_id, [file.addition()], repo_type="dataset")

    def _commit(
        self, branch: str, parent: str, files: Sequence[File], gone: Sequence[str], message: str
    ) -> str:
        from huggingface_hub import CommitOperationDelete

        head = self.head(branch)
        if head != parent:
            if not wrong_paths(self.tree(head), files, gone):
                return head  # an earlier try did it, and its answer was lost
            raise Moved
        operations = [*(file.addition() for file in files), *map(CommitOperationDelete, gone)]
        try:
            with _no_bars():
                made = self.api.create_commit(
                    self.repo_id,
                    operations,
                    commit_message=message,
                    repo_type="dataset",
                    revision=branch,
                    parent_commit=parent,
                )
        except Exception as error:
            if status_of(error) == 412:
                raise Moved from error
            raise
        return str(made.oid)


def wrong_paths(
    tree: Mapping[str, Any], files: Sequence[File], gone: Sequence[str] = ()
) -> list[str]:
    """Name the paths of a tree that a commit of `files` and removal of `gone` would change."""
    wrong = [file.path for file in files if not file.is_at(tree.get(file.path))]
    return wrong + [path for path in gone if path in tree]


@contextlib.contextmanager
def _no_bars() -> Iterator[None]:
    """Keep the uploader's own bars from breaking into ours."""
    from huggingface_hub import utils

    if utils.are_progress_bars_disabled():  # type: ignore[attr-defined]
        yield
        return
    utils.disable_progress_bars()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        utils.enable_progress_bars()  # type: ignore[attr-defined]


def _advice(error: BaseException) -> str:
    status = status_of(error)
    # by name: a machine without any token fails before it asks
    if status in (401, 403) or type(error).__name__ == "LocalTokenNotFoundError":
        return "the token is missing, expired or may not write there; run `hf auth login`"
    if status == 507:
        return "the Hub has no room left for it; make some, then run the same push again"
    return "run the same push again: it goes on from there"
