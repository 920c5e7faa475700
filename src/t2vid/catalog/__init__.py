"""What t2vid knows by name: corpora, benchmarks, metrics, judges, model families, recipes and presets.

>>> family("minicpm_v_2_5").name, corpus("ShareGemini").licence
('minicpm', 'cc-by-nc-4.0')
>>> "t2vid/mvbench" in loadable()
True

Everything that lists such names, or decides by one, reads it here. A corpus, a benchmark, a judge or a
family is one module and one entry; a recipe is a YAML file. Modules are named by strings, so that nothing
here imports what costs time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from t2vid.catalog.benchmarks import BENCHMARKS, METRICS, Benchmark, Metric, Official
from t2vid.catalog.corpora import CORPORA, Corpus
from t2vid.catalog.families import (
    FAMILIES,
    PAPER_FAMILIES,
    TOKENS_PER_FRAME,
    Family,
)
from t2vid.catalog.judges import JUDGES, JudgeEntry
from t2vid.catalog.names import find, match, near, plain, unknown
from t2vid.catalog.presets import PRESETS, Preset, PresetKind
from t2vid.catalog.recipes import RecipeFile, recipes
from t2vid.catalog.tables import Listing, listing

__all__ = [
    "BENCHMARKS",
    "CORPORA",
    "FAMILIES",
    "JUDGES",
    "METRICS",
    "PAPER_FAMILIES",
    "PRESETS",
    "TOKENS_PER_FRAME",
    "Benchmark",
    "Corpus",
    "Family",
    "JudgeEntry",
    "Listing",
    "Loadable",
    "Metric",
    "Official",
    "Preset",
    "RecipeFile",
    "benchmark",
    "benchmark_dataset",
    "corpus",
    "corpus_of",
    "family",
    "find",
    "known_corpus",
    "known_family",
    "listing",
    "loadable",
    "match",
    "near",
    "official_prompt",
    "paper_family",
    "plain",
    "preset",
    "presets",
    "recipes",
    "tiny",
    "unknown",
]

_CALLED = {
    "render": "preset",
    "sample": "family",
    "eval": "protocol",
}  # kinds of presets, in errors


@dataclass(frozen=True)
class Loadable:
    """What is behind a name of `load_dataset`.

    Args:
        builder: module of the builder.
        about: one line for lists.
        kwargs: what the builder is made with.
        configs_of: entry whose `named_configs` the builder's module gives; "" where the builder
            itself lists them.
        bundled: whether it gives bundled rows where nothing else is asked for.
    """

    builder: str
    about: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    configs_of: str = ""
    bundled: bool = False


def corpus(name: str) -> Corpus:
    """Find a corpus by its name or an alias.

    Raises:
        InputError: for an unknown name.
    """
    return find(CORPORA, name, what="corpus")


def known_corpus(name: str) -> Corpus | None:
    """Find a corpus by its name or an alias; None where there is none."""
    return match(CORPORA, name)


def corpus_of(dataset: str, config: str = "") -> Corpus:
    """Find the corpus that a recipe's source names.

    Args:
        dataset: `t2vid/synthetic` with a `config`, or `t2vid/<name of the corpus>`.
        config: of `t2vid/synthetic`; `sample` of another for its bundled part.

    Raises:
        InputError: for what is no corpus, naming those there are.

    >>> corpus_of("t2vid/synthetic", "longqlora").name
    'longqlora'
    """
    known = [c for c in CORPORA if c.converter]
    for one in known:
        if (one.dataset, one.config) == (dataset, config):
            return one
    for one in known:
        if dataset == f"t2vid/{one.name}" and not config:
            return one
    here = [c.config for c in known if c.dataset == dataset]
    if here:
        raise unknown(f"config of {dataset}", config, here)
    raise unknown("dataset", dataset, {c.dataset for c in known})


def benchmark(name: str) -> Benchmark:
    """Find a benchmark by its name or an alias.

    Raises:
        InputError: for an unknown name.
    """
    return find(BENCHMARKS, name, what="benchmark")


def benchmark_dataset(named: str) -> str:
    """Give what `load_dataset` calls a benchmark; `owner/name` may be of somebody else.

    Raises:
        InputError: for another word without a slash or behind `t2vid/`, so that a typo does not go
            to the Hub.

    >>> benchmark_dataset("mvbench"), benchmark_dataset("me/mine")
    ('t2vid/mvbench', 'me/mine')
    """
    plain = named.removeprefix("t2vid/")
    return named if "/" in plain else benchmark(plain).dataset


def official_prompt(name: str) -> Official | None:
    """Find how a benchmark's authors ask by the name of the prompt; None for another prompt."""
    return next((way for b in BENCHMARKS for way in b.ways if way.name == name), None)


def family(name: str) -> Family:
    """Find a model family by its name, an alias or a `model_type`.

    Raises:
        InputError: for an unknown name.
    """
    return find(FAMILIES, name, what="family")


def known_family(name: str) -> Family | None:
    """Find a model family as `family` does; None where there is none."""
    return match(FAMILIES, name)


def paper_family(name: str) -> Family:
    """Find a family whose frames cost the same, whatever is on them: one of the paper's.

    Raises:
        InputError: for another name.
    """
    return find(PAPER_FAMILIES, name, what="family")


def tiny(name: str) -> Family | None:
    """Find the family of a tiny model, `"tiny"` or `"tiny-<family>"`; None for another name."""
    if name == "tiny":
        name = "tiny-idefics3"
    kind, dash, of = name.partition("-")
    found = match(FAMILIES, of) if kind == "tiny" and dash else None
    return found if found is not None and found.tiny else None


def presets(kind: PresetKind) -> list[Preset]:
    """Give the presets of a kind."""
    return [one for one in PRESETS if one.kind == kind]


def preset(kind: PresetKind, name: str) -> Preset:
    """Find a preset.

    Raises:
        InputError: for an unknown name.
    """
    return find(presets(kind), name, what=_CALLED.get(kind, kind))


def loadable() -> dict[str, Loadable]:
    """Give every name that `load_dataset` takes from this package, with the builder behind it."""
    folder = "t2vid.dataset_scripts"
    out = {
        "t2vid/mix": Loadable(
            f"{folder}.mix", "long texts and videos in one set, by a recipe", bundled=True
        ),
        "t2vid/synthetic": Loadable(
            f"{folder}.synthetic", "long texts drawn as frames", bundled=True
        ),
    }
    for one in CORPORA:
        if one.bundled or not one.converter:
            continue
        if one.kind == "text":
            out[f"t2vid/{one.name}"] = Loadable(
                f"{folder}.synthetic", one.about, configs_of=one.name
            )
        else:
            builder = "clips" if one.kind == "video" else "rows"
            out[one.dataset] = Loadable(f"{folder}.{builder}", one.about, {"corpus": one.name})
    for entry in BENCHMARKS:
        kwargs = {"benchmark": entry.name} if entry.builder == "benchmark" else {}
        out[entry.dataset] = Loadable(
            f"{folder}.{entry.builder}", entry.about, kwargs, configs_of=entry.name
        )
    return out
