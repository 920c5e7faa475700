"""MiniCPM-Llama3-V-2.5: SigLIP, a resampler that makes each frame 96 tokens, and Llama 3.

>>> strip_position_ids([4, 2], side=8).tolist()
[[0, 2, 4, 6], [0, 4, 0, 0]]
>>> tuple(grid_positions(2, 3, 16).shape)
(6, 16)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import numpy as np

from t2vid.errors import InputError, require

require("torch", extra="train")
require("transformers", extra="train")

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from transformers import GenerationMixin, LlamaModel, PreTrainedModel  # noqa: E402
from transformers import initialization as init  # noqa: E402
from transformers.modeling_outputs import (  # noqa: E402
    BaseModelOutputWithPast,
    CausalLMOutputWithPast,
)
from transformers.models.idefics2.modeling_idefics2 import (  # noqa: E402
    Idefics2VisionEmbeddings,
    Idefics2VisionTransformer,
)

from t2vid.models.minicpm_v.configuration import MiniCPMVConfig  # noqa: E402

_EPS = 1e-6  # of the resampler's layer norms
_QUERY_STD = 0.02


def strip_position_ids(lengths: Sequence[int], *, side: int, longest: int | None = None) -> Tensor:
    """Give the vision position of each patch, the patches of a frame standing in one long row.

    The published code hands the tower a grid of `1 x patches`, so only the first row of its
    `side x side` positions is ever used: patch `k` of `n` has position `k / n * side`.

    Args:
        lengths: patches of each frame.
        side: positions a side of the tower was trained with.
        longest: columns of what is given back, where it is more than the longest frame has.

    Returns:
        int64 `(frames, longest)`, zero where a frame has no patch.
    """
    ids = torch.zeros(len(lengths), longest or max(lengths), dtype=torch.int64)
    for row, n in zip(ids, lengths, strict=True):
        row[:n] = torch.from_numpy(_buckets(n, side))
    return ids


@lru_cache(maxsize=512)
def _buckets(n: int, side: int) -> np.ndarray[Any, Any]:
    # Single precision, added up as the published code did: a patch that lies on the edge between
    # two positions falls on the side on which the weights learned to find it.
    edges = torch.arange(1 / side, 1.0, 1 / side, device="cpu")
    step = float(np.float32(1) / np.float32(n))
    at = torch.arange(0, 1 - 1e-6, step, device="cpu")
    return torch.bucketize(at, edges, right=True).numpy().copy()


def grid_positions(rows: int, columns: int, width: int, *, device: Any = None) -> Tensor:
    """Give the fixed position of each patch of a grid: its column in one half, its row in the other.

    Args:
        rows: of the grid.
        columns: of the grid.
        width: of a position, a multiple of 4; each half is sines, then cosines.
        device: where to put it.

    Returns:
        float32 `(rows * columns, width)`, row by row.
    """
    half = width // 2
    steps = torch.arange(half // 2, dtype=torch.float32, device=device) / (half / 2)
    rates = 1.0 / 10000**steps

    def waves(n: int) -> Tensor:
        angles = torch.outer(torch.arange(n, dtype=torch.float32, device=device), rates)
        return torch.cat([angles.sin(), angles.cos()], dim=1)

    across = waves(columns)[None].expand(rows, -1, -1)
    down = waves(rows)[:, None].expand(-1, columns, -1)
    return torch.cat([across, down], dim=2).reshape(rows * columns, width)


class MiniCPMVVisionEmbeddings(Idefics2VisionEmbeddings):
    """Patches and their positions, a frame being one row of patches."""

    def forward(self, pixel_values: Tensor, patch_attention_mask: Tensor) -> Tensor:
        """Embed.

        Args:
            pixel_values: `(frames, 3, patch, patch * patches)`.
            patch_attention_mask: `(frames, 1, patches)`, True where there is a patch.
        """
        mask = patch_attention_mask.flatten(1)
        ids = strip_position_ids(
            mask.sum(dim=1).tolist(), side=self.num_patches_per_side, longest=mask.shape[1]
        )
        patches = self.patch_embedding(pixel_values).flatten(2).transpose(1, 2)
        return cast(Tensor, patches + self.position_embedding(ids.to(patches.device)))


class MiniCPMVVisionModel(Idefics2VisionTransformer):
    """The SigLIP tower for patches that stand in one row."""

    def __init__(self, config: Any, *, drop_last_layer: bool = False) -> None:
        super().__init__(config)
        self.embeddings = MiniCPMVVisionEmbeddings(config)
        if drop_last_layer:
            self.encoder.layers = self.encoder.layers[:-1]


class CrossAttention(nn.Module):
    """Attention of queries on patches, under the parameter names of `nn.MultiheadAttention`.

    That class reads its output matrix without calling the layer, which breaks where weights are
    sharded or held in 4 bits.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        """Attend.

        Args:
            query: `(frames, queries, width)`.
            key: `(frames, patches, width)`.
            value: likewise.
            mask: `(frames, patches)`, True where there is a patch; None where all are there.
        """
        weights, biases = self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
        q, k, v = (
            nn.functional.linear(x, w, b).view(*x.shape[:2], self.heads, -1).transpose(1, 2)
            for x, w, b in zip((query, key, value), weights, biases, strict=True)
        )
        seen = None if mask is None else mask[:, None, None, :]
        out = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        return cast(Tensor, self.out_proj(out.transpose(1, 2).flatten(2)))


class MiniCPMVResampler(nn.Module):
    """Turns the patches of a frame, however many, into `query_num` tokens of the language model."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        width, seen = config.hidden_size, config.vision_config.hidden_size
        self.query = nn.Parameter(torch.empty(config.query_num, width))
        self.kv_proj = nn.Identity() if seen == width else nn.Linear(seen, width, bias=False)
        self.attn = CrossAttention(width, config.resampler_heads)
        self.ln_q = nn.LayerNorm(width, eps=_EPS)
        self.ln_kv = nn.LayerNorm(width, eps=_EPS)
        self.ln_post = nn.LayerNorm(width, eps=_EPS)
        self.proj = nn.Parameter(torch.empty(width, width))

    def forward(self, patches: Tensor, sizes: Sequence[tuple[int, int]]) -> Tensor:
        """Resample.

        Args:
            patches: `(frames, longest, vision width)`.
            sizes: rows and columns of each frame's patches.

        Returns:
            `(frames, query_num, width)`.
        """
        values = self.ln_kv(self.kv_proj(patches))
        places, mask = self._places(sizes, values)
        query = self.ln_q(self.query).expand(len(sizes), -1, -1)
        out = self.attn(query, values + places, values, None if bool(mask.all()) else mask)
        return cast(Tensor, self.ln_post(out) @ self.proj)

    def _places(self, sizes: Sequence[tuple[int, int]], values: Tensor) -> tuple[Tensor, Tensor]:
        width, device = values.shape[-1], values.device
        grids = {size: grid_positions(*size, width, device=device) for size in set(sizes)}
        places = values.new_zeros(values.shape)
        lengths = torch.tensor([rows * columns for rows, columns in sizes])
        for place, size in zip(places, sizes, strict=True):
            place[: len(grids[size])] = grids[size]
        mask = torch.arange(values.shape[1]) < lengths[:, None]
        return places, mask if bool(mask.all()) else mask.to(device)


class MiniCPMVPreTrainedModel(PreTrainedModel):
    """What both models share: the configuration, and how weights start."""

    config: Any
    config_class = MiniCPMVConfig
    base_model_prefix = "model"
    input_modalities = ("image", "text")
    supports_gradient_checkpointing = True
    _no_split_modules = ["LlamaDecoderLayer", "Idefics2EncoderLayer", "MiniCPMVResampler"]
    _skip_keys_device_placement = ["past_key_values"]
    _supports_flash_attn = True
    _supports_sdpa = True
    _supports_flex_attn = True
    _supports_attention_backend = True
    # buffers that old files may hold
    _keys_to_ignore_on_load_unexpected = [r"rotary_emb\.inv_freq", r"resampler\.pos_embed"]

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, MiniCPMVResampler):
            init.normal_(module.query, std=_QUERY_STD)
            init.normal_(module.proj, std=module.proj.shape[0] ** -0.5)
        elif isinstance(module, CrossAttention):
            init.xavier_uniform_(module.in_proj_weight)
            init.zeros_(module.in_proj_bias)


class MiniCPMVModel(MiniCPMVPreTrainedModel):
    """MiniCPM-Llama3-V-2.5 without its head."""

    def __init__(self, config: MiniCPMVConfig) -> None:
        super().__init__(config)
        self.vpm = MiniCPMVVisionModel(
            config.vision_config, drop_last_layer=config.drop_vision_last_layer
        )
        self.resampler = MiniCPMVResampler(config)
        # Not `language_model`: transformers writes that name otherwise after reading it in shards.
        self.llm = LlamaModel(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Give the embedding of tokens."""
        return cast(nn.Module, self.llm.embed_tokens)

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the embedding of tokens."""
        self.llm.embed_tokens = value

    def get_image_features(self, pixel_values: Tensor, target_sizes: Tensor) -> Tensor:
        """Turn frames into tokens of the language model.

        Args:
            pixel_values: `(frames, 3, patch, patch * longest)`, the patches of a frame side by
                side, row by row; what lies beyond a frame's own is not looked at.
            target_sizes: `(frames, 2)`, rows and columns of each frame's patches.

        Returns:
            `(frames, query_num, width)`.
        """
        sizes = [(int(rows), int(columns)) for rows, columns in target_sizes.tolist()]
        patch = self.config.vision_config.patch_size
        lengths = torch.tensor([rows * columns for rows, columns in sizes])
        mask = torch.arange(pixel_values.shape[-1] // patch) < lengths[:, None]
        kind = self.vpm.embeddings.patch_embedding.weight.dtype
        patches = self.vpm(
            pixel_values=pixel_values.to(kind),
            patch_attention_mask=mask[:, None].to(pixel_values.device),
        ).last_hidden_state
        return cast(Tensor, self.resampler(patches, sizes))

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        pixel_values: Tensor | None = None,
        target_sizes: Tensor | None = None,
        use_cache: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Run the model without its head.

        Args:
            input_ids: `(rows, tokens)`, with `image_token_id` where frames stand.
            attention_mask: `(rows, tokens)`.
            position_ids: `(rows, tokens)`; starting again at each sample of a packed row.
            past_key_values: of the tokens before.
            inputs_embeds: in place of `input_ids`, frames already in it.
            pixel_values: as for `get_image_features`.
            target_sizes: likewise.
            use_cache: return `past_key_values`.
            **kwargs: for `LlamaModel`.

        Raises:
            InputError: when frames and their places do not match.
        """
        if inputs_embeds is None:
            inputs_embeds = self.get_input_embeddings()(input_ids)
            if pixel_values is not None:
                inputs_embeds = self._put_frames(
                    inputs_embeds, input_ids, pixel_values, target_sizes
                )
        out = self.llm(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            use_cache=use_cache,
            **kwargs,
        )
        return BaseModelOutputWithPast(
            last_hidden_state=out.last_hidden_state,
            past_key_values=out.past_key_values,
            hidden_states=out.hidden_states,
            attentions=out.attentions,
        )

    def _put_frames(
        self, embeds: Tensor, input_ids: Any, pixel_values: Tensor, target_sizes: Tensor | None
    ) -> Tensor:
        if target_sizes is None:
            raise InputError("pixel_values need target_sizes: rows and columns of their patches")
        features = self.get_image_features(pixel_values, target_sizes).to(embeds)
        here = input_ids == self.config.image_token_id
        places, tokens = int(here.sum()), features.shape[0] * features.shape[1]
        if places != tokens:
            raise InputError(
                f"{features.shape[0]} frames are {tokens} tokens but input_ids hold {places} of "
                f"image_token_id={self.config.image_token_id}; is it the tokenizer's <unk>?"
            )
        return embeds.masked_scatter(here[..., None], features)


class MiniCPMVForConditionalGeneration(MiniCPMVPreTrainedModel, GenerationMixin):
    """MiniCPM-Llama3-V-2.5."""

    _tied_weights_keys = {"lm_head.weight": "model.llm.embed_tokens.weight"}
    _tp_plan = {"lm_head": "colwise_gather_output"}

    def __init__(self, config: MiniCPMVConfig) -> None:
        super().__init__(config)
        self.model = MiniCPMVModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Give the embedding of tokens."""
        return self.model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the embedding of tokens."""
        self.model.set_input_embeddings(value)

    def get_image_features(self, pixel_values: Tensor, target_sizes: Tensor) -> Tensor:
        """Turn frames into tokens, as `MiniCPMVModel` does."""
        return self.model.get_image_features(pixel_values, target_sizes)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        pixel_values: Tensor | None = None,
        target_sizes: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        **kwargs: Any,
    ) -> Any:
        """Run the model.

        Args:
            input_ids: as for `MiniCPMVModel`, and so the others up to `use_cache`.
            attention_mask: likewise.
            position_ids: likewise.
            past_key_values: likewise.
            inputs_embeds: likewise.
            pixel_values: likewise.
            target_sizes: likewise.
            labels: `(rows, tokens)`, -100 where a token is not in the loss.
            use_cache: likewise.
            logits_to_keep: so many last positions, or which; 0 keeps all.
            **kwargs: for `LlamaModel` and the loss.
        """
        out = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            pixel_values=pixel_values,
            target_sizes=target_sizes,
            use_cache=use_cache,
            **kwargs,
        )
        keep = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(out.last_hidden_state[:, keep])
        loss = None
        if labels is not None:
            loss = self.loss_function(
                logits=logits, labels=labels, vocab_size=self.config.vocab_size, **kwargs
            )
        return CausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=out.past_key_values,
            hidden_states=out.hidden_states,
            attentions=out.attentions,
        )

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        pixel_values: Tensor | None = None,
        target_sizes: Tensor | None = None,
        is_first_iteration: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Show the frames in the first step alone; later ones find them in the cache."""
        inputs: dict[str, Any] = super().prepare_inputs_for_generation(
            input_ids, is_first_iteration=is_first_iteration, **kwargs
        )
        if is_first_iteration or not kwargs.get("use_cache", True):
            inputs |= {"pixel_values": pixel_values, "target_sizes": target_sizes}
        return inputs
