"""A dataset repository behind a network that fails: retries, single commits, clear messages.

>>> Remote("me/mix", "hf_token").state
'nothing was uploaded'
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from t2vid._version import __version__
from t2vid.errors import InputError, PublishError
from t2vid.progress import progress
from t2vid.publishing.uploads import File, wrong_paths
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


class Remote:
    """A dataset repository.

    Args:
        repo_id: `owner/name`.
        token: a token with write access, or None for the stored one.
        revision: the branch that is to show what is pushed; made where it is not there.
        create_pr: show it as a pull request on `revision`.
    """

    def __init__(
        self, repo_id: str, token: str | None, *, revision: str = "main", create_pr: bool = False
    ) -> None:
        from huggingface_hub import HfApi

        self.api: HfApi = HfApi(token=token, library_name="t2vid", library_version=__version__)
        self.repo_id, self.token = repo_id, token
        self.revision, self.create_pr = revision, create_pr
        self.state, self.n_sent = "nothing was uploaded", 0
        self.is_new = False  # there was no such repository before

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

    def sign_in(self, private: bool | None) -> None:
        """Find out early whether the token is good and the repository takes a push.

        Raises:
            InputError: when the repository is not as private as asked, `revision` is no branch, or
                a pull request is to be opened where there is no repository.
            PublishError: when the token can only read.
        """
        me = self.call("signing in", self.api.whoami)
        if me.get("auth", {}).get("accessToken", {}).get("role") == "read":
            raise PublishError(
                f"the token of {me.get('name')} can only read; make one that can write and run "
                "`hf auth login`, or pass token=; nothing was uploaded"
            )
        if "/" not in self.repo_id:
            self.repo_id = f"{me['name']}/{self.repo_id}"
        info = self.call("looking at the repository", lambda: _or_none(self._info))
        self.is_new = info is None
        if info is None:
            if self.create_pr or self.revision.startswith("refs/"):
                raise InputError(
                    f"there is no dataset repository {self.repo_id} to open a pull request on; push "
                    "without create_pr= and revision= to make it"
                )
            return
        if private is not None and bool(info.private) != private:
            raise InputError(
                f"{self.repo_id} exists and is {'private' if info.private else 'public'}, but "
                f"private={private} was asked; change its settings or choose another name; "
                "nothing was uploaded"
            )
        if self.revision != "main":
            self._check_revision()

    def open(self, private: bool | None) -> None:
        """Make the repository where it is not there."""
        if self.is_new:
            url = self.call(
                "making the repository",
                lambda: self.api.create_repo(
                    self.repo_id, repo_type="dataset", private=private, exist_ok=True
                ),
            )
            self.repo_id = url.repo_id

    def leave(self) -> None:
        """Take a repository away that this push made and sent nothing to."""
        if self.is_new and not self.n_sent:
            with contextlib.suppress(Exception):
                if set(self.tree("main")) <= {".gitattributes"}:
                    self.api.delete_repo(self.repo_id, repo_type="dataset")

    def has_revision(self) -> bool:
        """Tell whether the branch that is pushed to is there."""
        if self.revision == "main":
            return True
        look = f"looking for {self.revision}"
        return self.call(look, lambda: _or_none(lambda: self._info(self.revision))) is not None

    def row_groups(self, url: str) -> Iterator[Any]:
        """Read a Parquet file of the repository as Arrow tables, a row group at a time.

        Args:
            url: `hf://datasets/owner/name@revision/path`.
        """
        import pyarrow.parquet as pq
        from huggingface_hub import HfFileSystem

        fs = HfFileSystem(endpoint=self.api.endpoint, token=self.token, skip_instance_cache=True)
        with POLICY.call(lambda: fs.open(url)) as file, pq.ParquetFile(file) as rows:
            for group in range(rows.num_row_groups):
                yield POLICY.call(functools.partial(rows.read_row_group, group), what=url)

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
            self.n_sent += 1
        self.state = "all files are up"

    def head(self, branch: str = "main") -> str:
        """Give the commit that a branch points at."""
        info = self.call(
            f"reading the head of {branch}",
            lambda: self._info(branch),
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
            self.api.preupload_lfs_files(
                self.repo_id,
                [file.addition()],
                repo_type="dataset",
                revision=self.revision if self.create_pr else None,
                create_pr=self.create_pr,
            )

    def _commit(
        self, branch: str, parent: str, files: Sequence[File], gone: Sequence[str], message: str
    ) -> str:
        head = self.head(branch)
        if head != parent:
            if not wrong_paths(self.tree(head), files, gone):
                return head  # an earlier try did it, and its answer was lost
            raise Moved
        return self.make_commit(branch, parent, files, gone, message)

    def make_commit(
        self,
        branch: str,
        parent: str,
        files: Sequence[File],
        gone: Sequence[str],
        message: str,
        *,
        create_pr: bool = False,
    ) -> str:
        """Commit once, without a second try, where `branch` is at `parent`; give the commit.

        Raises:
            Moved: when it is not.
        """
        from huggingface_hub import CommitOperationDelete

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
                    create_pr=create_pr,
                )
        except Exception as error:
            if status_of(error) == 412:
                raise Moved from error
            raise
        return str(made.oid)

    def _info(self, revision: str | None = None) -> Any:
        return self.api.repo_info(self.repo_id, repo_type="dataset", revision=revision)

    def _check_revision(self) -> None:
        refs = self.call(
            "listing branches",
            lambda: self.api.list_repo_refs(
                self.repo_id, repo_type="dataset", include_pull_requests=True
            ),
        )
        branches = sorted(ref.name for ref in refs.branches)
        proposals = [ref.ref for ref in refs.pull_requests or []]
        known = self.revision in branches or self.revision in proposals
        a_tag = self.revision in [ref.name for ref in refs.tags]
        if known or not (a_tag or self.create_pr or self.revision.startswith("refs/")):
            return
        kind = "a tag" if a_tag else "no branch"
        raise InputError(
            f"revision ({self.revision!r}) is {kind} of {self.repo_id}; its branches are {branches}; "
            "nothing was uploaded"
        )


def _or_none(act: Callable[[], T]) -> T | None:
    """Give None where the server says that there is no such thing."""
    try:
        return act()
    except Exception as error:
        if status_of(error) == 404:
            return None
        raise


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
