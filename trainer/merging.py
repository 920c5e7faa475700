"""`t2vid merge`: an adapter put into the weights that it was trained on, checked, with a card.

    from t2vid.trainer.merging import merge
    print(merge("runs/idefics3-hybrid-30k-lora", out="merged").table())

The model is read back from disk and must say what the adapter said: the logits of a prompt with two
frames are compared before `out` is there at all.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from t2vid._version import __version__
from t2vid.errors import InputError, MissingFile, require
from t2vid.storage.files import output_folder
from t2vid.trainer.adapters import making_adapters

ADAPTER = "adapter_config.json"
# Adding a product of two matrices rounds every weight once: 24 bits of a float32, 8 of a bfloat16.
TOLERANCE = {"float32": 1e-4, "float16": 2e-2, "bfloat16": 5e-2}


@dataclass(frozen=True)
class Merged:
    """A model with an adapter merged into it.

    Attributes:
        folder: where it is.
        base: what the adapter was trained on.
        layers: number of layers that the adapter changed.
        difference: of its logits from those of the adapter, relative to their size.
        moved: of its logits from those of the base, likewise.
        dtype: of its weights.
    """

    folder: str
    base: str
    layers: int
    difference: float
    moved: float
    dtype: str

    def table(self) -> str:
        """Say it in lines."""
        return (
            f"{self.folder}: {self.base} with {self.layers:,} layers changed, in {self.dtype}\n"
            f"  logits differ from the adapter's by {self.difference:.1e} (at most "
            f"{TOLERANCE[self.dtype]:.0e} is rounding), from the base's by {self.moved:.1e}"
        )


def merge(
    run: str | Path, *, out: str | Path, base: str | None = None, dtype: str = "auto"
) -> Merged:
    """Merge the adapter of a run into its base, and check that the model on disk says the same.

    Args:
        run: folder that `t2vid train` with `use_peft` wrote, or one of its checkpoints.
        out: folder of the model; made, and left away where the check fails.
        base: what the adapter was trained on, where it moved since.
        dtype: of the weights: `"auto"` (the base's), `"bfloat16"`, `"float32"`. A base that was
            trained in 4 bits is read in full; merging into 4 bits would round the adapter away.

    Raises:
        MissingFile: when `run` holds no adapter, or its base is not there.
        InputError: when `out` is not empty, or the merged model says something else.
    """
    from t2vid.models.families import load_model

    folder = _adapter_folder(Path(run))
    target = output_folder(out)
    if not isinstance(target, Path) or (target.exists() and any(target.iterdir())):
        raise InputError(f"out ({out}) must be a new folder on this machine")
    torch, peft = require("torch", extra="train"), require("peft", extra="train")
    config = json.loads((folder / ADAPTER).read_text(encoding="utf-8"))
    name = base or config.get("base_model_name_or_path") or ""
    try:
        model = load_model(name, dtype=dtype).eval()
    except (OSError, ValueError) as error:
        raise MissingFile(
            f"the base of {folder} ({name!r}) cannot be read ({error}); give it with base="
        ) from error
    kind_of_layer = require("peft.tuners.tuners_utils", extra="train").BaseTunerLayer
    kind = str(model.dtype).removeprefix("torch.")
    processor = _processor(folder, name)
    probe = _probe(model, processor)
    with torch.no_grad():
        plain = model(**probe).logits
        with making_adapters():
            whole = peft.PeftModel.from_pretrained(model, str(folder)).eval()
        layers = sum(isinstance(module, kind_of_layer) for module in whole.modules())
        want = whole(**probe).logits
        merged = whole.merge_and_unload()
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
            place = Path(scratch, "model")
            merged.save_pretrained(place)
            processor.save_pretrained(place)
            del model, whole, merged
            got = load_model(str(place), dtype=kind).eval()(**probe).logits
            found = Merged(str(target), name, layers, _apart(got, want), _apart(got, plain), kind)
            if not found.difference <= TOLERANCE[kind]:
                raise InputError(
                    f"the merged model's logits are {found.difference:.1e} off the adapter's, and "
                    f"{TOLERANCE[kind]:.0e} is rounding; nothing was written. Try dtype=float32"
                )
            (place / "README.md").write_text(_card(found, config), encoding="utf-8")
            if target.exists():
                target.rmdir()
            os.rename(place, target)
    return found


def _adapter_folder(run: Path) -> Path:
    if (run / ADAPTER).is_file():
        return run
    steps = [path.parent for path in run.glob(f"checkpoint-*/{ADAPTER}")]
    if not steps:
        there = (
            "a whole model, which needs no merging" if (run / "config.json").is_file() else "none"
        )
        raise MissingFile(f"{run} must hold an adapter ({ADAPTER}); it holds {there}")
    return max(steps, key=lambda path: int(path.name.rpartition("-")[2]))


def _processor(folder: Path, base: str) -> Any:
    from t2vid.models.families import load_processor

    for place in (folder, folder.parent):
        if any(
            (place / name).is_file()
            for name in ("processor_config.json", "preprocessor_config.json")
        ):
            return load_processor(str(place))
    return load_processor(base)


def _probe(model: Any, processor: Any) -> dict[str, Any]:
    """Give a batch that every part of a model has a say in: words and two frames."""
    from PIL import Image

    from t2vid.models.families import family_of, frame_px, match_tokens
    from t2vid.trainer.collator import VideoCollator

    match_tokens(model, processor)
    width, height = frame_px(processor)
    values = np.random.default_rng(0).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    turns = [
        {"role": "user", "content": "What happens in this clip?"},
        {"role": "assistant", "content": "A child builds a tower of cups."},
    ]
    collate = VideoCollator(processor, family_of(model), segments=False)
    batch = collate([{"messages": turns, "images": [Image.fromarray(frame) for frame in values]}])
    batch.pop("labels")
    return batch


def _apart(one: Any, other: Any) -> float:
    one, other = one.float(), other.float()
    return float((one - other).norm() / other.norm())


def _card(found: Merged, config: dict[str, Any]) -> str:
    ranks = sorted({config["r"], *(config.get("rank_pattern") or {}).values()})
    kind = "DoRA" if config.get("use_dora") else "LoRA"
    whole = ", ".join(config.get("modules_to_save") or ()) or "none"
    return f"""---
base_model: {found.base}
library_name: transformers
pipeline_tag: image-text-to-text
tags: [t2vid, merged]
---
# {Path(found.folder).name}

{found.base} with an adapter merged into its weights, by `t2vid merge` {__version__}.

| | |
|---|---|
| adapter | {kind}, rank {", ".join(map(str, ranks))}, on {found.layers:,} layers |
| trained whole | {whole} |
| weights | {found.dtype} |
| logits, off the adapter's | {found.difference:.1e} (relative; read back from disk) |
| logits, off the base's | {found.moved:.1e} |

The licence is the base's.
"""
