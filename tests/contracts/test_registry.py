"""What `registry.py` borrows from `datasets` and `evaluate`; a release that moves it fails here."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import datasets
import pytest

import t2vid
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


ORDERS = [
    "import t2vid\nimport datasets",
    "import datasets\nimport t2vid",
    "from datasets import load_dataset\nimport t2vid",
    "import t2vid\nfrom datasets import load_dataset",
    "import t2vid\nimport evaluate",
    "import evaluate\nimport t2vid",
]


@pytest.mark.parametrize("order", ORDERS)
def test_the_names_are_found_in_every_order_of_import(order, tmp_path):
    """A stored `Frames` column is read as well, though nobody has touched `t2vid.Frames`."""
    stored = tmp_path / "saved"
    datasets.Dataset.from_dict(
        {"images": [{"text": "One line.", "path": None, "bytes": None, "spec": None}]},
        features=datasets.Features(images=t2vid.Frames()),
    ).save_to_disk(str(stored))
    code = (
        f"{order}\n"
        "import datasets\n"
        f"print(len(datasets.load_from_disk({str(stored)!r})[0]['images']))\n"
        "print(datasets.get_dataset_config_names('t2vid/synthetic')[-1])\n"
        "import evaluate.loading as loading\n"
        "print(loading.evaluation_module_factory('t2vid/video_mcq').module_path)"
    )
    assert run(code).split() == ["1", "sample", "t2vid.metrics.video_mcq.video_mcq"]


def test_an_import_that_fails_first_is_followed_when_it_succeeds(tmp_path):
    """The finder stays in place until the package is there."""
    (tmp_path / "broken" / "datasets").mkdir(parents=True)
    (tmp_path / "broken" / "datasets" / "__init__.py").write_text("raise ImportError('not yet')")
    code = (
        "import sys, t2vid\n"
        f"sys.path.insert(0, {str(tmp_path / 'broken')!r})\n"
        "try: import datasets\n"
        "except ImportError: sys.path.pop(0)\n"
        "import importlib; importlib.invalidate_caches(); sys.path_importer_cache.clear()\n"
        "import datasets\n"
        "print(datasets.get_dataset_config_names('t2vid/synthetic')[-1])"
    )
    assert run(code) == "sample"


def test_looking_for_datasets_without_importing_it_changes_nothing():
    code = (
        "import importlib.util, sys, t2vid\n"
        "found = importlib.util.find_spec('datasets')\n"
        "print('datasets' in sys.modules, found.name)\n"
        "import datasets; print(datasets.get_dataset_config_names('t2vid/mix')[0])"
    )
    assert run(code).split() == ["False", "datasets", "sample"]


def test_a_spawned_worker_that_gets_rows_knows_the_column_and_the_names(tmp_path):
    script = tmp_path / "spawned.py"
    script.write_text(
        "import multiprocessing\n"
        "def work(rows):\n"
        "    import datasets\n"
        "    names = datasets.get_dataset_config_names('t2vid/synthetic')\n"
        "    return len(rows[0]['images']), names[-1]\n"
        "if __name__ == '__main__':\n"
        "    from datasets import load_dataset\n"
        "    import t2vid\n"
        "    rows = load_dataset('t2vid/synthetic', 'sample', split='train').select([0])\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(*pool.apply(work, (rows,)), rows[0]['n_frames'])\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    frames, name, expected = done.stdout.split()
    assert frames == expected and name == "sample"


@pytest.mark.parametrize("name", ["T2Vid/Synthetic", "t2vid/Synthetic", "T2VID/synthetc"])
def test_a_name_in_another_case_hears_the_right_one_and_asks_nobody(name):
    with pytest.raises(FileNotFoundError, match="did you mean 't2vid/synthetic'"):
        datasets.load_dataset(name)


def test_evaluate_load_still_asks_the_factory():
    code = (
        "import evaluate, inspect\n"
        "print('evaluation_module_factory(' in inspect.getsource(evaluate.loading.load),"
        " evaluate.loading.ImportableModule('a', 'b').module_path)"
    )
    assert run(code) == "True a"


HEAVY = (
    "datasets evaluate pandas numpy pyarrow PIL av yaml torch transformers trl matplotlib sklearn "
    "peft gradio ray httpx requests tqdm cyclopts jinja2"
).split()


@pytest.mark.parametrize(
    "start",
    [
        "import t2vid",
        "import t2vid.catalog as c; c.listing()",
        "from t2vid.targets import find; find('hybrid-30k')",
        "import t2vid.trainer, t2vid.dataset_scripts",
        "from t2vid import cli\ntry: cli.main(['--help'])\nexcept SystemExit: pass",
    ],
)
def test_starting_imports_nothing_that_costs_time(start):
    code = f"import sys\n{start}\nprint([m for m in {HEAVY} if m in sys.modules])"
    assert run(code).splitlines()[-1] == "[]"


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
