"""What `registry.py` borrows from `datasets` and `evaluate`; a release that moves it fails here."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import datasets
import pytest

from t2vid import registry


def run(code: str) -> str:
    """Run `code` in a fresh interpreter and give what it printed."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_dataset_factory_still_has_its_signature_and_its_callers():
    factory = inspect.unwrap(datasets.load.dataset_module_factory)
    assert list(inspect.signature(factory).parameters)[:2] == ["path", "revision"]
    assert "dataset_module_factory(" in inspect.getsource(datasets.load.load_dataset_builder)
    assert "dataset_module_factory(" in inspect.getsource(datasets.inspect.get_dataset_config_names)


def test_dataset_module_still_takes_what_the_registry_gives():
    module = datasets.load.DatasetModule("a.b", "hash", {"dataset_name": "a_b"})
    assert (module.module_path, module.hash) == ("a.b", "hash")
    assert module.builder_kwargs == {"dataset_name": "a_b"}


def test_feature_types_are_still_a_dictionary_by_class_name():
    assert datasets.features.features._FEATURE_TYPES["Image"] is datasets.Image
    assert datasets.features.features._FEATURE_TYPES["Frames"].__module__ == "t2vid.frames.feature"


def test_what_is_written_beside_the_rows_stays_beside_them(tmp_path):
    class Beside(datasets.GeneratorBasedBuilder):
        def _info(self):
            return datasets.DatasetInfo(features=datasets.Features(n=datasets.Value("int8")))

        def _split_generators(self, dl_manager):
            return [datasets.SplitGenerator("train", {"numbers": [0, 1]})]

        def _generate_examples(self, numbers):
            Path(registry.writing_folder(self), "note.json").write_text("{}")
            yield from ((n, {"n": n}) for n in numbers)

    builder = Beside(cache_dir=str(tmp_path))
    builder.download_and_prepare()
    rows = builder.as_dataset(split="train")
    folder = Path(rows.cache_files[0]["filename"]).parent
    assert (folder / "note.json").is_file() and str(folder) == builder.cache_dir, (
        f"datasets {datasets.__version__} no longer generates in builder._output_dir (5.2.0 did)"
    )


def test_registering_twice_wraps_once():
    registry.register()
    once = datasets.load.dataset_module_factory
    registry.register()
    assert datasets.load.dataset_module_factory is once
    assert not hasattr(once.__wrapped__, "__wrapped__")


def test_other_names_still_go_to_the_original(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
    rows = datasets.load_dataset("json", data_files=str(tmp_path / "rows.jsonl"), split="train")
    assert rows["a"][:] == [1, 2]


def test_the_default_revision_is_the_package_and_asks_nobody():
    code = (
        "import os; os.environ['HF_HUB_OFFLINE'] = '1'\n"
        "import datasets, t2vid\n"
        "rows = datasets.load_dataset('t2vid/synthetic', 'sample', revision='main', split='train')\n"
        "print(len(rows) > 0)"
    )
    assert run(code) == "True"


def test_another_revision_asks_the_hub_and_not_the_package():
    code = (
        "import os; os.environ['HF_HUB_OFFLINE'] = '1'\n"
        "import datasets, t2vid\n"
        "try: datasets.load_dataset('t2vid/synthetic', 'sample', revision='v1')\n"
        "except Exception as error: print(type(error).__name__)"
    )
    assert run(code) == "ConnectionError"


@pytest.mark.parametrize(
    "load", ["datasets.load_dataset", "datasets.get_dataset_config_names", "evaluate.load"]
)
def test_a_misspelt_name_of_the_package_tells_the_others_and_asks_nobody(load):
    code = (
        "import datasets, t2vid, evaluate, socket\n"
        "socket.socket.connect = None\n"
        f"try: {load}('t2vid/video_mm')\n"
        "except FileNotFoundError as error: print(error)"
    )
    said = run(code)
    assert "t2vid/video_m" in said.partition("names of this package: ")[2]


@pytest.mark.parametrize("order", ["t2vid, evaluate", "evaluate, t2vid"])
def test_the_metric_is_found_in_both_orders_of_import(order, tmp_path):
    code = (
        f"import {order}\n"
        "import evaluate.loading as loading\n"
        "module = loading.evaluation_module_factory('t2vid/video_mcq')\n"
        "print(module.module_path)"
    )
    assert run(code) == "t2vid.metrics.video_mcq.video_mcq"


def test_evaluate_load_still_asks_the_factory():
    code = (
        "import evaluate, inspect\n"
        "print('evaluation_module_factory(' in inspect.getsource(evaluate.loading.load),"
        " evaluate.loading.ImportableModule('a', 'b').module_path)"
    )
    assert run(code) == "True a"


def test_importing_t2vid_imports_no_heavy_package():
    heavy = "torch transformers trl matplotlib evaluate sklearn peft".split()
    code = f"import sys, t2vid\nprint([m for m in {heavy} if m in sys.modules])"
    assert run(code) == "[]"


def test_the_hash_changes_with_the_sources(tmp_path, monkeypatch):
    package = tmp_path / "t2vid"
    (package / "frames").mkdir(parents=True)
    (package / "registry.py").write_text("")
    monkeypatch.setattr(registry, "__file__", str(package / "registry.py"))
    before = registry.source_hash.__wrapped__()
    (package / "frames" / "spec.py").write_text("changed = True")
    assert registry.source_hash.__wrapped__() != before


@pytest.mark.parametrize(
    "path", ["fonts/a.ttf", "samples/clips/a.mp4", "samples/a.jsonl", "scoring/lexicon/a.yaml"]
)
def test_the_hash_changes_with_fonts_clips_and_data(path, tmp_path, monkeypatch):
    file = tmp_path / "t2vid" / path
    file.parent.mkdir(parents=True)
    monkeypatch.setattr(registry, "__file__", str(tmp_path / "t2vid" / "registry.py"))
    seen = set()
    for content in (None, b"one", b"two"):
        if content is not None:
            file.write_bytes(content)
        seen.add(registry.source_hash.__wrapped__())
    assert len(seen) == 3
