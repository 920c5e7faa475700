"""How MiniCPM-Llama3-V-2.5 sees: a SigLIP tower for strips of patches, and the resampler after it.

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

from t2vid.errors import require

require("torch", extra="train")
require("transformers", extra="train")

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from transformers.models.idefics2.modeling_idefics2 import (  # noqa: E402
    Idefics2VisionEmbeddings,
    Idefics2VisionTransformer,
)

_EPS = 1e-6  # of the resampler's layer norms


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
