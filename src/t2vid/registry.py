"""Makes `load_dataset("t2vid/…")` and `evaluate.load("t2vid/…")` find what this package holds.

The only file that touches private names of `datasets` and `evaluate`; `tests/contracts/` pins
each of them.

>>> register()  # importing t2vid has done it; doing it again changes nothing
>>> "t2vid/mix" in DATASETS
True
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import datasets.features.features
import datasets.inspect
import datasets.load

from t2vid import catalog
from t2vid.errors import MissingFile

METRICS = {f"t2vid/{metric.name}": metric.module for metric in catalog.METRICS}
DATASETS = catalog.loadable()

# Code, fonts (they decide where pages break), bundled rows and clips: 5 MB, read once a process.
_DECIDES = (
    "*.py catalog/*.py storage/*.py frames/*.py fonts/* corpora/*.py mixing/*.py mixing/recipes/* dataset_scripts/*.py "
    "samples/* samples/clips/* evaluation/benchmarks/* scoring/*.py scoring/lexicon/* metrics/*/*.py"
).split()
# Scripts and configs write the default revision out: it asks for no other one than None does.
_DEFAULT_REVISIONS = (None, "main")
_EVALUATE_MODULES = ("evaluate.loading", "evaluate.inspect", "evaluate.evaluation_suite")
_MARK = "_t2vid_wraps"


def register() -> None:
    """Teach `datasets` and `evaluate` the names of this package; doing it twice changes nothing."""
    for module in (datasets.load, datasets.inspect):
        _wrap(module, "dataset_module_factory", DATASETS, _dataset_module)
    if "evaluate.loading" in sys.modules:
        _register_metrics()
    elif not any(isinstance(finder, _AfterEvaluate) for finder in sys.meta_path):
        # `import evaluate` may cost seconds (it pulls in torch), so wait until somebody does it.
        sys.meta_path.insert(0, _AfterEvaluate())


def register_feature(feature: type) -> None:
    """Let `datasets` read and write `feature` under its class name in stored schemas."""
    known = datasets.features.features._FEATURE_TYPES
    if known.get(feature.__name__) is feature:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "register_feature is experimental"
        datasets.features.features.register_feature(feature, feature.__name__)


def writing_folder(builder: Any) -> str:
    """Give the folder that a builder writes to while it generates.

    `datasets` makes it under a temporary name and renames it when all is done, so what is put
    beside the Arrow files there stays beside them. There is no public name for it up to 5.2.
    """
    return str(builder._output_dir)


def _dataset_module(path: str) -> Any:
    found, configs = DATASETS[path], datasets.load.BuilderConfigsParameters()
    if found.configs_of:
        named = importlib.import_module(found.builder).named_configs(found.configs_of)
        configs = datasets.load.BuilderConfigsParameters(
            builder_configs=named, default_config_name=named[0].name
        )
    # `dataset_name` becomes a file name prefix, where a slash would be a folder.
    kwargs = {"dataset_name": path.replace("/", "_"), **found.kwargs}
    return datasets.load.DatasetModule(found.builder, source_hash(), kwargs, configs)


def _evaluation_module(path: str) -> Any:
    import evaluate.loading

    return evaluate.loading.ImportableModule(METRICS[path], source_hash())


@functools.cache
def source_hash() -> str:
    """Hash what decides rows and scores, so that no cache outlives what made it."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for pattern in _DECIDES:
        for path in sorted(root.glob(pattern)):
            if path.is_file():
                digest.update(f"{path.relative_to(root)} {path.stat().st_size} ".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _wrap(
    module: ModuleType, name: str, table: Mapping[str, Any], make: Callable[[str], Any]
) -> None:
    original = getattr(module, name)
    if hasattr(original, _MARK):
        return

    @functools.wraps(original)
    def factory(path: str, *args: Any, **kwargs: Any) -> Any:
        name, revision = str(path), kwargs.get("revision")
        if name in table and not args and revision in _DEFAULT_REVISIONS:
            return make(name)
        ours = name.lower().startswith("t2vid/") and not Path(name).exists()
        if ours and not args and revision is None:
            near = catalog.near(name, table)
            hint = f" (did you mean {' or '.join(map(repr, near))}?)" if near else ""
            raise MissingFile(
                f"{name!r} is none of the names of this package: {sorted(table)}{hint}; a repository "
                "of that name on the Hub is asked for with revision='main'"
            )
        return original(path, *args, **kwargs)

    setattr(factory, _MARK, True)
    setattr(module, name, factory)


def _register_metrics() -> None:
    for name in _EVALUATE_MODULES:
        module = sys.modules.get(name)
        if module is not None:
            _wrap(module, "evaluation_module_factory", METRICS, _evaluation_module)


class _AfterEvaluate(importlib.abc.MetaPathFinder):
    """Registers the metrics as soon as `evaluate.loading` has been imported, then steps aside."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "evaluate.loading":
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            loader, execute = spec.loader, spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                _wrap(module, "evaluation_module_factory", METRICS, _evaluation_module)

            loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
