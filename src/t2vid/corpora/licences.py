"""Under which licence each source stands, and what to know of it before anything is uploaded.

>>> strictest(licences_of({"longalpaca": 5, "mine": 2}, {"mine": "mit"}))
'cc-by-nc-4.0'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from t2vid import catalog, samples
from t2vid.errors import InputError, pluralize

NOT_STATED = "unknown"  # the Hub's own word for it


class LicenceWarning(UserWarning):
    """What is about to be uploaded may not be used freely; shown before any upload."""


@dataclass(frozen=True)
class Licence:
    """Licence of a source.

    Attributes:
        id: its identifier on the Hub; `"unknown"` where none is stated.
        where: where that is stated.
    """

    id: str
    where: str = "by whoever pushed this"


def licences_of(
    sources: Iterable[str],
    given: Mapping[str, str] | str | None = None,
    *,
    corpora: Mapping[str, str] | None = None,
) -> dict[str, Licence]:
    """Find the licence of every source.

    Args:
        sources: names of the sources.
        given: one licence for all, or licences by source; they win over what is known.
        corpora: the corpus behind a source, where the source has a name of its own.

    Raises:
        InputError: when `given` names a source that is not there.
    """
    names = list(sources)
    given = dict.fromkeys(names, given) if isinstance(given, str) else dict(given or {})
    strangers = sorted(set(given) - set(names))
    if strangers:
        raise InputError(f"licences names {strangers}, which no row has as its source: {names}")
    known = {name: _known(name, corpora or {}) for name in names}
    return known | {name: Licence(licence.lower()) for name, licence in given.items()}


def is_bundled(info: Any) -> bool:
    """Tell from the `DatasetInfo` of rows whether they are the bundled samples, and only those.

    A recipe of somebody's own may be loaded under the name of the config `sample`, so its builder
    states the licence where it read nothing else; a merge with other rows loses the config.
    """
    return (
        getattr(info, "config_name", None) == "sample"
        and str(getattr(info, "dataset_name", "")).startswith("t2vid_")
        and getattr(info, "license", "") == samples.LICENCE
    )


def restriction(licence: str) -> int:
    """Rank a licence by how much it forbids: copyleft above free, then ND, NC, and "other" on top.

    >>> sorted(["cc-by-nc-4.0", "cc-by-sa-4.0", "mit", "cc-by-nc-nd-4.0"], key=restriction)
    ['mit', 'cc-by-sa-4.0', 'cc-by-nc-4.0', 'cc-by-nc-nd-4.0']
    """
    parts = licence.split("-")
    if licence in ("other", NOT_STATED):
        return 100
    rank = 0 if licence.startswith(("cc0", "pddl", "unlicense")) else 1
    rank += 2 if licence.startswith(("gpl", "agpl", "lgpl", "odbl")) or "sa" in parts else 0
    return rank + (8 if "nc" in parts else 0) + (4 if "nd" in parts else 0)


def strictest(licences: Mapping[str, Licence]) -> str:
    """Give the strictest licence that is stated, or `"unknown"` where none is."""
    stated = {licence.id for licence in licences.values()} - {NOT_STATED}
    return max(stated, key=lambda name: (restriction(name), name), default=NOT_STATED)


def forbids_commerce(licence: str) -> bool:
    """Tell whether a licence is for non-commercial use only."""
    return "nc" in licence.split("-")


def concerns(licences: Mapping[str, Licence], *, media_rows: int = 0) -> list[str]:
    """Say in sentences what somebody should know before uploading.

    Args:
        licences: licence by source.
        media_rows: rows whose videos' frames would be uploaded.
    """
    bound = {name: one for name, one in licences.items() if forbids_commerce(one.id)}
    silent = [name for name, one in licences.items() if one.id == NOT_STATED]
    out = []
    if bound:
        out.append(
            f"commercial use is forbidden by {listed(bound)} ({strictest(bound)}); the card states "
            "it for the whole"
        )
    if silent:
        out.append(
            f"no licence is stated for {listed(silent)}; where you know one, pass it: "
            f"licences={{{silent[0]!r}: …}}"
        )
    if media_rows:
        out.append(
            f"frames of {pluralize(media_rows, 'video')} will be uploaded; the licences are those of "
            "the annotations, so be sure that you may redistribute the videos"
        )
    return out


def listed(names: Iterable[str]) -> str:
    """Give names in quotes with commas between them; of very many the first, and how many others.

    >>> listed("abc"), listed(map(str, range(20_000)))[-30:]
    ("'a', 'b', 'c'", ", '10', '11' and 19,988 others")
    """
    every = [repr(name) for name in names]
    rest = f" and {len(every) - 12:,} others" if len(every) > 12 else ""
    return ", ".join(every[:12]) + rest


def _known(source: str, corpora: Mapping[str, str]) -> Licence:
    # As the authors state them, for the texts and annotations; the videos have terms of their own.
    entry = catalog.known_corpus(corpora.get(source, source))
    # Somebody's own source may be called "sample": only its builder knows whether it is ours.
    if entry is None or (entry.bundled and source not in corpora):
        return Licence(NOT_STATED, "nowhere that t2vid knows")
    return Licence(entry.licence or NOT_STATED, entry.licence_from)
