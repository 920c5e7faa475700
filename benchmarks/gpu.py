"""What a training step costs on a GPU, against plain TRL: `benchmarks/gpu.sh` runs it.

Models have real shapes and random weights, made on the card; rows have 24 frames. Every way trains a few
steps on the same rows; the first steps are left out. What does not fit into the time is named.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib.util
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
import transformers
from datasets import Dataset, List
from datasets import Image as ImageColumn
from PIL import Image
from transformers import PrinterCallback, TrainerCallback
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil
from trl import SFTConfig, SFTTrainer
from trl.chat_template_utils import qwen2_5_vl_chat_template

import t2vid
from t2vid.frames.feature import video_value
from t2vid.models import processors
from t2vid.models.families import family_of, frame_px, one_patch
from t2vid.models.templates import SMOLVLM
from t2vid.models.tiny import train_tokenizer
from t2vid.schema import messages, row_features
from t2vid.trainer import VideoSFTConfig, VideoSFTTrainer
from t2vid.trainer.adapters import adapter
from t2vid.trainer.mfu import peak_flops, trained_parts, work_of

BUDGET_S = 560.0  # ten minutes, imports included
WARM, STEPS = 3, 8
FRAMES = 24
QUESTION = "What happens in this video, and in which order? " * 3
ANSWER = "Someone opens a door and walks out into the rain. " * 8


@dataclass(frozen=True)
class Shape:
    """Sizes of a model: text (hidden, layers, heads, key heads, inner), vision (hidden, layers, heads, inner)."""

    name: str
    kind: str
    text: tuple[int, int, int, int, int]
    vision: tuple[int, int, int, int]
    vocabulary: int


SHAPES = (
    Shape("SmolVLM 0.5 B", "smolvlm", (960, 32, 15, 5, 2560), (768, 12, 12, 3072), 49_280),
    Shape("Qwen2.5-VL 0.5 B", "qwen", (896, 24, 14, 2, 4864), (768, 12, 12, 3072), 151_936),
    Shape("SmolVLM 2 B", "smolvlm", (2048, 24, 32, 32, 8192), (1152, 27, 16, 4304), 49_280),
    Shape("Qwen2.5-VL 2 B", "qwen", (1536, 28, 12, 2, 8960), (1280, 32, 16, 3420), 151_936),
)
TOYS = (
    Shape("SmolVLM toy", "smolvlm", (64, 2, 4, 2, 128), (32, 2, 2, 64), 1_024),
    Shape("Qwen2.5-VL toy", "qwen", (64, 2, 4, 2, 128), (32, 2, 2, 64), 1_024),
)


def smolvlm(shape: Shape, *, toy: bool) -> tuple[Any, Any]:
    """Give configuration and processor of a SmolVLM: 512 px, 64 tokens a frame."""
    edge, patch, scale = (56, 14, 2) if toy else (512, 16, 4)
    tokenizer = train_tokenizer(
        [QUESTION, ANSWER], special=marks("<|im_start|>", "<end_of_utterance>")
    )
    images = SmolVLMImageProcessorPil(
        size={"longest_edge": 4 * edge}, max_image_size={"longest_edge": edge}
    )
    n = (edge // patch // scale) ** 2
    processor = processors.SmolVLMProcessor(
        images, tokenizer, image_seq_len=n, chat_template=SMOLVLM
    )
    hidden, layers, heads, inner = shape.vision
    config = transformers.SmolVLMConfig(
        image_token_id=processor.image_token_id,
        scale_factor=scale,
        tie_word_embeddings=False,
        vision_config={
            "hidden_size": hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "intermediate_size": inner,
            "image_size": edge,
            "patch_size": patch,
        },
        text_config={"model_type": "llama", **text_of(shape, tokenizer)},
    )
    return config, processor


def qwen(shape: Shape, *, toy: bool) -> tuple[Any, Any]:
    """Give configuration and processor of a Qwen2.5-VL: at most 448 x 448 px, 256 tokens a frame."""
    tokenizer = train_tokenizer(
        [QUESTION, ANSWER],
        special=marks("<|im_start|>", "<|im_end|>")
        | {"extra": ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]},
    )
    side = 56 if toy else 448
    images = Qwen2VLImageProcessorPil(min_pixels=56 * 56, max_pixels=side * side)
    processor = processors.Qwen2_5_VLProcessor(
        images, tokenizer, chat_template=qwen2_5_vl_chat_template
    )
    hidden, layers, heads, inner = shape.vision
    text = text_of(shape, tokenizer)
    part = text["hidden_size"] // text["num_attention_heads"] // 8
    config = transformers.Qwen2_5_VLConfig(
        vision_config={
            "depth": layers,
            "hidden_size": hidden,
            "intermediate_size": inner,
            "num_heads": heads,
            "out_hidden_size": text["hidden_size"],
            "fullatt_block_indexes": [layers - 1],
        },
        text_config=text
        | {
            "model_type": "qwen2_5_vl_text",
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 1e6,
                "mrope_section": [part, (3 * part) // 2, 4 * part - part - (3 * part) // 2],
            },
        },
        image_token_id=tokenizer.convert_tokens_to_ids("<|image_pad|>"),
        video_token_id=tokenizer.convert_tokens_to_ids("<|video_pad|>"),
        vision_start_token_id=tokenizer.convert_tokens_to_ids("<|vision_start|>"),
        vision_end_token_id=tokenizer.convert_tokens_to_ids("<|vision_end|>"),
        tie_word_embeddings=False,
    )
    return config, processor


def marks(begin: str, end: str) -> dict[str, Any]:
    extra = ["<image>", "<fake_token_around_image>", "<global-img>"]
    return {"bos_token": begin, "eos_token": end, "pad_token": "<|pad|>", "extra": extra}


def text_of(shape: Shape, tokenizer: Any) -> dict[str, Any]:
    hidden, layers, heads, keys, inner = shape.text
    return {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": keys,
        "intermediate_size": inner,
        "vocab_size": max(shape.vocabulary, len(tokenizer)),
        "max_position_embeddings": 32_768,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def made(shape: Shape, *, toy: bool, device: str, dtype: torch.dtype) -> tuple[Any, Any]:
    config, processor = {"smolvlm": smolvlm, "qwen": qwen}[shape.kind](shape, toy=toy)
    torch.manual_seed(0)
    with torch.device(device):
        model = transformers.AutoModelForImageTextToText.from_config(config, dtype=dtype)
    return model, one_patch(processor)


def clip(frames: int, size: tuple[int, int]) -> bytes:
    """An H.264 clip of moving texture, 24 pictures a second, one keyframe in two seconds."""
    import io

    out = io.BytesIO()
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 255, (size[1] // 8, size[0] // 8, 3), dtype=np.uint8)
    ground = np.asarray(Image.fromarray(texture).resize(size, Image.Resampling.BICUBIC))
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24, options={"g": "48"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for i in range(frames * 24):
            moved = np.ascontiguousarray(np.roll(ground, 3 * i, axis=1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(moved)))
        container.mux(stream.encode())
    return out.getvalue()


def datasets_of(frames: int, edge: int, n: int, folder: Path, *, toy: bool) -> dict[str, Dataset]:
    """Give the same rows as frames of the model's size, as clips, and of mixed lengths for packing."""
    size = (128, 96) if toy else (640, 360)
    film = folder / "clip.mp4"
    film.write_bytes(clip(frames, size))
    shown = [
        frame.resize((edge, edge))
        for frame in t2vid.sample_video(film, t2vid.SampleSpec(max_frames=frames))
    ]
    turns = [("user", QUESTION), ("assistant", ANSWER)]

    def row(at: int, images: Any, k: int) -> dict[str, Any]:
        told = messages(turns, n_frames=k)
        return {"id": str(at), "source": "clips", "images": images, "messages": told,
                "n_frames": k, "n_words": 0}  # fmt: skip

    pictures = row_features(List(ImageColumn()))
    lengths = np.random.default_rng(0).integers(1, frames + 1, n).tolist()
    stored = video_value(film, t2vid.SampleSpec(max_frames=frames))
    return {
        "frames": Dataset.from_list([row(i, shown, frames) for i in range(n)], features=pictures),
        "mixed": Dataset.from_list(
            [row(i, shown[:k], k) for i, k in enumerate(lengths)], features=pictures
        ),
        "clips": Dataset.from_list(
            [row(i, stored, frames) for i in range(n)], features=row_features(t2vid.Frames())
        ),
    }


class Clock(TrainerCallback):
    """Notes when each step ends."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.times.append(time.perf_counter())


class Bench:
    """Runs ways of training one after another, within the time there is."""

    def __init__(self, *, toy: bool) -> None:
        self.toy = toy
        self.start = time.perf_counter()
        self.cuda = torch.cuda.is_available() and not toy
        self.device = "cuda" if self.cuda else "cpu"
        self.dtype = torch.bfloat16 if self.cuda else torch.float32
        self.peak = peak_flops(None if self.cuda else 0.05)
        self.frames = 3 if toy else FRAMES
        self.steps, self.warm = (STEPS, WARM) if not toy else (2, 1)
        self.left_out: list[str] = []

    def left(self) -> float:
        return BUDGET_S - (time.perf_counter() - self.start)

    def settings(self, folder: Path, **more: Any) -> dict[str, Any]:
        return {
            "output_dir": str(folder), "per_device_train_batch_size": 1, "max_steps": self.steps + self.warm,
            "report_to": "none", "save_strategy": "no", "logging_steps": 1, "bf16": self.cuda,
            "use_cpu": not self.cuda, "disable_tqdm": True, "max_length": None, "learning_rate": 1e-5,
            "activation_checkpointing": True, "dataloader_num_workers": 0 if self.toy else 8, **more,
        }  # fmt: skip

    def run(self, name: str, make: Callable[[], Any], *, need_s: float = 25.0) -> None:
        """Train, and print a line of the table."""
        if self.left() < need_s:
            self.left_out.append(f"{name}: {self.left():.0f} s were left")
            return
        gc.collect()
        if self.cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        try:
            trainer = make()
            clock = Clock()
            trainer.add_callback(clock)
            trainer.remove_callback(PrinterCallback)
            base = trainer.accelerator.unwrap_model(trainer.model)
            whole, adapted = trained_parts(base)
            edge = frame_px(trainer.processing_class)[0]
            work = work_of(base, whole=whole, adapted=adapted, frame_px=edge)
            lengths, frames = self.counted(trainer)
            trainer.train()
        except torch.OutOfMemoryError:
            self.left_out.append(f"{name}: out of memory")
            return
        gaps = np.diff(clock.times)[self.warm - 1 :]
        step = statistics.median(gaps)
        rate = sum(lengths) / len(lengths) / step  # one row, or one pack, a step
        done = work.of(lengths, frames=frames) / len(lengths) / step
        memory = torch.cuda.max_memory_allocated() / 1e9 if self.cuda else 0.0
        waits = [x["data_wait_share"] for x in trainer.state.log_history if "data_wait_share" in x]
        wait = f"{statistics.mean(waits[self.warm :]):.1%}" if waits else "-"
        mfu = f"{done / self.peak:.1%}" if self.peak else "peak unknown"
        print(
            f"| {name} | {1e3 * step:,.0f} | {memory:,.1f} | {rate:,.0f} | {mfu} | {wait} |",
            flush=True,
        )

    def counted(self, trainer: Any) -> tuple[list[int], int]:
        """Count tokens of each batch and frames of a batch, from what the loader gives."""
        lengths, frames = [], 0
        for _, batch in zip(range(4), iter(trainer.get_train_dataloader()), strict=False):
            mask = batch.get("attention_mask")
            lengths.append(int(batch["input_ids"].numel() if mask is None else mask.sum()))
            segments = batch.get("segments")
            frames += sum(s.n_frames for s in segments) if segments else self.frames
        return lengths, frames


def ways(bench: Bench, shape: Shape, folder: Path) -> None:
    """Train one shape in every way."""
    frames = bench.frames
    model, processor = made(shape, toy=bench.toy, device=bench.device, dtype=bench.dtype)
    data = datasets_of(frames, frame_px(processor)[0], 32, folder, toy=bench.toy)
    parameters = sum(p.numel() for p in model.parameters()) / 1e9
    title = f"{shape.name} ({parameters:.2f} B)"

    def ours(rows: str, **more: Any) -> Any:
        peft = more.pop("peft_config", None)
        args = VideoSFTConfig(
            **bench.settings(folder / "run", gpu_tflops=bench.peak and bench.peak / 1e12), **more
        )
        return VideoSFTTrainer(
            model, args, train_dataset=data[rows], processing_class=processor, peft_config=peft
        )

    def trl() -> Any:
        args = SFTConfig(**bench.settings(folder / "run"))
        bare = data["frames"].select_columns(["images", "messages"])
        return SFTTrainer(model, args, train_dataset=bare, processing_class=processor)

    bench.run(f"{title}, t2vid", lambda: ours("frames"))
    bench.run(f"{title}, TRL", trl)
    bench.run(f"{title}, t2vid, decoding clips", lambda: ours("clips"))
    if family_of(model).packs:
        tokens = 16_384 if not bench.toy else 2_048
        settings = {"max_tokens_per_batch": tokens}
        bench.run(f"{title}, {tokens:,} tokens a batch", lambda: ours("mixed", **settings))
        bench.run(f"{title}, the same, packed", lambda: ours("mixed", pack=True, **settings))
    if shape not in (SHAPES[-1], TOYS[-1]):
        return
    word = "LoRA"
    if bench.cuda and importlib.util.find_spec("bitsandbytes"):
        model, word = four_bits(model, folder), "QLoRA"
    else:
        bench.left_out.append("QLoRA, which needs a GPU and bitsandbytes; LoRA in its place")
    bench.run(f"{title}, {word}", lambda: ours("frames", peft_config=adapter(model)))


def four_bits(model: Any, folder: Path) -> Any:
    """Save a model and read it in 4 bits."""
    model.save_pretrained(folder / "whole")
    settings = transformers.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16,
        bnb_4bit_use_double_quant=True,
    )  # fmt: skip
    return transformers.AutoModelForImageTextToText.from_pretrained(
        folder / "whole", quantization_config=settings, dtype=torch.bfloat16, device_map="cuda"
    )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    import logging
    import warnings

    logging.getLogger("t2vid").setLevel(logging.ERROR)
    transformers.utils.logging.set_verbosity_error()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="toys, on any machine")
    tiny = parser.parse_args().tiny
    if not tiny and not torch.cuda.is_available():
        raise SystemExit("benchmarks/gpu.sh needs a GPU; --tiny runs the same ways with toys")
    bench = Bench(toy=tiny)
    card = torch.cuda.get_device_name() if bench.cuda else "no card, toys: figures mean nothing"
    print(
        f"{card}; torch {torch.__version__}, {bench.frames} frames a row, one row a step, weights in "
        f"{str(bench.dtype).removeprefix('torch.')}, activations checkpointed; medians of {bench.steps} steps\n"
    )
    print(
        "| what | step, ms | memory, GB | tokens/s | MFU | waiting for data |\n|---|---|---|---|---|---|"
    )
    with quiet():
        for shape in TOYS if tiny else SHAPES:
            with tempfile.TemporaryDirectory(prefix="t2vid-gpu-") as folder:
                ways(bench, shape, Path(folder))
    print(f"\n{BUDGET_S - bench.left():.0f} s in all.")
    for line in bench.left_out:
        print(f"Left out: {line}.")


if __name__ == "__main__":
    main()
