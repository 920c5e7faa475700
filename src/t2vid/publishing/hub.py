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
from t2vid.errors import InputError
from t2vid.publishing import card
from t2vid.publishing.checks import check_names, check_rows, shard_bytes, splits_of
from t2vid.publishing.commit import Parcel, folder_of, show
from t2vid.publishing.folder import open_folder
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
from t2vid.publishing.remote import Remote
from t2vid.publishing.shards import StagedShard, stage
from t2vid.publishing.uploads import File

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

    from t2vid.schema import Counts

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Published:
    """What a push left behind.

    Attributes:
        url: where to look at it; of a dry run the card that would be sent, on this machine.
        repo_id: `owner/name`.
        commit: the commit that shows it; "" of a dry run.
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


def push(
    dataset: Dataset | DatasetDict | str | Path,
    repo_id: str,
    *,
    config_name: str = "default",
    split: str | None = None,
    revision: str | None = None,
    create_pr: bool = False,
    commit_message: str | None = None,
    private: bool | None = None,
    token: str | None = None,
    max_shard_size: int | str | None = None,
    materialize: Pictures | None = None,
    include_media: bool = False,
    licences: Mapping[str, str] | str | None = None,
    recipe: Any = None,
    counts: Counts | None = None,
    resume: bool = True,
    media_root: str | Path | None = None,
    num_proc: int = 1,
    stage_dir: str | Path | None = None,
    dry_run: bool = False,
    config: str | None = None,
) -> Published:
    """Publish a dataset so that anyone can load it, with or without t2vid.

    Nothing changes on the branch until the whole has been loaded back from a trial branch and
    compared row for row; then it appears in one commit. Pushing the same data again changes nothing.

    Args:
        dataset: one split, several as a `DatasetDict`, or the folder that `t2vid build` or
            `save_to_disk` wrote; they replace the config's, and the log says what goes.
        repo_id: `owner/name` of the dataset repository; made if it is not there.
        config_name: name of the config; other configs of the repository stay.
        split: name of the split of a `Dataset`; the config's other splits stay.
        revision: branch to push to, `main` by default; made from `main` if it is not there.
        create_pr: open a pull request instead of committing; an open one with the same files is
            taken.
        commit_message: title of the commit.
        private: make a new repository private; an existing one must agree.
        token: a token with write access; None takes the stored one.
        max_shard_size: size of a Parquet file at most, such as `"500MB"`; 128 MB by default.
        materialize: `"webp"` or `"png"` publishes texts as lossless pictures that the viewer shows;
            by default they are published as text (small; `cast_column` makes frames of it).
        include_media: upload the frames of videos, at each row's budget. Without it only their
            names are published.
        licences: licence by source, or one for all; wins over what is known of a source.
        recipe: what the dataset was built from, for the card: a `t2vid.Recipe`.
        counts: what building dropped, for the card and `counts.json`.
        resume: go on from the files that an interrupted push prepared.
        media_root: folder that published video paths are relative to; by default the deepest one
            that holds them all.
        num_proc: processes that prepare files.
        stage_dir: folder for prepared files; needs room for the whole upload.
        dry_run: prepare the files and the card and ask nobody, so that no token is needed; the push
            itself goes on from them. What the repository holds is not looked at.
        config: the former name of `config_name`.

    Raises:
        InputError: for arguments or rows that cannot be published as asked.
        PublishError: when the Hub or the disk failed; the message says what is visible (nothing
            new) and what to do next.

    Warns:
        LicenceWarning: before anything is uploaded, when a source forbids commercial use or states
            no licence, or when frames of videos are about to be uploaded.
    """
    if config is not None:
        warnings.warn("config= is now called config_name=", DeprecationWarning, stacklevel=2)
        config_name = config
    if isinstance(dataset, str | Path):
        opened = open_folder(dataset)
        dataset, recipe, counts = opened.dataset, recipe or opened.recipe, counts or opened.counts
    splits = splits_of(dataset, split)
    message = f"Publish {config_name} with t2vid" if commit_message is None else commit_message
    branch = revision or "main"
    check_names(repo_id, config=config_name, recipe=recipe, revision=branch, message=message)
    if dry_run and "/" not in repo_id:
        raise InputError(
            f"repo_id ({repo_id!r}) has no owner, and a dry run asks nobody who that is; write "
            f"OWNER/{repo_id}"
        )
    max_bytes = shard_bytes(max_shard_size)
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

    remote = Remote(repo_id, token, revision=branch, create_pr=create_pr)
    if not dry_run:
        remote.sign_in(private)
    prepared = _stage_folder(stage_dir, remote.repo_id, config_name)
    with _alone(prepared, repo_id):
        if not resume:
            shutil.rmtree(prepared, ignore_errors=True)
        shards = {
            name: stage(split, form, prepared, num_proc=num_proc, max_bytes=max_bytes)
            for name, split in splits.items()
        }
        facts, about = told(config_name, splits, shards, total, form, known, recipe, counts)
        data = named(shards, config_name)
        parcel = Parcel(
            config_name, splits, form, shards, facts, data, about, message, split is not None
        )
        if dry_run:
            return _rehearsed(parcel, prepared, repo_id, total.n_rows, strictest(known))
        remote.open(private)
        try:
            remote.upload([*parcel.data, *about])
            shown = show(remote, parcel)
        except BaseException:
            remote.leave()
            raise
        shutil.rmtree(prepared, ignore_errors=True)
    return Published(
        url=shown.url,
        repo_id=remote.repo_id,
        commit=shown.commit,
        files={file.path: file.size for file in shown.files},
        n_rows=total.n_rows,
        licence=strictest(known),
    )


def _rehearsed(
    parcel: Parcel, prepared: Path, repo_id: str, n_rows: int, licence: str
) -> Published:
    """Say what would be sent, and put the card beside the prepared files."""
    path = prepared / "README.md"
    path.write_text(card.merge_card(None, parcel.facts, repo_id=repo_id), encoding="utf-8")
    files = [*parcel.data, *parcel.about, File("README.md", path)]
    sizes = {file.path: file.size for file in files}
    return Published(str(path), repo_id, "", sizes, n_rows, licence)


def _corpora(names: Sequence[str], splits: Mapping[str, Dataset], recipe: Any) -> dict[str, str]:
    """Tell which corpus is behind a source: a recipe may have given it a name of its own."""
    if all(is_bundled(split.info) for split in splits.values()):
        return dict.fromkeys(names, "sample")
    return {source.name: source.corpus for source in getattr(recipe, "sources", ())}


# Preparing, on this machine.


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


def named(shards: Mapping[str, Sequence[StagedShard]], config: str) -> list[File]:
    """Give prepared files their paths in the repository."""
    return [
        File(f"{folder_of(config)}/{split}-{i:05d}-of-{len(parts):05d}.parquet", shard.path)
        for split, parts in shards.items()
        for i, shard in enumerate(parts)
    ]


def told(
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
        folder=folder_of(config),
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
