"""How much memory a run takes on each GPU, estimated from a model's configuration alone.

>>> from t2vid.models.tiny import tiny_idefics3
>>> shape = shape_of(tiny_idefics3(["So."])[0])
>>> shape.layers, shape.hidden
(2, 64)

What is counted, in bytes: weights, gradients and optimizer states by the rules of each strategy (ZeRO:
Rajbhandari et al. 2020, arXiv 1910.02054, section 3.1); activations by what a Llama or SigLIP layer
keeps for its backward pass, after Korthikanti et al. 2022, arXiv 2205.05198, with an attention that
keeps no square of the length; and the buffers that each strategy holds besides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from t2vid.models.families import family_of
from t2vid.models.parts import part_of
from t2vid.trainer.adapters import adapter_size

GB = 1e9
CUDA_CONTEXT = 1.0 * GB  # kernels, cuBLAS workspaces, NCCL's rings: 0.6 to 1.5 GB as drivers go
FRAGMENTS = 0.06  # what the caching allocator cannot hand out again
NF4_BYTES = 0.516  # 4 bits and, quantised twice, 0.127 bits of scales: QLoRA, arXiv 2305.14314, 3
ZERO2_BUCKETS = 2 * 5e8  # elements: reduce_bucket_size, held twice with overlap_comm
ZERO3_LIVE = 1e9  # elements gathered at once: stage3_max_live_parameters

Sharding = Literal["none", "ddp", "zero2", "zero3", "fsdp"]


@dataclass(frozen=True)
class Shape:
    """What decides a model's memory.

    Attributes:
        parameters: number of parameters.
        trainable: number of those that are trained; with LoRA the adapter's alone.
        linear: number of parameters in matrices that 4-bit loading quantises.
        largest: number of parameters of the largest single module.
        hidden: width of the language model.
        layers: its number of layers.
        key_value: width of its keys (and of its values).
        feed_forward: width of its feed-forward layers.
        vocabulary: its number of tokens.
        vision_hidden: width of the vision tower.
        vision_layers: its number of layers.
        vision_feed_forward: width of its feed-forward layers.
        patches: patches of one frame.
        frame_values: pixel values of one frame.
        vision_trains: whether the vision tower keeps activations for a backward pass.
        head_trains: whether the output layer is trained.
        weight_bytes: bytes of one weight as loaded.
    """

    parameters: int
    trainable: int
    linear: int
    largest: int
    hidden: int
    layers: int
    key_value: int
    feed_forward: int
    vocabulary: int
    vision_hidden: int
    vision_layers: int
    vision_feed_forward: int
    patches: int
    frame_values: int
    vision_trains: bool
    head_trains: bool
    weight_bytes: int


@dataclass(frozen=True)
class Strategy:
    """How a run is spread and what it trains.

    Args:
        sharding: which states the processes share out.
        world: number of processes.
        offload: keep what is sharded in the host's memory.
        lora: an adapter is trained, the weights stay.
        four_bits: the weights are loaded in 4 bits.
        mixed: bf16 weights beside fp32 master weights (DeepSpeed, FSDP2).
        checkpointing: activations are computed again in the backward pass.
        optimizer_bytes: bytes of optimizer state for each trained parameter, where nothing is mixed.
    """

    sharding: Sharding = "none"
    world: int = 1
    offload: bool = False
    lora: bool = False
    four_bits: bool = False
    mixed: bool = False
    checkpointing: bool = True
    optimizer_bytes: float = 8.0


@dataclass(frozen=True)
class Memory:
    """Bytes on one GPU, and in the host's memory for all of its GPUs together."""

    weights: float
    gradients: float
    optimizer: float
    activations: float
    buffers: float
    host: float

    @property
    def total(self) -> float:
        """Bytes on one GPU at the largest batch."""
        parts = self.weights + self.gradients + self.optimizer + self.activations + self.buffers
        return parts * (1 + FRAGMENTS) + CUDA_CONTEXT


def shape_of(
    model: Any, *, lora: Any = None, frozen: Collection[str] = (), frame_px: int | None = None
) -> Shape:
    """Read the shape of a model, which may lie on the meta device.

    Args:
        model: with a `config` of a known family.
        lora: a `LoraConfig`, or None.
        frozen: parts that are not trained.
        frame_px: side of a frame; the configuration's image size by default.
    """
    import torch

    family = family_of(model)
    text, vision = model.config.get_text_config(), model.config.vision_config
    linear = {n: m for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)}
    sizes = {name: p.numel() for name, p in model.named_parameters()}
    head = model.get_output_embeddings()
    trained = {name: n for name, n in sizes.items() if part_of(name, family) not in frozen}
    trainable, parts = sum(trained.values()), {part_of(name, family) for name in trained}
    if lora is not None:
        trainable, parts = adapter_size(model, lora)
    edge, patch = _edge(frame_px or vision.image_size), _edge(vision.patch_size)
    heads = text.num_attention_heads
    per_head = getattr(text, "head_dim", None) or text.hidden_size // heads
    return Shape(
        parameters=sum(sizes.values()),
        trainable=trainable,
        linear=sum(m.weight.numel() for m in linear.values() if m is not head),
        largest=max(sizes.values()),
        hidden=text.hidden_size,
        layers=text.num_hidden_layers,
        key_value=per_head * (getattr(text, "num_key_value_heads", None) or heads),
        feed_forward=text.intermediate_size,
        vocabulary=text.vocab_size,
        vision_hidden=vision.hidden_size,
        vision_layers=getattr(vision, "num_hidden_layers", None) or vision.depth,
        vision_feed_forward=vision.intermediate_size,
        patches=(edge // patch) ** 2,
        frame_values=3 * edge * edge,
        vision_trains="vision" in parts - set(frozen),
        head_trains=lora is None and "language" not in frozen,
        weight_bytes=next(model.parameters()).element_size(),
    )


def estimate(shape: Shape, strategy: Strategy, *, tokens: int, frames: int) -> Memory:
    """Estimate the memory of a training step.

    Args:
        shape: of the model.
        strategy: how it is trained.
        tokens: token places of the largest batch of one process.
        frames: frames of that batch.
    """
    weight = 2 if strategy.mixed else shape.weight_bytes
    weights: float = shape.parameters * weight
    if strategy.four_bits:
        weights = shape.linear * NF4_BYTES + (shape.parameters - shape.linear) * 2
    if strategy.lora:
        weights += 4 * shape.trainable  # PEFT keeps an adapter in float32
    grain = 4 if strategy.lora or strategy.mixed else weight  # ZeRO steps on float32 gradients
    gradients: float = shape.trainable * grain
    optimizer: float = shape.trainable * (12 if strategy.mixed else strategy.optimizer_bytes)
    share = {
        "none": (1, 1, 1),
        "ddp": (1, 1, 1),
        "zero2": (1, strategy.world, strategy.world),
        "zero3": (strategy.world,) * 3,
        "fsdp": (strategy.world,) * 3,
    }[strategy.sharding]
    weights, gradients, optimizer = (
        size / n for size, n in zip((weights, gradients, optimizer), share, strict=True)
    )
    buffers = _buffers(shape, strategy, weight, grain)
    host = 0.0
    if strategy.offload:
        host = (optimizer + gradients) * strategy.world
        gradients = optimizer = 0.0
        if strategy.sharding == "zero3":
            host += weights * strategy.world
            weights = 0.0
    activations = _activations(shape, strategy, tokens=tokens, frames=frames)
    return Memory(weights, gradients, optimizer, activations, buffers, host)


def text_layer_bytes(shape: Shape) -> float:
    """Bytes that one layer of the language model keeps for each token, without checkpointing.

    In bf16: the layer's input and both normed inputs, queries, keys, values, the attention's output
    and its projection, gate and up, the gate's activation and their product; in float32 the two
    inputs of the norms.
    """
    wide = 2 * (6 * shape.hidden + 2 * shape.key_value)
    return wide + 2 * 4 * shape.hidden + 2 * 4 * shape.feed_forward


def vision_layer_bytes(shape: Shape) -> float:
    """Bytes that one layer of the vision tower keeps for each patch, without checkpointing."""
    return 2 * 8 * shape.vision_hidden + 2 * 2 * shape.vision_feed_forward


def _activations(shape: Shape, strategy: Strategy, *, tokens: int, frames: int) -> float:
    patches = frames * shape.patches
    text, vision = tokens * text_layer_bytes(shape), patches * vision_layer_bytes(shape)
    seen = vision  # one layer at a time while it is computed
    if strategy.checkpointing:
        kept = 2 * tokens * shape.hidden * shape.layers + text
        if shape.vision_trains:
            seen = 2 * patches * shape.vision_hidden * shape.vision_layers + vision
    else:
        kept = text * shape.layers
        if shape.vision_trains:
            seen = vision * shape.vision_layers
    pixels = frames * shape.frame_values * (1 + 4 + 2)  # uint8, float32 and bf16
    # With a frozen tower its peak is over before the language model's begins.
    both = kept + seen if shape.vision_trains else max(kept, seen)
    return both + pixels


def _buffers(shape: Shape, strategy: Strategy, weight: int, grain: int) -> float:
    buffers = 0.0
    if shape.head_trains:
        buffers += 4 * shape.vocabulary * shape.hidden  # TRL sums the output layer's in float32
    if strategy.four_bits:
        buffers += 2 * shape.hidden * shape.feed_forward  # one matrix at a time in bf16
    if strategy.sharding == "ddp":
        buffers += shape.trainable * grain  # DDP reduces gradients in buckets of its own
    elif strategy.sharding == "zero2":
        buffers += 2 * min(ZERO2_BUCKETS, 2 * shape.trainable)
    elif strategy.sharding == "zero3":
        buffers += weight * min(ZERO3_LIVE, shape.parameters)
    elif strategy.sharding == "fsdp":
        buffers += 2 * weight * shape.largest
    return buffers


def alternatives(strategy: Strategy, *, world: int) -> Mapping[str, Strategy]:
    """Give what else could be tried, the least change first; keys are what to add to the command."""
    plain = replace(strategy, sharding="none", mixed=False, offload=False)
    spread = replace(plain, world=world, mixed=True)
    sharded = (
        {
            "deepspeed=zero2": replace(spread, sharding="zero2"),
            "deepspeed=zero3": replace(spread, sharding="zero3"),
        }
        if world > 1
        else {}
    )
    adapter = replace(plain, world=world, sharding="ddp" if world > 1 else "none", lora=True)
    return {
        **sharded,
        "deepspeed=zero3-offload": replace(spread, sharding="zero3", offload=True),
        "use_peft=true": adapter,
        "load_in_4bit=true": replace(adapter, four_bits=True),
    }


def _edge(value: Any) -> int:
    return int(value[0] if isinstance(value, list | tuple) else value)
