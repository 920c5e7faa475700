"""`train`: a YAML file and a few `key=value` make a run (`t2vid train --config FILE key=value`).

>>> job, settings = split_settings({"dataset_name": "t2vid/mix", "learning_rate": 5e-6})
>>> job.dataset_name, settings
('t2vid/mix', {'learning_rate': 5e-06})
"""

from __future__ import annotations

import dataclasses
import logging
import re
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2vid import catalog, targets
from t2vid.configuration import read_yaml
from t2vid.errors import InputError, MissingFile, kind_of, require
from t2vid.mixing.opening import open_rows
from t2vid.progress import visible
from t2vid.trainer.adapters import adapter

logger = logging.getLogger(__name__)

_MACHINE = ("deepspeed", "fsdp", "fsdp_config", "fp16", "tf32", "torch_compile", "push_to_hub")
CONFIGS = Path(__file__).parent / "configs"


@dataclass(frozen=True)
class TrainJob:
    """What a run trains, and on what; names as in TRL's scripts.

    Args:
        model_name_or_path: checkpoint, or `"tiny"`, `"tiny-minicpm"` or `"tiny-internvl"` for a tiny
            Idefics3, MiniCPM-V or InternVL with random weights.
        dataset_name: what `load_dataset` takes; a folder that `t2vid build` or `save_to_disk` wrote;
            a file of rows; the name of a mix or its YAML file.
        dataset_config: configuration of the dataset.
        dataset_train_split: split to train on.
        dataset_test_split: split to evaluate on; None for none.
        recipe: for `t2vid/mix`, a YAML file that says what the mix is, in place of a shipped one.
        family: for `t2vid/mix`, the model family whose token budget and frames of a video hold.
        data_dir: folder of local files for the builder.
        data_files: local files for the builder.
        streaming: read rows as they come instead of preparing the dataset.
        attn_implementation: attention of the model: `"sdpa"`, `"flash_attention_2"`, `"eager"`.
        dtype: of the weights: `"auto"`, `"bfloat16"`, `"float32"`.
        use_peft: train a LoRA on the language model instead of every weight.
        lora_r: rank.
        lora_alpha: scale.
        lora_dropout: dropout of the adapter's input.
        lora_target_modules: regular expression; the family's own when None.
        lora_parts: which of `vision`, `connector` and `language` get an adapter, each with its rank
            or `{r: 8, alpha: 16}`; None is the language model alone.
        lora_modules_to_save: parts or modules that are trained whole beside the adapter.
        use_dora: train the size of each weight's columns apart (DoRA).
        use_rslora: scale by the root of the rank (rsLoRA).
        lora_kwargs: other fields of peft's `LoraConfig`.
        load_in_4bit: load the frozen weights in 4 bits (QLoRA; needs bitsandbytes and a GPU).
    """

    model_name_or_path: str = "tiny"
    dataset_name: str = "t2vid/mix"
    dataset_config: str | None = None
    dataset_train_split: str = "train"
    dataset_test_split: str | None = None
    recipe: str | None = None
    family: str | None = None
    data_dir: str | None = None
    data_files: Any = None
    streaming: bool = False
    attn_implementation: str | None = None
    dtype: str = "auto"
    use_peft: bool = False
    lora_r: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.05
    lora_target_modules: str | None = None
    lora_parts: dict[str, Any] | None = None
    lora_modules_to_save: list[str] | None = None
    use_dora: bool = False
    use_rslora: bool = False
    lora_kwargs: dict[str, Any] | None = None
    load_in_4bit: bool = False


def train(config: str | Path, overrides: Sequence[str] = ()) -> Any:
    """Train as a YAML file says, and save the model and its processor into `output_dir`.

    Args:
        config: path of a YAML file, or the name of one of the project's recipes.
        overrides: `key=value` pairs that replace keys of the file; values are read as YAML.

    Returns:
        The trainer after training.

    Raises:
        UnknownTarget: when there is no such file or recipe; names what is near.
        InputError: for a key that neither `TrainJob` nor `VideoSFTConfig` has, or a value of another
            kind than the key's.
    """
    trainer = build_trainer(*split_settings(read_settings(config, overrides)))
    trainer.train(resume_from_checkpoint=trainer.args.resume_from_checkpoint)
    trainer.save_model()
    logger.info("saved to %s", trainer.args.output_dir)
    return trainer


def build_trainer(job: TrainJob, settings: Mapping[str, Any]) -> Any:
    """Load what a job names and put the trainer together, without starting it.

    Args:
        job: model, dataset and adapter.
        settings: fields of `VideoSFTConfig`.
    """
    from t2vid.trainer.config import VideoSFTConfig
    from t2vid.trainer.sft_trainer import VideoSFTTrainer

    if settings.get("deepspeed") and settings.get("use_cpu"):
        _deepspeed_on_cpu()
    rows = load_rows(job, job.dataset_train_split)
    test = load_rows(job, job.dataset_test_split) if job.dataset_test_split else None
    # Settings that name ZeRO-3 shard every model made after them: right for a checkpoint, which is
    # read in shards, and fatal for random weights, which would be initialised empty.
    made = load_model(job, rows) if catalog.tiny(job.model_name_or_path) else None
    args = VideoSFTConfig(**{"disable_tqdm": not visible(), **settings})
    model, processor = made or load_model(job, rows)
    return VideoSFTTrainer(
        model,
        args,
        train_dataset=rows,
        eval_dataset=test,
        processing_class=processor,
        peft_config=lora(job, model),
    )


def read_settings(config: str | Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Read a YAML file and put `key=value` pairs over it.

    Args:
        config: path, or the name of a recipe of the project with or without `.yaml`.
        overrides: `key=value`; `value` is YAML, so `8`, `1e-5`, `[a, b]` and `null` mean what they
            look like.
    """
    path = targets.find(config, ("training",), by="train").folder
    settings = read_yaml(path) or {}
    if not isinstance(settings, dict):
        raise InputError(f"{path} holds {kind_of(settings)}; it must be `key: value` lines")
    given = {key: _number(value) for key, value in settings.items()} | read_pairs(overrides)
    _say_stand_ins(given, path.name)
    return given


def _say_stand_ins(given: Mapping[str, Any], name: str) -> None:
    """Warn where bundled things are taken because nothing else is named."""
    if "model_name_or_path" not in given:
        logger.warning(
            "%s names no model_name_or_path: the model is 'tiny', with random weights", name
        )
    dataset = given.get("dataset_name", TrainJob.dataset_name)
    entry = catalog.loadable().get(dataset)
    if entry and entry.bundled and not (given.get("dataset_config") or given.get("recipe")):
        what = "dataset_config" if "dataset_name" in given else "dataset_name"
        logger.warning("%s names no %s: the rows are the bundled sample of %s", name, what, dataset)


def read_pairs(overrides: Sequence[str]) -> dict[str, Any]:
    """Read `key=value` pairs, every value as YAML."""
    import yaml

    settings = {}
    for pair in overrides:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier():
            raise InputError(f"override {pair!r} must be key=value, e.g. learning_rate=1e-5")
        settings[key] = _number(yaml.safe_load(value))
    return settings


def split_settings(settings: Mapping[str, Any]) -> tuple[TrainJob, dict[str, Any]]:
    """Sort settings into the job and the fields of `VideoSFTConfig`."""
    from t2vid.trainer.config import VideoSFTConfig

    ours = {field.name for field in dataclasses.fields(TrainJob)}
    theirs = {field.name for field in dataclasses.fields(VideoSFTConfig)}
    unknown = sorted(set(settings) - ours - theirs)
    if unknown:
        import difflib

        near = difflib.get_close_matches(unknown[0], ours | theirs, n=3)
        raise InputError(f"no such setting: {', '.join(unknown)}; near {unknown[0]!r}: {near}")
    hints = typing.get_type_hints(VideoSFTConfig) | typing.get_type_hints(TrainJob)
    for key, value in settings.items():
        _check_kind(key, value, hints[key])
    job = TrainJob(**{key: value for key, value in settings.items() if key in ours})
    rest = {key: value for key, value in settings.items() if key not in ours}
    if isinstance(rest.get("deepspeed"), str):
        rest["deepspeed"] = str(deepspeed_file(rest["deepspeed"]))
    return job, rest


def deepspeed_file(name: str | Path) -> Path:
    """Find a DeepSpeed configuration by path, or one of the project's by name (`zero3-offload`).

    Raises:
        MissingFile: when there is neither.
    """
    path = Path(name)
    own = CONFIGS / f"{path.name.removesuffix('.json')}.json"
    if path.is_file() or own.is_file():
        return path if path.is_file() else own
    names = ", ".join(sorted(p.stem for p in CONFIGS.glob("*.json")))
    raise MissingFile(f"{name} is no file and no DeepSpeed configuration; there are: {names}")


def load_rows(job: TrainJob, split: str) -> Any:
    """Load one split of a job's dataset."""
    own = {k: v for k in ("recipe", "family", "data_files") if (v := getattr(job, k)) is not None}
    return open_rows(
        targets.find(job.dataset_name, targets.ROWS, by="dataset_name"),
        config=job.dataset_config,
        split=split,
        data=job.data_dir,
        streaming=job.streaming,
        **own,
    )


def find_job(what: str | Path, overrides: Sequence[str] = ()) -> tuple[TrainJob, dict[str, Any]]:
    """Say what a name means: a recipe of training, or what holds rows.

    Args:
        what: a training YAML or the name of one; the name of a mix; a folder that `t2vid build` or
            `save_to_disk` wrote; a file of rows; or what `load_dataset` takes.
        overrides: `key=value` pairs, as for `train`.

    Returns:
        The job, and the other settings of the run.

    Raises:
        UnknownTarget: for what is none of these.
    """
    target = targets.find(what, ("training", *targets.ROWS), by="this command")
    if target.kind == "training":
        return split_settings(read_settings(target.folder, overrides))
    job, settings = split_settings(read_pairs(overrides))
    return dataclasses.replace(job, dataset_name=str(what)), settings


def on_cpu(settings: Mapping[str, Any], output_dir: str = "runs/none") -> dict[str, Any]:
    """Take from settings what needs a GPU, several processes or a tracker, to look without running."""
    kept = {key: value for key, value in settings.items() if key not in _MACHINE}
    return {**kept, "output_dir": output_dir, "use_cpu": True, "bf16": False, "report_to": "none"}


def load_model(job: TrainJob, rows: Any) -> tuple[Any, Any]:
    """Load a job's model and processor; of a tiny one the tokenizer learns from the rows."""
    from t2vid.models.families import load_model as load_checkpoint
    from t2vid.models.families import load_processor, make_tiny
    from t2vid.models.showing import conversation

    if (family := catalog.tiny(job.model_name_or_path)) is not None:
        turns = (turn for row in rows.select_columns(["messages"]) for turn in conversation(row))
        texts = (p["text"] for turn in turns for p in turn["content"] if p["type"] == "text")
        made: tuple[Any, Any] = make_tiny(family)(texts)
        return made
    quantised = _four_bits() if job.load_in_4bit else None
    model = load_checkpoint(
        job.model_name_or_path,
        dtype=job.dtype,
        attn_implementation=job.attn_implementation,
        quantization_config=quantised,
    )
    return model, load_processor(job.model_name_or_path)


def load_outline(job: TrainJob, rows: Any) -> tuple[Any, Any]:
    """Give a job's model without its weights (on the meta device), and its processor."""
    from t2vid.models.families import checkpoint, load_processor, register_ports

    if catalog.tiny(job.model_name_or_path):
        return load_model(job, rows)
    register_ports()
    torch = require("torch", extra="train")
    transformers = require("transformers", extra="train")
    config = transformers.AutoConfig.from_pretrained(checkpoint(job.model_name_or_path))
    dtype = getattr(config, "dtype", None) if job.dtype == "auto" else getattr(torch, job.dtype)
    with torch.device("meta"):
        model = transformers.AutoModelForImageTextToText.from_config(
            config, dtype=dtype or torch.float32
        )
    return model, load_processor(job.model_name_or_path)


def lora(job: TrainJob, model: Any) -> Any:
    """Give the `LoraConfig` of a job; None where it trains no adapter."""
    if not (job.use_peft or job.load_in_4bit):
        return None
    return adapter(
        model,
        r=job.lora_r,
        alpha=job.lora_alpha,
        dropout=job.lora_dropout,
        targets=job.lora_target_modules,
        parts=job.lora_parts,
        modules_to_save=job.lora_modules_to_save,
        use_dora=job.use_dora,
        use_rslora=job.use_rslora,
        **(job.lora_kwargs or {}),
    )


def _deepspeed_on_cpu() -> None:
    """Let DeepSpeed run on processors, to try a multi-GPU run where there is no GPU."""
    deepspeed = require("deepspeed", extra="distributed")
    # Compiling this takes minutes, and a killed compilation leaves a lock that is waited on for ever.
    require("deepspeed.ops", extra="distributed").__compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed("gloo")  # ZeRO-3 shares weights out as they are made


def _four_bits() -> Any:
    import torch

    transformers = require("transformers", extra="train")
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=torch.bfloat16,
        bnb_4bit_use_double_quant=True,
    )


def _check_kind(key: str, value: Any, hint: Any) -> None:
    # YAML reads anything, and a word would fail deep inside an optimizer, or count as true.
    kinds = set(typing.get_args(hint) or [hint])
    if not kinds - {type(None)} or kinds - {bool, int, float, type(None)}:
        return  # not a number nor a switch: what else is allowed, the field's owner knows
    fits = type(value) in kinds or (type(value) is int and float in kinds)
    if not fits:
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}
        names = [wanted[kind] for kind in (bool, float, int) if kind in kinds]
        null = ", or null" if type(None) in kinds else ""
        raise InputError(f"{key} ({value!r}) must be {' or '.join(names)}{null}")


def _number(value: Any) -> Any:
    # YAML 1.1 reads 5e-6 (no dot) as a string, and a learning rate is written exactly so.
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", value):
        return float(value)
    return value
