"""What a push sends is shown at once or not at all: trial branch, comparison, one commit.

>>> folder_of("default"), folder_of("small")
('data', 'small')
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from t2vid.errors import InputError, PublishError, pluralize
from t2vid.publishing import card
from t2vid.publishing.loadback import compare
from t2vid.publishing.materialize import PublishFormat, plain_features
from t2vid.publishing.proposals import close, propose
from t2vid.publishing.remote import ATTEMPTS, Moved, Remote
from t2vid.publishing.shards import StagedShard
from t2vid.publishing.uploads import File, wrong_paths

if TYPE_CHECKING:
    from datasets import Dataset

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Parcel:
    """What a push sends.

    Attributes:
        config: name of the config.
        splits: the rows.
        form: in which form they are published.
        shards: the prepared files of each split.
        facts: what the card tells.
        data: the Parquet files, by their paths in the repository.
        about: the files beside the card.
        message: title of the commit.
        one_split: the config's other splits stay.
    """

    config: str
    splits: Mapping[str, Dataset]
    form: PublishFormat
    shards: Mapping[str, Sequence[StagedShard]]
    facts: card.Facts
    data: Sequence[File]
    about: Sequence[File]
    message: str
    one_split: bool

    def owns(self, path: str) -> bool:
        """Tell whether this push decides what is at a path of the repository."""
        folder = f"{folder_of(self.config)}/"
        mine = [f"{folder}{split}-" for split in self.splits] if self.one_split else [folder]
        return path.startswith((*mine, f"about/{self.config}/"))


class VisibleCommit(NamedTuple):
    """The commit that shows a push, its files, and where to look at it."""

    commit: str
    files: Sequence[File]
    url: str


def folder_of(config: str) -> str:
    """Give the folder of a config's Parquet files, as `push_to_hub` names it."""
    return "data" if config == "default" else config


def show(remote: Remote, parcel: Parcel) -> VisibleCommit:
    """Compare on a trial branch, then commit; plan again when somebody else committed."""
    url = f"{remote.api.endpoint}/datasets/{remote.repo_id}"
    names = "".join(file.digests[0] for file in parcel.data)
    trial = f"t2vid-trial-{hashlib.sha256(names.encode()).hexdigest()[:12]}"
    branch, before, compared = remote.revision, None, False
    for _ in range(ATTEMPTS):
        is_there = remote.has_revision()
        head = remote.head(branch if is_there else "main")
        tree = remote.tree(head)
        mine = {path: entry.blob_id for path, entry in tree.items() if parcel.owns(path)}
        files, gone = _plan(remote, parcel, tree, head)
        if is_there and not wrong_paths(tree, files, gone):
            _compare(remote, parcel, head)
            remote.drop(trial)  # of a push that died right after it was done
            return VisibleCommit(head, files, url)
        if before not in (None, mine):
            raise PublishError(
                f"somebody else changed config {parcel.config!r} of {remote.repo_id} during this "
                f"push (now at {head[:10]}); nothing of this push is visible; look at theirs, then "
                "run it again"
            )
        before = mine
        try:
            if remote.create_pr:
                return _proposed(remote, parcel, head, files, gone)
            if not compared or not is_there:
                remote.branch(trial, head)
                oid = remote.commit(trial, head, files, gone, message=parcel.message)
                _compare(remote, parcel, oid)
                compared = True
            if is_there:
                oid = remote.commit(branch, head, files, gone, message=parcel.message)
            else:
                remote.branch(branch, oid)
            return VisibleCommit(oid, files, url)
        except Moved:
            logger.warning("%s changed during the push; planning again", remote.repo_id)
        finally:
            remote.drop(trial)
    raise PublishError(
        f"{remote.repo_id} changed {ATTEMPTS} times while this push tried to commit; nothing of it "
        "is visible; run it again when the repository is quiet (no file is sent twice)"
    )


def _proposed(
    remote: Remote, parcel: Parcel, head: str, files: list[File], gone: list[str]
) -> VisibleCommit:
    """Open a pull request; whoever may open one need not be allowed to make a trial branch."""
    proposal = propose(remote, head, files, gone, message=parcel.message)
    oid = remote.head(proposal.git_reference)
    try:
        _compare(remote, parcel, oid)
    except PublishError:
        close(remote, proposal.num)
        raise
    return VisibleCommit(oid, files, proposal.url)


def _plan(
    remote: Remote, parcel: Parcel, tree: Mapping[str, Any], head: str
) -> tuple[list[File], list[str]]:
    """Give the files of the commit and the paths that it removes."""
    old = remote.read("README.md", head) if "README.md" in tree else None
    there = card.published(old, parcel.config)
    kept = {name: sizes for name, sizes in there.items() if name not in parcel.splits}
    if kept and not parcel.one_split:
        raise InputError(
            f"config {parcel.config!r} of {remote.repo_id} also has the splits {sorted(kept)}, which "
            "this push would remove; push a DatasetDict that holds them too, name one split with "
            "split=, or choose another config"
        )
    facts = _with_splits(remote, parcel, tree, kept, head)
    text = card.merge_card(old, facts, repo_id=remote.repo_id)
    files = [*parcel.data, *parcel.about, File("README.md", text.encode())]
    gone = {path for path in tree if parcel.owns(path)} - {file.path for file in files}
    _tell_what_goes(remote, parcel, tree, there, sorted(gone))
    return files, sorted(gone)


def _with_splits(
    remote: Remote,
    parcel: Parcel,
    tree: Mapping[str, Any],
    kept: Mapping[str, Mapping[str, int]],
    head: str,
) -> card.Facts:
    """Give the facts with the splits that stay.

    Raises:
        InputError: when those have other columns: nobody could load the config.
    """
    if not kept:
        return parcel.facts
    folder = f"{folder_of(parcel.config)}/"
    stay = [path for path in tree if path.startswith(folder) and not parcel.owns(path)]
    first = next(iter(parcel.splits.values()))
    mine = plain_features(first.features, parcel.form).arrow_schema
    if stay:
        url = f"hf://datasets/{remote.repo_id}@{head}/{stay[0]}"
        theirs: pa.Table = next(remote.row_groups(url))
        if not theirs.schema.equals(mine):
            raise InputError(
                f"the splits {sorted(kept)} of config {parcel.config!r} of {remote.repo_id} have the "
                f"columns {theirs.column_names}, or other types, and this push {mine.names}; choose "
                "another config_name"
            )
    return replace(
        parcel.facts,
        splits={**kept, **parcel.facts.splits},
        download_bytes=parcel.facts.download_bytes + sum(tree[path].size for path in stay),
        kept=list(kept),
    )


def _tell_what_goes(
    remote: Remote,
    parcel: Parcel,
    tree: Mapping[str, Any],
    there: Mapping[str, Mapping[str, int]],
    gone: Sequence[str],
) -> None:
    """Say which rows of others this push replaces, before it does."""
    changed = [path for path in wrong_paths(tree, parcel.data) if path in tree]
    lost = [path for path in (*changed, *gone) if path.endswith(".parquet")]
    if lost:
        n_rows = sum(
            sizes["num_examples"] for name, sizes in there.items() if name in parcel.splits
        )
        had = pluralize(n_rows, "row") if n_rows else "rows"
        logger.warning(
            "%s, config %r: this push replaces %s (%s%s); the old ones stay in the history of %s",
            remote.repo_id, parcel.config, had, lost[0], " …" if lost[1:] else "", remote.revision,
        )  # fmt: skip


def _compare(remote: Remote, parcel: Parcel, revision: str) -> None:
    for name, split in parcel.splits.items():
        compare(
            remote,
            split,
            parcel.form,
            parcel.shards[name],
            config=parcel.config,
            split=name,
            revision=revision,
        )
