"""MiniCPM-Llama3-V-2.5: SigLIP, a resampler that makes each frame 96 tokens, and Llama 3.

>>> MiniCPMVForConditionalGeneration.__mro__[1].__name__
'MiniCPMVPreTrainedModel'
"""

from __future__ import annotations

from typing import Any, cast

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

from t2vid.models.minicpm_v.configuration import MiniCPMVConfig  # noqa: E402
from t2vid.models.minicpm_v.vision import (  # noqa: E402
    CrossAttention,
    MiniCPMVResampler,
    MiniCPMVVisionModel,
)

_QUERY_STD = 0.02


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
        if self.config.attend_padding:
            own = mask.repeat_interleave(patch, dim=1).to(pixel_values.device)
            pixel_values = pixel_values * own[:, None, None]  # padded with zeros after normalising
            mask = torch.ones_like(mask)
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
