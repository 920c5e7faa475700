"""What a user installs holds all that the checkout has, linked folders and samples too."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)])
    return out


@pytest.fixture(scope="module")
def python(built, tmp_path_factory) -> str:
    """An environment with the wheel alone; its dependencies are borrowed from this environment."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    site = run([str(python), "-c", "import site; print(site.getsitepackages()[0])"])
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        wheel.extractall(site.strip())
    return str(python)


def run(command: list[str], **kwargs) -> str:
    # Folders on PYTHONPATH do not process .pth files, so the editable install stays invisible.
    borrowed = os.pathsep.join(path for path in sys.path if path.endswith("site-packages"))
    environment = {**os.environ, "PYTHONPATH": borrowed}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, **kwargs)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_wheel_and_sdist_hold_code_links_fonts_and_samples(built):
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        in_wheel = set(wheel.namelist())
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        in_sdist = {name.split("/", 1)[-1] for name in sdist.getnames()}
    source = ROOT / "src"
    folders = [source / "t2vid", *(path for path in (source / "t2vid").iterdir() if path.is_dir())]
    files = {
        str(path.relative_to(source))
        for folder in folders  # each by itself: rglob does not enter linked folders
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"t2vid/trainer/sft_trainer.py", "t2vid/samples/clips/ball.mp4"} <= files
    assert files <= in_wheel, f"[options.package_data] lacks {sorted(files - in_wheel)}"
    assert {f"src/{path}" for path in files} <= in_sdist
    assert not any(path.startswith(("trainer/", "dataset_scripts/", "tests/")) for path in in_wheel)


def test_the_wheel_works_alone_in_an_empty_folder(python, empty_folder):
    where = run([python, "-c", "import t2vid; print(t2vid.__file__)"], cwd=empty_folder)
    assert str(ROOT) not in where
    assert "demo" in run([python, "-m", "t2vid", "--help"], cwd=empty_folder)
    run([python, "-c", "import t2vid.trainer, t2vid.trainer.collator"], cwd=empty_folder)
    code = "import t2vid; print(t2vid.extract_choice('It is a cube.', ['a ball', 'a cube']).letter)"
    assert run([python, "-c", code], cwd=empty_folder).strip() == "B"
    code = (
        "import t2vid; from datasets import load_dataset; "
        "r = load_dataset('t2vid/synthetic', 'sample', split='train')[0]; "
        "print(len(r['images']), r['images'][0].size)"
    )
    frames, size = run([python, "-c", code], cwd=empty_folder).split(maxsplit=1)
    assert int(frames) > 0 and size.strip() == "(448, 448)"


def test_constraints_pin_what_setup_cfg_asks_for():
    import configparser
    import re

    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    asked = config["options"]["install_requires"].split()
    for extra in ("train", "eval", "insight", "dev"):
        asked += config["options.extras_require"][extra].split()
    names = {re.match(r"[\w.-]+", item).group().lower() for item in asked} - {"t2vid"}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    assert names <= pinned
    assert "torch==2.13.0" in lines
