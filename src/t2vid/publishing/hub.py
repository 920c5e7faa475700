"""`push`: a dataset on the Hub that others can trust; it is shown only once it was loaded back.

    prepare ──► upload ──► trial branch ──► load back, compare ──► one commit on main
    (local)    (blobs)    (invisible)       (row for row)          (visible)

>>> from datasets import Dataset
>>> push(Dataset.from_dict({"n": [1]}), "t2vid/mix")  # a name that this package serves itself
Traceback (most recent call last):
...
t2vid.errors.InputError: 't2vid/mix' is served by this package; choose another name to publish as
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from t2vid.corpora.licences import (
    Licence,
    LicenceWarning,
    concerns,
    is_bundled,
    licences_of,
    strictest,
)
from t2vid.errors import InputError, PublishError
from t2vid.publishing import card
from t2vid.publishing.checks import check_names, check_rows, splits_of
from t2vid.publishing.folder import open_folder
from t2vid.publishing.loadback import compare
from t2vid.publishing.materialize import (
    DatasetStats,
    Pictures,
    PublishFormat,
    common_folder,
    lazy_columns,
    plain_features,
    survey,
)
from t2vid.publishing.pictures import pictures
from t2vid.publishing.remote import ATTEMPTS, File, Moved, Remote, wrong_paths
from t2vid.publishing.shards import StagedShard, stage

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from t2vid.schema import Counts

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Published:
    """What a push left behind.

    Attributes:
        url: where to look at it.
        repo_id: `owner/name`.
        commit: the revision of `main` that shows it.
        files: sizes in bytes of the config's files and of the card, by path in the repository.
        n_rows: rows that were loaded back and found equal.
        licence: the strictest stated licence.
    """

    url: str
    repo_id: str
    commit: str
    files: Mapping[str, int]
    n_rows: int
    licence: str


@dataclass(frozen=True)
class _Parcel:
    """What a push sends."""

    config: str
    splits: Mapping[str, Dataset]
    form: PublishFormat
    shards: Mapping[str, Sequence[StagedShard]]
    facts: card.Facts
    data: Sequence[File]
    about: Sequence[File]

    def owns(self, path: str) -> bool:
        """Tell whether a path of the repository belongs to this config."""
        return path.startswith((f"{_folder(self.config)}/", f"about/{self.config}/"))


def push(
    dataset: Dataset | DatasetDict | str | Path,
    repo_id: str,
    *,
    config: str = "default",
    materialize: Pictures | None = None,
    include_media: bool = False,
    private: bool | None = None,
    token: str | None = None,
    licences: Mapping[str, str] | str | None = None,
    recipe: Any = None,
    counts: Counts | None = None,
    resume: bool = True,
    media_root: str | Path | None = None,
    num_proc: int = 1,
    stage_dir: str | Path | None = None,
) -> Published:
    """Publish a dataset so that anyone can load it, with or without t2vid.

    Nothing changes on `main` until the whole has been loaded back from a trial branch and compared
    row for row; then it appears in one commit. Pushing the same data again changes nothing.

    Args:
        dataset: one split, several as a `DatasetDict`, or the folder that `t2vid build` or
            `save_to_disk` wrote; they replace the config's.
        repo_id: `owner/name` of the dataset repository; made if it is not there.
        config: name of the config; other configs of the repository stay.
        materialize: None publishes text as text (small; `cast_column` makes frames of it), `"webp"`
            or `"png"` lossless pictures that the viewer shows.
        include_media: upload the frames of videos, at each row's budget. Without it only their
            names are published.
        private: make a new repository private; an existing one must agree.
        token: a token with write access; None takes the stored one.
        licences: licence by source, or one for all; wins over what is known of a source.
        recipe: what the dataset was built from, for the card: a `t2vid.Recipe`.
        counts: what building dropped, for the card and `counts.json`.
        resume: go on from the files that an interrupted push prepared.
        media_root: folder that published video paths are relative to; by default the deepest one
            that holds them all.
        num_proc: processes that prepare files.
        stage_dir: folder for prepared files; needs room for the whole upload.

    Raises:
        InputError: for arguments or rows that cannot be published as asked.
        PublishError: when the Hub or the disk failed; the message says what is visible (nothing
            new) and what to do next.

    Warns:
        LicenceWarning: before anything is uploaded, when a source forbids commercial use or states
            no licence, or when frames of videos are about to be uploaded.
    """
    if isinstance(dataset, str | Path):
        opened = open_folder(dataset)
        dataset, recipe, counts = opened.dataset, recipe or opened.recipe, counts or opened.counts
    splits = splits_of(dataset)
    check_names(repo_id, config=config, recipe=recipe)
    total = sum((survey(split) for split in splits.values()), DatasetStats())
    root = media_root if media_root is not None else common_folder(total.folders)
    form = PublishFormat(
        materialize, include_media, None if root is None else str(Path(root).absolute())
    )
    check_rows(total, form)
    names = list(total.sources) or ["all rows"]
    known = licences_of(names, licences, corpora=_corpora(names, splits, recipe))
    for sentence in concerns(known, media_rows=total.n_videos if include_media else 0):
        warnings.warn(f"{repo_id}: {sentence}", LicenceWarning, stacklevel=2)

    remote = Remote(repo_id, token)
    remote.sign_in()
    prepared = _stage_folder(stage_dir, repo_id, config)
    with _alone(prepared, repo_id):
        if not resume:
            shutil.rmtree(prepared, ignore_errors=True)
        shards = {
            name: stage(split, form, prepared, num_proc=num_proc) for name, split in splits.items()
        }
        facts, about = _about(config, splits, shards, total, form, known, recipe, counts)
        parcel = _Parcel(config, splits, form, shards, facts, _named(shards, config), about)
        remote.open(private)
        remote.upload([*parcel.data, *about])
        commit, files = _show(remote, parcel)
        shutil.rmtree(prepared, ignore_errors=True)
    return Published(
        url=f"{remote.api.endpoint}/datasets/{remote.repo_id}",
        repo_id=remote.repo_id,
        commit=commit,
        files={file.path: file.size for file in files},
        n_rows=total.n_rows,
        licence=strictest(known),
    )


def _corpora(names: Sequence[str], splits: Mapping[str, Dataset], recipe: Any) -> dict[str, str]:
    """Tell which corpus is behind a source: a recipe may have given it a name of its own."""
    if all(is_bundled(split.info) for split in splits.values()):
        return dict.fromkeys(names, "sample")
    return {source.name: source.corpus for source in getattr(recipe, "sources", ())}


# Preparing, on this machine.


def _folder(config: str) -> str:
    return "data" if config == "default" else config


def _stage_folder(stage_dir: str | Path | None, repo_id: str, config: str) -> Path:
    from huggingface_hub import constants

    parent = Path(stage_dir) if stage_dir is not None else Path(constants.HF_HOME, "t2vid", "push")
    return parent / f"{repo_id.replace('/', '--')}--{config}"


@contextlib.contextmanager
def _alone(prepared: Path, repo_id: str) -> Iterator[None]:
    """Keep a second push out of the folder of prepared files; a killed one leaves it free."""
    from filelock import FileLock, Timeout

    prepared.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{prepared}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(
            f"another push to {repo_id} is preparing its files in {prepared}; wait for it, or give "
            "this one a folder of its own (stage_dir=...)"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _named(shards: Mapping[str, Sequence[StagedShard]], config: str) -> list[File]:
    return [
        File(f"{_folder(config)}/{split}-{i:05d}-of-{len(parts):05d}.parquet", shard.path)
        for split, parts in shards.items()
        for i, shard in enumerate(parts)
    ]


def _about(
    config: str,
    splits: Mapping[str, Dataset],
    shards: Mapping[str, Sequence[StagedShard]],
    total: DatasetStats,
    form: PublishFormat,
    licences: Mapping[str, Licence],
    recipe: Any,
    counts: Counts | None,
) -> tuple[card.Facts, list[File]]:
    """Give what the card tells, and the files beside it."""
    first = next(iter(splits.values()))
    plain = plain_features(first.features, form)
    if form.materialize and "n_frames" in plain:
        paths = [str(shard.path) for parts in shards.values() for shard in parts]
        drawn = sum(
            pc.sum(pq.read_table(p, columns=["n_frames"])["n_frames"]).as_py() for p in paths
        )
        total = replace(total, n_frames=drawn)
    files = []
    if recipe is not None:
        files.append(File(f"about/{config}/recipe.yaml", recipe.to_yaml().encode()))
    if counts is not None:
        text = json.dumps(counts.to_dict(), indent=2, ensure_ascii=False) + "\n"
        files.append(File(f"about/{config}/counts.json", text.encode()))
    shown, missing = {}, {}
    for title, (name, content) in pictures(first, form).items():
        if isinstance(content, bytes):
            shown[title] = f"about/{config}/{name}"
            files.append(File(shown[title], content))
        else:
            missing[title] = content
    facts = card.Facts(
        config=config,
        folder=_folder(config),
        splits={
            name: {"num_bytes": sum(s.n_bytes for s in parts), "num_examples": len(splits[name])}
            for name, parts in shards.items()
        },
        download_bytes=sum(s.path.stat().st_size for parts in shards.values() for s in parts),
        columns={name: str(plain.arrow_schema.field(name).type) for name in plain},
        lazy=lazy_columns(first.features),
        form=form,
        total=total,
        licences=licences,
        recipe=None if recipe is None else recipe.to_yaml(),
        recipe_hash=None if recipe is None else str(recipe.hash),
        counts=counts,
        pictures=shown,
        missing=missing,
    )
    return facts, files


# Showing: first to ourselves, then to everybody.


def _show(remote: Remote, parcel: _Parcel) -> tuple[str, list[File]]:
    """Compare on a trial branch, then commit to `main`; plan again when somebody else committed."""
    names = "".join(file.digests[0] for file in parcel.data)
    trial = f"t2vid-trial-{hashlib.sha256(names.encode()).hexdigest()[:12]}"
    message = f"Publish {parcel.config} with t2vid"
    before: dict[str, str] | None = None
    compared = False
    for _ in range(ATTEMPTS):
        head = remote.head()
        tree = remote.tree(head)
        mine = {path: entry.blob_id for path, entry in tree.items() if parcel.owns(path)}
        files, gone = _plan(remote, parcel, tree, head)
        if not wrong_paths(tree, files, gone):
            _compare(remote, parcel, head)
            remote.drop(trial)  # of a push that died right after it was done
            return head, files
        if before not in (None, mine):
            raise PublishError(
                f"somebody else changed config {parcel.config!r} of {remote.repo_id} during this "
                f"push (now at {head[:10]}); nothing of this push is visible; look at theirs, then "
                "run it again"
            )
        before = mine
        try:
            if not compared:
                remote.branch(trial, head)
                _compare(remote, parcel, remote.commit(trial, head, files, gone, message=message))
                compared = True
            return remote.commit("main", head, files, gone, message=message), files
        except Moved:
            logger.warning("%s changed during the push; planning again", remote.repo_id)
        finally:
            remote.drop(trial)
    raise PublishError(
        f"{remote.repo_id} changed {ATTEMPTS} times while this push tried to commit; nothing of it "
        "is visible; run it again when the repository is quiet (no file is sent twice)"
    )


def _plan(
    remote: Remote, parcel: _Parcel, tree: Mapping[str, Any], head: str
) -> tuple[list[File], list[str]]:
    """Give the files of the commit and the paths that it removes."""
    old = remote.read("README.md", head) if "README.md" in tree else None
    lost = sorted(set(card.published_splits(old, parcel.config)) - set(parcel.splits))
    if lost:
        raise InputError(
            f"config {parcel.config!r} of {remote.repo_id} also has the splits {lost}, which this "
            "push would remove; push a DatasetDict that holds them too, or choose another config"
        )
    text = card.merge_card(old, parcel.facts, repo_id=remote.repo_id)
    files = [*parcel.data, *parcel.about, File("README.md", text.encode())]
    gone = {path for path in tree if parcel.owns(path)} - {file.path for file in files}
    return files, sorted(gone)


def _compare(remote: Remote, parcel: _Parcel, revision: str) -> None:
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
