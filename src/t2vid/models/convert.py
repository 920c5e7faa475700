"""`convert`: a published checkpoint of remote code becomes one that transformers loads by itself.

    t2vid convert OpenGVLab/Mini-InternVL-Chat-4B-V1-5 --out mini-internvl

The weights go shard by shard, so memory holds one shard; names and shapes are checked before the
first byte is written; the folder appears when it is complete, and a second run goes on with what is
missing.

>>> plan_names({"a.safetensors": {"mlp1.1.bias": (8,)}}, {"model.x": (8,)})
Traceback (most recent call last):
t2vid.errors.InputError: 1 tensor of the model is in no file: model.x
1 tensor has no place in it: model.multi_modal_projector.linear_1.bias (from mlp1.1.bias)
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from t2vid.errors import InputError, MissingFile, require
from t2vid.models.internvl import END, build_processor, native_config, to_native
from t2vid.progress import progress

Shape = tuple[int, ...]
SHOWN = 8  # names in an error; a checkpoint of another model has hundreds
_WANTED = ("*.safetensors", "*.safetensors.index.json", "*.json", "tokenizer.model")
_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
_PROBE = "<img><IMG_CONTEXT></img> What colour moves? Ünïcode 123.<|end|>"


def convert(source: str | Path, *, out: str | Path) -> Path:
    """Convert Mini-InternVL-Chat-4B-V1-5 (or what is built like it) for transformers.

    Args:
        source: folder of the published files, or its name on the Hub.
        out: folder to write; left alone when it already holds the same conversion.

    Returns:
        The folder, for `AutoModelForImageTextToText.from_pretrained`.

    Raises:
        MissingFile: when the source lacks its weights, settings or tokenizer.
        InputError: for another architecture, a tensor too many, too few or of another shape, or a
            folder that holds something else.
    """
    folder, out = _local(source), Path(out)
    published = _read_json(folder / "config.json")
    if published.get("model_type") != "internvl_chat":
        raise InputError(
            f"{source} has model_type {published.get('model_type')!r}; convert takes "
            "'internvl_chat', as Mini-InternVL-Chat-4B-V1-5 has it"
        )
    files = _shards(folder)
    stamp = _stamp(folder, files)
    if out.is_dir() and any(out.iterdir()):
        if _read_json(out / "conversion.json", missing={}) == stamp:
            return out
        raise InputError(f"{out} holds something else; give an empty folder or a new one")
    tokenizer = _tokenizer(folder)
    config = native_config(
        published, image_token_id=int(tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"))
    )
    if len(tokenizer) > config.text_config.vocab_size:
        raise InputError(
            f"the tokenizer has {len(tokenizer)} tokens, the model {config.text_config.vocab_size}"
        )
    shapes = {file: _header(folder / file) for file in files}
    names = plan_names(shapes, native_shapes(config))

    partial = out.with_name(f"{out.name}.partial")
    if _read_json(partial / "conversion.json", missing={}) != stamp:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _write_json(partial / "conversion.json", stamp)
    written: dict[str, str] = {}
    size = 0
    for i, file in enumerate(progress(files, desc="shards", unit="shard")):
        target = f"model-{i + 1:05d}-of-{len(files):05d}.safetensors"
        if not (partial / target).is_file():
            _convert_shard(folder / file, partial / target)
        written |= {name: target for name in names[file]}
        size += (partial / target).stat().st_size
    index = {"metadata": {"total_size": size}, "weight_map": dict(sorted(written.items()))}
    _write_json(partial / "model.safetensors.index.json", index)
    config.save_pretrained(partial)
    _generation_config(config, tokenizer).save_pretrained(partial)
    build_processor(
        tokenizer,
        image_px=config.vision_config.image_size[0],
        tokens_a_frame=config.image_seq_length,
    ).save_pretrained(partial)
    _check_tokenizer(tokenizer, partial)
    if out.is_dir():
        out.rmdir()
    os.replace(partial, out)
    return out


def plan_names(
    shapes: Mapping[str, Mapping[str, Shape]], wanted: Mapping[str, Shape]
) -> dict[str, list[str]]:
    """Check that the published tensors are exactly those of the model, from their headers alone.

    Args:
        shapes: for each file, its published tensors' names and shapes.
        wanted: native names and shapes.

    Returns:
        For each file, the names under which its tensors are written.

    Raises:
        InputError: naming what is missing, unknown, twice there or of another shape.
    """
    unknown: list[str] = []
    odd: list[str] = []
    seen: dict[str, str] = {}
    names: dict[str, list[str]] = {}
    for file, tensors in shapes.items():
        names[file] = []
        for old, shape in tensors.items():
            new_names = [new for new, _ in to_native(old, None)]
            if not new_names:
                unknown.append(old)
            if len(new_names) == 3:
                shape = (shape[0] // 3, *shape[1:])
            for new in new_names:
                if new not in wanted:
                    unknown.append(f"{new} (from {old})")
                elif new in seen:
                    odd.append(f"{old} is in {seen[new]} and in {file}")
                elif wanted[new] != shape:
                    odd.append(f"{old} gives {new} {shape}, the config says {wanted[new]}")
                seen[new] = file
                names[file].append(disk_name(new))
    missing = sorted(set(wanted) - set(seen))
    problems = [
        _problem(missing, "of the model is in no file", "of the model are in no file"),
        _problem(unknown, "has no place in it", "have no place in it"),
        _problem(odd, "does not fit", "do not fit"),
    ]
    if any(problems):
        raise InputError("\n".join(problem for problem in problems if problem))
    return names


def native_shapes(config: Any) -> dict[str, Shape]:
    """Give the names and shapes of a model's tensors without making them."""
    torch = require("torch", extra="train")
    transformers = require("transformers", extra="train")
    with torch.device("meta"):
        model = transformers.InternVLForConditionalGeneration(config)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def disk_name(name: str) -> str:
    """Give the name that `save_pretrained` writes for a native tensor, which other tools read."""
    if name.startswith("lm_head."):
        return f"language_model.{name}"
    name = name.removeprefix("model.")
    head = "language_model."
    return f"{head}model.{name.removeprefix(head)}" if name.startswith(head) else name


def _convert_shard(source: Path, target: Path) -> None:
    safetensors = require("safetensors.torch", extra="train")
    tensors = {}
    with safetensors.safe_open(source, framework="pt") as file:
        for old in file.keys():  # noqa: SIM118  (a safetensors file is no mapping)
            for new, tensor in to_native(old, file.get_tensor(old)):
                tensors[disk_name(new)] = tensor.contiguous()
    written = target.with_suffix(".tmp")
    safetensors.save_file(tensors, written, metadata={"format": "pt"})
    os.replace(written, target)


def _local(source: str | Path) -> Path:
    folder = Path(source)
    if folder.is_dir():
        return folder
    if str(source).count("/") != 1:
        raise MissingFile(f"{source} is no folder, and no name on the Hub (owner/name)")
    hub = require("huggingface_hub", extra="train")
    return Path(hub.snapshot_download(str(source), allow_patterns=list(_WANTED)))


def _shards(folder: Path) -> list[str]:
    index = _read_json(folder / "model.safetensors.index.json", missing={})
    files = sorted(set(index.get("weight_map", {}).values()))
    files = files or ["model.safetensors"]
    missing = [file for file in files if not (folder / file).is_file()]
    if missing:
        raise MissingFile(f"{folder} has no {', '.join(missing)}; download the checkpoint again")
    return files


def _header(path: Path) -> dict[str, Shape]:
    safetensors = require("safetensors", extra="train")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except safetensors.SafetensorError as error:
        raise InputError(f"{path} cannot be read ({error}); download it again") from error


def _stamp(folder: Path, files: Sequence[str]) -> dict[str, Any]:
    return {
        "converted_from": {file: _fingerprint(folder / file) for file in ("config.json", *files)}
    }


def _fingerprint(path: Path) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 2**20))  # the last mebibyte: gigabytes would take minutes
        return f"{size}-{hashlib.sha256(file.read()).hexdigest()[:16]}"


def _tokenizer(folder: Path) -> Any:
    import tempfile

    transformers = require("transformers", extra="train")
    there = [name for name in _TOKENIZER_FILES if (folder / name).is_file()]
    if not {"tokenizer.json", "tokenizer.model"} & set(there):
        raise MissingFile(f"{folder} has neither tokenizer.json nor tokenizer.model")
    if "tokenizer.json" not in there:
        require("sentencepiece", extra="train")
        require("google.protobuf", extra="train")
    # Apart from config.json, whose auto_map would ask to run the repository's code.
    with tempfile.TemporaryDirectory() as alone:
        for name in there:
            shutil.copyfile(folder / name, Path(alone) / name)
        settings = _read_json(Path(alone) / "tokenizer_config.json", missing={})
        settings.pop("auto_map", None)
        _write_json(Path(alone) / "tokenizer_config.json", settings)
        kind = str(settings.get("tokenizer_class") or "LlamaTokenizer").removesuffix("Fast")
        known = getattr(transformers, kind, None) or transformers.AutoTokenizer
        tokenizer = known.from_pretrained(alone)
    tokenizer.name_or_path = ""
    tokenizer.chat_template = None
    return tokenizer


def _generation_config(config: Any, tokenizer: Any) -> Any:
    transformers = require("transformers", extra="train")
    text = config.text_config
    # Both of Phi-3's ends: the answer's and the document's.
    ends = {int(tokenizer.convert_tokens_to_ids(END)), int(text.eos_token_id)}
    return transformers.GenerationConfig(
        bos_token_id=text.bos_token_id, eos_token_id=sorted(ends), pad_token_id=text.pad_token_id
    )


def _check_tokenizer(tokenizer: Any, folder: Path) -> None:
    from t2vid.models.processors import load

    again = load(str(folder)).tokenizer
    first, second = (t(_PROBE, add_special_tokens=False)["input_ids"] for t in (tokenizer, again))
    if first != second:
        raise InputError(f"the tokenizer changed on saving: {first} became {second}")


def _problem(names: Sequence[str], one: str, many: str) -> str:
    if not names:
        return ""
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" * (len(names) > SHOWN))
    return f"{len(names)} {'tensor ' + one if len(names) == 1 else 'tensors ' + many}: {shown}"


def _read_json(path: Path, missing: Any = None) -> Any:
    if not path.is_file():
        if missing is not None:
            return missing
        raise MissingFile(f"{path} is not there")
    return json.loads(path.read_text(encoding="utf-8"))


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
