"""Says what a planned mix was made of and is no more: annotation files, videos, pictures.

>>> changed_media(BuildPlan.load("mix"))                    # doctest: +SKIP
'1 video went (films/1000.mp4)'
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from t2vid.errors import InputError, MissingFile, pluralize
from t2vid.mixing.costs import media_folder
from t2vid.mixing.inputs import find_inputs
from t2vid.mixing.recipe import Recipe
from t2vid.mixing.shards import BuildPlan, plan_file
from t2vid.storage.cache import Cache, default_path
from t2vid.storage.files import AnyPath, path_of, version_at
from t2vid.storage.hashing import content_hashes

logger = logging.getLogger(__name__)


def changed_annotations(plan: BuildPlan) -> str:
    """Say how the files of rows differ from those that the plan was made of; "" where they do not."""
    there: dict[str, str] = {}
    for source in plan.recipe.sources:
        try:
            there |= find_inputs(source, path_of(plan.data)).state()
        except MissingFile as error:
            return str(error)
        except InputError as error:
            if not source.is_outside:
                raise
            logger.warning("%s; the mix goes on with what it was planned of", error)
            return ""
    return _differences(there, plan.inputs, "annotation file")


def changed_media(plan: BuildPlan) -> str:
    """Say how the videos and pictures differ from those the plan was made of; "" where they do not."""
    folder = media_folder(plan.recipe, plan.data)
    if folder is None:
        return ""
    there, then = folder.versions(), plan.media
    for path in filter(os.path.isabs, then):  # of another mix: only what its rows show counts
        if os.path.exists(path):
            there[path] = version_at(Path(path))
    if plan.hashed:
        there = content_hashes(there, path_of(plan.data), Cache(default_path()))
    return _differences(there, then, "file" if plan.recipe.is_weighted else "video")


def stale_sources(recipe: Recipe, data: AnyPath) -> Iterator[str]:
    """Tell of each source that is itself a mix, and was built before its own data changed."""
    for source in recipe.sources:
        places = (data / source.dataset, path_of(source.dataset)) if source.is_outside else ()
        place = next((one for one in places if plan_file(one).is_file()), None)
        if place is None:
            continue
        plan = BuildPlan.load(place)
        told = (changed_annotations(plan) or changed_media(plan)) if _is_there(plan.data) else ""
        if told:
            yield f"{source.name} is a mix of data that changed since ({told}); build {place} again"


def _is_there(data: str) -> bool:
    return path_of(data).is_dir()


def _differences(there: dict[str, str], then: dict[str, str], noun: str) -> str:
    kinds = {
        "came": there.keys() - then.keys(),
        "went": then.keys() - there.keys(),
        "changed": {path for path in there.keys() & then.keys() if there[path] != then[path]},
    }
    told = [
        f"{pluralize(len(paths), noun)} {kind} ({min(paths)}{', …' if len(paths) > 1 else ''})"
        for kind, paths in kinds.items()
        if paths
    ]
    return ", ".join(told)
