"""Pull requests on a dataset repository: one for the same files, however often a push is run.

proposal = propose(remote, head, files, gone, message="Publish default with t2vid")
proposal.url, proposal.git_reference
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from t2vid.errors import PublishError
from t2vid.publishing.remote import Remote
from t2vid.publishing.uploads import File, wrong_paths


def propose(
    remote: Remote, parent: str, files: Sequence[File], gone: Sequence[str], *, message: str
) -> Any:
    """Open a pull request, or give the open one that holds just this.

    Args:
        remote: the repository; its `revision` is what the pull request is on.
        parent: the commit that `revision` points at.
        files: what it adds or replaces.
        gone: paths that it removes.
        message: its title.

    Raises:
        Moved: when `revision` no longer points at `parent`.
        PublishError: when it cannot be opened, or does not hold what was sent.
    """

    def act() -> Any:
        there = _open_one(remote, files, gone)
        if there is None:  # an earlier try may have opened it, and its answer was lost
            remote.make_commit(remote.revision, parent, files, gone, message, create_pr=True)
            there = _open_one(remote, files, gone)
        return there

    found = remote.call("opening the pull request", act)
    if found is None:
        raise PublishError(
            f"the pull request on {remote.repo_id} does not hold what was sent; look at it before "
            "pushing again"
        )
    return found


def close(remote: Remote, number: int) -> None:
    """Close a pull request."""
    remote.call(
        "closing the pull request",
        lambda: remote.api.change_discussion_status(
            remote.repo_id, number, "closed", repo_type="dataset"
        ),
    )


def _open_one(remote: Remote, files: Sequence[File], gone: Sequence[str]) -> Any:
    found = remote.api.get_repo_discussions(
        remote.repo_id,
        repo_type="dataset",
        discussion_type="pull_request",
        discussion_status="open",
    )
    for one in found:
        if one.git_reference and not wrong_paths(remote.tree(one.git_reference), files, gone):
            return one
    return None
