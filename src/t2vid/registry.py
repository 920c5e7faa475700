"""Makes `load_dataset("t2vid/…")` and `evaluate.load("t2vid/…")` find what this package holds.

This file and `frames/operations.py` alone touch private names of `datasets` and `evaluate`;
`tests/contracts/` pins each of them. Neither is imported here: whoever imports one, before or after
this package, finds the names registered.

>>> register()  # importing t2vid has done it; doing it again changes nothing
>>> "t2vid/mix" in catalog.loadable()
True
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from t2vid import catalog
from t2vid.errors import MissingFile

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
    """Teach `datasets` and `evaluate` the names of this package, now or when they are imported."""
    for name, teach in {"datasets": _teach_datasets, "evaluate": _teach_evaluate}.items():
        module = sys.modules.get(name)
        if module is not None and not getattr(module.__spec__, "_initializing", False):
            teach()
        elif not any(isinstance(one, _AfterImport) and one.name == name for one in sys.meta_path):
            # Typeshed asks for a subclass of MetaPathFinder, whose module costs a third of the start.
            sys.meta_path.insert(0, _AfterImport(name, teach))


def register_feature(feature: type) -> None:
    """Let `datasets` read and write `feature` under its class name in stored schemas."""
    import datasets.features.features as features

    if features._FEATURE_TYPES.get(feature.__name__) is feature:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "register_feature is experimental"
        features.register_feature(feature, feature.__name__)


def writing_folder(builder: Any) -> str:
    """Give the folder that a builder writes to while it generates.

    `datasets` makes it under a temporary name and renames it when all is done, so what is put
    beside the Arrow files there stays beside them. There is no public name for it up to 5.2.
    """
    return str(builder._output_dir)


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


def _teach_datasets() -> None:
    import datasets.inspect
    import datasets.load

    for module in (datasets.load, datasets.inspect):
        _wrap(module, "dataset_module_factory", catalog.loadable, _dataset_module)
    # Its import registers the column: stored schemas name it, whoever reads them.
    importlib.import_module("t2vid.frames.feature")
    importlib.import_module("t2vid.frames.operations")


def _teach_evaluate() -> None:
    for name in _EVALUATE_MODULES:
        module = sys.modules.get(name)
        if module is not None:
            _wrap(module, "evaluation_module_factory", _metrics, _evaluation_module)


def _metrics() -> dict[str, str]:
    return {f"t2vid/{metric.name}": metric.module for metric in catalog.METRICS}


def _dataset_module(path: str) -> Any:
    import datasets.load

    found, configs = catalog.loadable()[path], datasets.load.BuilderConfigsParameters()
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

    return evaluate.loading.ImportableModule(_metrics()[path], source_hash())


def wrap(owner: Any, name: str, around: Callable[..., Any]) -> None:
    """Put a function around one of a module or class, once.

    Args:
        owner: the module or class.
        name: of its function.
        around: called with the original before the arguments.
    """
    original = getattr(owner, name)
    if hasattr(original, _MARK):
        return

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return around(original, *args, **kwargs)

    setattr(wrapped, _MARK, True)
    setattr(owner, name, wrapped)


def _wrap(
    module: ModuleType, name: str, names: Callable[[], Iterable[str]], make: Callable[[str], Any]
) -> None:
    def factory(original: Callable[..., Any], path: str, *args: Any, **kwargs: Any) -> Any:
        name, revision, known = str(path), kwargs.get("revision"), sorted(names())
        if name in known and not args and revision in _DEFAULT_REVISIONS:
            return make(name)
        ours = name.lower().startswith("t2vid/") and not Path(name).exists()
        if ours and not args and revision is None:
            near = catalog.near(name, known)
            hint = f" (did you mean {' or '.join(map(repr, near))}?)" if near else ""
            raise MissingFile(
                f"{name!r} is none of the names of this package: {known}{hint}; a repository of that "
                "name on the Hub is asked for with revision='main'"
            )
        return original(path, *args, **kwargs)

    wrap(module, name, factory)


class _AfterImport:
    """Calls a function as soon as a package has been imported, then steps aside."""

    def __init__(self, name: str, then: Callable[[], None]) -> None:
        self.name, self.then = name, then

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> Any:
        if name != self.name:
            return None
        for finder in [one for one in sys.meta_path if one is not self]:
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find is not None else None
            if spec is not None and spec.loader is not None:
                self._follow(spec.loader)
                return spec
        return None

    def _follow(self, loader: Any) -> None:
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            if self in sys.meta_path:  # stays until the import succeeds
                sys.meta_path.remove(self)
            self.then()

        loader.exec_module = exec_module
