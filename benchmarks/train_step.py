"""What a training step costs on the data side, against plain TRL in the same run.

    OMP_NUM_THREADS=1 python benchmarks/train_step.py

Prints CPU milliseconds as medians of interleaved rounds, bytes to the device, samples/s and padding,
as ratios; on a GPU also the time of a step and peak memory. The peer of the whole way is PyAV, which
decodes the clip in order and keeps a frame a second at full size, followed by TRL's collator with a
processor set to the same 364 pixels.
"""

from __future__ import annotations

import copy
import io
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import mix
import numpy as np
import torch
from datasets import Dataset, List
from datasets import Image as ImageColumn
from PIL import Image
from trl import SFTConfig, SFTTrainer
from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

import t2vid
from t2vid.frames.feature import video_value
from t2vid.mixing.build import load
from t2vid.mixing.recipe import Recipe
from t2vid.models.rows import RowEncoder
from t2vid.models.tiny import tiny_idefics3
from t2vid.schema import row_features
from t2vid.trainer import VideoSFTConfig, VideoSFTTrainer
from t2vid.trainer.batching import padding_share, plan_batches, row_lengths
from t2vid.trainer.collator import VideoCollator, to_pixel_values

N_FRAMES, PX, CLIP_PX = 24, 364, (640, 360)
ROUNDS = 7
SCALE = 0.1  # of hybrid-30k; 1.0 takes ten minutes more and has the same distribution


def conversation() -> list[dict[str, Any]]:
    frames = [{"type": "image", "text": None}] * N_FRAMES
    question = [{"type": "text", "text": "What happens in this video, and in which order? " * 3}]
    answer = [{"type": "text", "text": "Someone opens a door and walks out into the rain. " * 8}]
    return [
        {"role": "user", "content": frames + question},
        {"role": "assistant", "content": answer},
    ]


def clip(seconds: int = N_FRAMES, fps: int = 24) -> bytes:
    """An H.264 clip of moving, textured shapes, one keyframe in two seconds."""
    out = io.BytesIO()
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 255, (CLIP_PX[1] // 8, CLIP_PX[0] // 8, 3), dtype=np.uint8)
    ground = np.asarray(Image.fromarray(texture).resize(CLIP_PX, Image.Resampling.BICUBIC))
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options={"g": str(2 * fps)})
        stream.width, stream.height, stream.pix_fmt = *CLIP_PX, "yuv420p"
        for i in range(seconds * fps):
            moved = np.ascontiguousarray(np.roll(ground, 3 * i, axis=1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(moved)))
        container.mux(stream.encode())
    return out.getvalue()


def interleaved(rounds: int, **runs: Callable[[], Any]) -> dict[str, float]:
    """Median CPU milliseconds of each run, one of each a round."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.process_time()
            run()
            times[name].append(1e3 * (time.process_time() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def in_order(data: bytes) -> list[Image.Image]:
    """What a script on top of PyAV does: decode everything, keep a frame a second."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        rate = round(stream.average_rate)
        return [f.to_image() for i, f in enumerate(container.decode(stream)) if i % rate == 0]


def luma(frames: Any) -> np.ndarray:
    return np.stack([np.asarray(frame) for frame in frames]) @ np.array([0.299, 0.587, 0.114])


def size_mb(batch: dict[str, Any]) -> float:
    tensors = (v for v in batch.values() if isinstance(v, torch.Tensor))
    return sum(t.numel() * t.element_size() for t in tensors) / 1e6


def line(what: str, ours: float, theirs: float, unit: str) -> None:
    print(f"| {what} | {ours:,.1f} {unit} | {theirs:,.1f} {unit} | {theirs / ours:.1f}x |")


def main() -> None:
    torch.set_num_threads(1)
    texts = ["What happens in this video, and in which order? Someone opens a door. "] * 3
    model, processor = tiny_idefics3(texts, image_px=PX, hidden=16, layers=1)
    stock = copy.deepcopy(processor)
    stock.image_processor.size = type(stock.image_processor.size)(longest_edge=4 * PX)
    ours = VideoCollator(processor, "idefics3", uint8=True)
    trl, trl_stock = (DataCollatorForVisionLanguageModeling(p) for p in (processor, stock))

    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (N_FRAMES, PX, PX, 3), dtype=np.uint8)
    row = {"images": [Image.fromarray(p) for p in pixels], "messages": conversation()}
    a, b = ours([row]), trl.torch_call([copy.deepcopy(row)])
    sizes = size_mb(a), size_mb(b)
    a = to_pixel_values(a, processor, ours.encode.family)
    difference = float((a["pixel_values"] - b["pixel_values"]).abs().max())

    print(f"{N_FRAMES} frames, Idefics3 at {PX} px, one thread; medians of {ROUNDS} rounds\n")
    print("| what | t2vid | TRL | TRL / t2vid |\n|---|---|---|---|")
    cpu = interleaved(
        ROUNDS,
        ours=lambda: ours([row]),
        trl=lambda: trl.torch_call([copy.deepcopy(row)]),
        stock=lambda: trl_stock.torch_call([copy.deepcopy(row)]),
    )
    line(f"collate a row of {PX} px frames", cpu["ours"], cpu["trl"], "ms")
    line("the same, TRL with the processor's own size (1456)", cpu["ours"], cpu["stock"], "ms")
    line("bytes to the device", *sizes, "MB")

    data = clip()
    plain = t2vid.SampleSpec(max_frames=N_FRAMES)
    sized = t2vid.SampleSpec(max_frames=N_FRAMES, size=(PX, PX))
    stored = {"images": video_value(data, plain), "messages": conversation()}

    def way(decode: Callable[[], Any], collate: Callable[[list[Any]], Any]) -> Callable[[], Any]:
        return lambda: collate([{"images": decode(), "messages": conversation()}])

    whole = interleaved(
        ROUNDS,
        ours=lambda: ours([stored]),
        av=way(lambda: in_order(data), trl.torch_call),
        planned=way(lambda: list(t2vid.sample_video(data, plain)), trl.torch_call),
        stock=way(lambda: in_order(data), trl_stock.torch_call),
        decode=lambda: t2vid.sample_video(data, sized),
        decode_av=lambda: in_order(data),
    )
    shape = f"{CLIP_PX[0]}x{CLIP_PX[1]} clip"
    line(f"from a {shape} to the batch, TRL after PyAV", whole["ours"], whole["av"], "ms")
    line("the same, TRL after t2vid's decoder", whole["ours"], whole["planned"], "ms")
    line("the same, PyAV and the processor's own size", whole["ours"], whole["stock"], "ms")
    line("of it, decoding", whole["decode"], whole["decode_av"], "ms")
    print("\nPyAV decodes the clip in order, one thread, and keeps a frame a second at full size.")
    print(f"largest difference of a pixel value at equal sizes: {difference:.1e}")
    small = luma(t2vid.sample_video(data, sized))
    large = luma([f.resize((PX, PX), 1) for f in t2vid.sample_video(data, plain)])
    apart = float(np.abs(small - large).mean())
    print(f"mean difference of luma, scaled by libav or by Pillow: {apart:.2f} of 255")
    training(model, processor, data)
    padding()


def training(model: Any, processor: Any, data: bytes) -> None:
    """Train on eight rows of one clip: both from its frames as PNG files, t2vid also from the clip."""
    cuda = torch.cuda.is_available()
    row = {"source": "clips", "messages": conversation(), "n_frames": N_FRAMES, "n_words": 0}
    pngs = []
    for frame in t2vid.sample_video(data, t2vid.SampleSpec(max_frames=N_FRAMES, size=(PX, PX))):
        buffer = io.BytesIO()
        frame.save(buffer, "PNG")
        pngs.append({"path": None, "bytes": buffer.getvalue()})
    clips = video_value(data, t2vid.SampleSpec(max_frames=N_FRAMES))
    stored, lazy = (
        Dataset.from_list([row | {"id": str(i), "images": images} for i in range(8)], features)
        for images, features in (
            (pngs, row_features(List(ImageColumn()))),
            (clips, row_features(t2vid.Frames())),
        )
    )
    folder = tempfile.mkdtemp(prefix="t2vid-train-step-")
    common: dict[str, Any] = {
        "output_dir": folder, "per_device_train_batch_size": 2, "max_steps": 4, "use_cpu": not cuda,
        "report_to": "none", "save_strategy": "no", "logging_strategy": "no", "bf16": False,
        "disable_tqdm": True, "max_length": None, "activation_checkpointing": False,
    }  # fmt: skip
    bare = stored.select_columns(["images", "messages"])
    ways = {
        "t2vid": lambda m: VideoSFTTrainer(
            m, VideoSFTConfig(**common), train_dataset=stored, processing_class=processor
        ),
        "TRL": lambda m: SFTTrainer(
            m, SFTConfig(**common), train_dataset=bare, processing_class=processor
        ),
        "t2vid from the clip": lambda m: VideoSFTTrainer(
            m, VideoSFTConfig(**common), train_dataset=lazy, processing_class=processor
        ),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    peaks: dict[str, float] = {}
    for _ in range(3):
        for name, make in ways.items():
            trainer = make(copy.deepcopy(model))
            if cuda:
                torch.cuda.reset_peak_memory_stats()
            clock = time.perf_counter if cuda else time.process_time
            start = clock()
            trainer.train()
            rates[name].append(8 / (clock() - start))
            peaks[name] = torch.cuda.max_memory_allocated() / 1e6 if cuda else 0.0
    shutil.rmtree(folder)
    rate = {name: statistics.median(values) for name, values in rates.items()}
    unit, second = ("GPU", "s") if cuda else ("CPU", "CPU second")
    print(f"\n| training on {unit}, tiny model | samples a {second} | beside TRL |", end="")
    print(" step, ms | peak, MB |\n|---|---|---|---|---|" if cuda else "\n|---|---|---|")
    for name, value in rate.items():
        end = f" {2e3 / value:,.0f} | {peaks[name]:,.0f} |" if cuda else ""
        print(f"| {name} | {value:.2f} | {value / rate['TRL']:.2f}x |{end}")


def padding() -> None:
    """Compare ways to batch `hybrid-30k`, a tenth of it, from generated files of the real formats."""
    folder = Path(tempfile.mkdtemp(prefix="t2vid-train-step-"))
    try:
        mix.generate(folder / "data", SCALE)
        mix.write_recipe(folder / "recipe.yaml", SCALE)
        recipe = Recipe.from_yaml(folder / "recipe.yaml").for_family("idefics3")
        recipe.build(data=folder / "data", out=folder / "mix")
        rows = load(folder / "mix")
        # the tokenizer learns from the answers, so that it is no worse than a published one on them
        texts = [r["messages"][-1]["content"][0]["text"] for r in rows.remove_columns("images")]
        processor = tiny_idefics3(texts, image_px=PX, hidden=16, layers=1, vocab_size=8192)[1]
        lengths = row_lengths(rows, RowEncoder(processor, family="idefics3"))
    finally:
        shutil.rmtree(folder)
    order = np.random.default_rng(0).permutation(len(lengths)).tolist()
    fixed = [order[i : i + 2] for i in range(0, len(order), 2)]
    budget = 2 * max(lengths)
    padded = plan_batches(lengths, max_tokens=budget, seed=0)
    packed = plan_batches(lengths, max_tokens=budget, seed=0, pack=True)
    fill = sum(lengths) / (len(packed) * budget)
    print(
        f"\n{len(lengths):,} rows of hybrid-30k: median {np.median(lengths):,.0f} tokens, longest "
        f"{max(lengths):,}\n\n| batches | padding | batches |\n|---|---|---|"
    )
    print(f"| TRL: 2 rows in random order | {padding_share(fixed, lengths):.1%} | {len(fixed):,} |")
    share = padding_share(padded, lengths)
    print(f"| max_tokens_per_batch={budget:,} | {share:.1%} | {len(padded):,} |")
    print(f"| the same, pack=True | 0.0% ({fill:.1%} of the budget filled) | {len(packed):,} |")


if __name__ == "__main__":
    main()
