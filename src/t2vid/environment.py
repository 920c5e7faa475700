"""What this machine has for t2vid, what will and will not work, and what to install.

    t2vid doctor --env

>>> environment().rows[0].name
't2vid'
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from t2vid._version import __version__

State = Literal["ok", "missing", "note"]

# What each extra is for, as a user would say it; dev and the sums of other extras say nothing new.
_EXTRAS = {
    "train": "t2vid train, demo",
    "distributed": "train with DeepSpeed",
    "eval": "t2vid eval; evaluate.load",
    "insight": "the map on t2vid report",
    "embed": "t2vid report by meaning, not by words",
    "browse": "t2vid browse",
    "scale": "t2vid build --engine ray",
}
_DECODERS = "h264 hevc vp9 av1 mpeg4 theora prores webp".split()
_ENCODERS = "libx264 libwebp gif".split()

# A few letters of the scripts that most texts are in.
_SCRIPTS = {
    "Latin": "Ağrı",
    "Greek": "φως",
    "Cyrillic": "свет",
    "Arabic": "ضوء",
    "Hebrew": "אור",
    "Devanagari": "प्रकाश",
    "Bengali": "আলো",
    "Tamil": "ஒளி",
    "Thai": "แสง",
    "Chinese": "光明",
    "Japanese": "ひかり",
    "Korean": "빛",
    "Ethiopic": "ብርሃን",
    "mathematics": "∀∫√",
    "emoji": "😀",
}


@dataclass(frozen=True)
class EnvironmentRow:
    """One fact about the machine.

    Attributes:
        name: what was looked at.
        state: `ok`, `missing` or `note`, for what works without it.
        found: versions, names or figures.
        hint: what does not work and what to install; "" where nothing is missing.
    """

    name: str
    state: State
    found: str
    hint: str = ""


@dataclass(frozen=True)
class Environment:
    """What `environment` found, in the order in which it is shown."""

    rows: list[EnvironmentRow] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing is missing that t2vid cannot do without."""
        return all(row.state != "missing" for row in self.rows)

    def table(self, columns: int = sys.maxsize) -> str:
        """Give one line for each fact, and below it what is missing.

        Args:
            columns: of the terminal, at which lines are wrapped.
        """
        width = max(len(row.name) for row in self.rows)
        lines = [f"{row.state:<8}{row.name:<{width}}  {row.found}" for row in self.rows]
        hints = [f"{row.name}: {row.hint}" for row in self.rows if row.hint]
        lines = [_hanging(line, width + 10, columns) for line in lines]
        hints = [_hanging(line, 2, columns) for line in hints or ["Everything works here."]]
        return "\n".join([*lines, "", *hints])


def _hanging(line: str, indent: int, columns: int) -> str:
    if len(line) <= columns:
        return line
    head, rest = line[:indent], line[indent:]
    wide = max(columns - indent, 20)
    parts = textwrap.wrap(rest, wide, break_long_words=False, break_on_hyphens=False)
    return head + f"\n{' ' * indent}".join(parts)


def environment() -> Environment:
    """List versions, extras, fonts, codecs and GPUs, and say what to install for what is missing.

    Nothing is downloaded, and torch is only imported where it is installed.
    """
    rows = [EnvironmentRow("t2vid", "ok", f"{__version__}, Python {platform.python_version()}")]
    rows.append(EnvironmentRow("machine", "ok", _machine()))
    needed = _requirements()
    rows.append(_packages("needed packages", needed[""], "", "t2vid itself"))
    rows += [_packages(f"[{name}]", needed[name], name, use) for name, use in _EXTRAS.items()]
    return Environment([*rows, _accelerator(), *_codecs(), _fonts(), _cache()])


def _machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.system()} {platform.machine()}, {cores} cores"


def _requirements() -> dict[str, list[str]]:
    """Give the packages of t2vid and of each extra, as the installed metadata name them."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in importlib.metadata.requires("t2vid") or []:
        name = re.match(r"[\w.-]+", line)
        extra = re.search(r"""extra *== *['"]([^'"]+)""", line)
        if name and name[0] != "t2vid":
            found[extra[1] if extra else ""].append(name[0])
    return found


def _packages(name: str, packages: Iterable[str], extra: str, use: str) -> EnvironmentRow:
    have, lack = [], []
    for package in packages:
        try:
            have.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            lack.append(package)
    if not lack:
        return EnvironmentRow(name, "ok", ", ".join(have))
    install = f'pip install "t2vid[{extra}]"' if extra else "pip install --force-reinstall t2vid"
    state: State = "note" if extra else "missing"
    hint = f"{use} will not work without {', '.join(lack)}; run: {install}"
    return EnvironmentRow(name, state, ", ".join(have) or "not installed", hint)


def _accelerator() -> EnvironmentRow:
    if importlib.util.find_spec("torch") is None:
        return EnvironmentRow("GPU", "note", "unknown without torch")
    import torch

    if torch.cuda.is_available():
        gpus = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
        return EnvironmentRow(
            "GPU", "ok", ", ".join(f"{gpu.name} {gpu.total_memory / 1e9:.0f} GB" for gpu in gpus)
        )
    if torch.backends.mps.is_available():
        return EnvironmentRow("GPU", "ok", "Apple MPS")
    hint = "only tiny models train on a CPU; t2vid train --check estimates what a run needs"
    return EnvironmentRow("GPU", "note", f"none, torch {torch.__version__}", hint)


def _codecs() -> list[EnvironmentRow]:
    import av
    from av.codec import Codec

    ffmpeg = ".".join(map(str, av.library_versions.get("libavcodec", ())))
    rows = [EnvironmentRow("PyAV", "ok", f"{av.__version__} (libavcodec {ffmpeg})")]
    modes: tuple[tuple[str, list[str], Literal["r", "w"]], ...] = (
        ("decoders", _DECODERS, "r"),
        ("encoders", _ENCODERS, "w"),
    )
    for name, codecs, mode in modes:
        have, lack = [], []
        for codec in codecs:
            try:
                Codec(codec, mode)
                have.append(codec)
            except ValueError:  # av's UnknownCodecError
                lack.append(codec)
        hint = f"no {', '.join(lack)}; run: pip install --force-reinstall av" if lack else ""
        rows.append(EnvironmentRow(name, "note" if lack else "ok", ", ".join(have), hint))
    return rows


def _fonts() -> EnvironmentRow:
    from t2vid.frames.font_advice import describe_missing
    from t2vid.frames.fonts import uncovered

    missing = {script: uncovered(text, "sans") for script, text in _SCRIPTS.items()}
    have = ", ".join(script for script, chars in missing.items() if not chars)
    lack = "".join(char for chars in missing.values() for char in chars)
    return EnvironmentRow(
        "fonts", "note" if lack else "ok", have, describe_missing(lack) if lack else ""
    )


def _cache() -> EnvironmentRow:
    from huggingface_hub.constants import HF_HOME

    folder = HF_HOME
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    free = shutil.disk_usage(folder).free / 1e9
    writable = os.access(folder, os.W_OK)
    hint = "" if writable else "nothing can be cached there; set HF_HOME to a folder of yours"
    return EnvironmentRow(
        "cache", "ok" if writable else "missing", f"{HF_HOME}, {free:.0f} GB free", hint
    )
