"""Train the mini image-LLM from nothing: stories in words, pictures and pages, documents of both.

A document is a story in words in which some scenes are a picture or a page, never two in a row; an
album is a row of pictures and pages that have nothing to do with each other. Real image-LLMs learn on
such interleaved pages. It never sees a clip, nor a text drawn on several pages.

>>> schedule(0, Plan()) < schedule(100, Plan()) > schedule(4999, Plan())
True
"""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from t2vid.errors import InputError, require
from t2vid.frames.render import render_text
from t2vid.frames.spec import RenderSpec
from t2vid.miniature.base import BaseSize, new_base
from t2vid.miniature.pictures import FRAME_PX, draw
from t2vid.miniature.prompts import LOOK, READ
from t2vid.miniature.questions import KINDS, ask, worded
from t2vid.miniature.world import MAX_SCENES, NUMBERS, WORDS_PER_SCENE, Episode, phrases

IGNORED = -100
HERE = "<image>"  # where a frame stands in a text
RECITED = 0.35  # share of the documents that are read out
PAGE = RenderSpec(
    width=FRAME_PX, height=FRAME_PX, font_px=11, margin_px=1, words_per_frame=WORDS_PER_SCENE
)
# Pages of pretraining: faces and margins with which six words of any scene fit one page.
_PAGES = tuple(
    RenderSpec(
        width=FRAME_PX,
        height=FRAME_PX,
        font=font,
        font_px=px,
        margin_px=margin,
        words_per_frame=WORDS_PER_SCENE,
    )
    for font, px, margin in (("sans", 11, 1), ("serif", 11, 2), ("sans", 10, 1), ("serif", 10, 3))
)


@dataclass(frozen=True)
class Plan:
    """How long and on what the base is trained.

    Attributes:
        text_steps: steps on stories in words alone.
        joint_steps: steps on stories, pictures and pages after them.
        document_steps: steps on documents, stories, single frames and albums.
        text_rows: stories in a step on stories alone.
        joint_text_rows: stories in a step with single frames.
        frame_rows: pictures and pages in such a step, half of each.
        document_rows: documents in a step of the last part, which has a quarter as many stories,
            as many albums and a third as many single frames beside them.
        turns: questions about one story or document.
        learning_rate: at its highest.
        seed: of the weights and the rows.
    """

    text_steps: int = 1000
    joint_steps: int = 2000
    document_steps: int = 3000
    text_rows: int = 24
    joint_text_rows: int = 20
    frame_rows: int = 40
    document_rows: int = 24
    turns: int = 5
    learning_rate: float = 2e-3
    seed: int = 0

    @property
    def steps(self) -> int:
        """Steps in all."""
        return self.text_steps + self.joint_steps + self.document_steps


class Turns(NamedTuple):
    """A conversation about any frames: `(question, answer)` pairs."""

    pairs: list[tuple[str, str]]
    frames: Sequence[NDArray[np.uint8]] = ()


def pretrain(
    out: Path,
    plan: Plan = Plan(),  # noqa: B008  frozen
    size: BaseSize = BaseSize(),  # noqa: B008  frozen
    *,
    save_every: int = 200,
    log_every: int = 50,
    device: str = "cpu",
) -> Any:
    """Train from nothing, or from where an earlier call was stopped.

    Args:
        out: folder of the state, the curves (`curves.jsonl`) and the finished model.
        plan: how long and on what.
        size: how large the model is.
        save_every: steps between two saved states.
        log_every: steps between two points of the curves.
        device: `cpu`, or `cuda` on a machine with a card.

    Returns:
        `(model, processor)`, also saved in `out`.

    Raises:
        InputError: when `out` holds the state of another plan.
    """
    torch = require("torch", extra="train")
    out.mkdir(parents=True, exist_ok=True)
    model, processor = new_base(size, seed=plan.seed)
    model.to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=plan.learning_rate, betas=(0.9, 0.98), weight_decay=0.01
    )
    state, asked = out / "state.pt", {"plan": asdict(plan), "size": asdict(size)}
    first, seconds = 0, 0.0
    if state.is_file():
        saved = torch.load(state, weights_only=True, map_location=device)
        if saved["asked"] != asked:
            raise InputError(f"{out} holds the state of another plan, {saved['asked']}")
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        first, seconds = saved["step"], saved["seconds"]
    start, sums = time.process_time() - seconds, dict[str, float]()
    model.train()
    for step in range(first, plan.steps):
        rng = np.random.default_rng((plan.seed, step))  # a resumed run sees the same rows
        for group in optimizer.param_groups:
            group["lr"] = schedule(step, plan)
        losses = _losses(model, processor, step, plan, rng)
        optimizer.zero_grad(set_to_none=True)
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        for name, loss in losses.items():
            sums[name] = sums.get(name, 0.0) + float(loss.detach())
        done = step + 1
        if done % log_every == 0:
            means = {f"{name}_loss": round(sums[name] / log_every, 4) for name in sums}
            _log(out, {"step": done, **means, "cpu_seconds": round(time.process_time() - start)})
            sums.clear()
        if done % save_every == 0 or done == plan.steps:
            value = {"asked": asked, "step": done, "seconds": time.process_time() - start}
            value |= {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save(value, state.with_suffix(".new"))
            state.with_suffix(".new").replace(state)
    model.eval()
    model.to("cpu", torch.bfloat16).save_pretrained(out / "model")
    processor.save_pretrained(out / "model")
    return model.float(), processor


def schedule(step: int, plan: Plan) -> float:
    """Give the learning rate: a short rise, a tenth less by the end of the stories, then cosines."""
    rise = min(1.0, (step + 1) / 100)
    if step < plan.text_steps:
        return plan.learning_rate * rise * (1 - 0.1 * step / plan.text_steps)
    at = step - plan.text_steps
    if at < plan.joint_steps:
        return plan.learning_rate * rise * 0.9 * _cosine(at / plan.joint_steps)
    at -= plan.joint_steps
    return plan.learning_rate * min(1.0, (at + 1) / 50) * 0.75 * _cosine(at / plan.document_steps)


def _cosine(share: float) -> float:
    return 0.525 + 0.475 * math.cos(math.pi * share)


def _losses(
    model: Any, processor: Any, step: int, plan: Plan, rng: np.random.Generator
) -> dict[str, Any]:
    if step < plan.text_steps:
        groups = {"text": [story(rng, turns=plan.turns) for _ in range(plan.text_rows)]}
    elif step < plan.text_steps + plan.joint_steps:
        groups = {
            "text": [story(rng, turns=plan.turns) for _ in range(plan.joint_text_rows)],
            "frame": _single(rng, plan.frame_rows),
        }
    else:
        n = plan.document_rows
        groups = {
            "text": [story(rng, turns=plan.turns) for _ in range(n // 4)],
            "document": [document(rng, turns=plan.turns) for _ in range(n)],
            "frame": [*_single(rng, n // 3), *(album(rng) for _ in range(n // 4))],
        }
    return {name: _loss(model, *collate(rows, processor)) for name, rows in groups.items() if rows}


def _single(rng: np.random.Generator, n: int) -> list[Turns]:
    return [*(picture(rng) for _ in range(n // 2)), *(page(rng) for _ in range(n // 2))]


def _loss(model: Any, inputs: dict[str, Any], labels: Any) -> Any:
    from torch.nn.functional import cross_entropy

    inputs = {name: value.to(model.device) for name, value in inputs.items()}
    hidden = model.model(**inputs, use_cache=False).last_hidden_state[:, :-1]
    wanted = labels[:, 1:].to(model.device)
    at = wanted != IGNORED
    return cross_entropy(model.lm_head(hidden[at]), wanted[at])


def story(rng: np.random.Generator, *, turns: int) -> Turns:
    """Give a story in words with `turns` questions, most of them with options."""
    episode = Episode.drawn(rng)
    return Turns(_asked(episode, episode.story, rng, turns))


def picture(rng: np.random.Generator) -> Turns:
    """Give one picture and what is in it."""
    episode = Episode.drawn(rng)
    scene = episode.scenes[int(rng.integers(len(episode.scenes)))]
    said = f"a {scene.thing} at {scene.place}"
    return Turns([(LOOK[int(rng.integers(len(LOOK)))], said)], [np.asarray(draw(scene, rng))])


def page(rng: np.random.Generator) -> Turns:
    """Give one drawn page of a story and its words."""
    told = phrases(Episode.drawn(rng))
    words = told[int(rng.integers(len(told)))]
    return Turns([(READ[int(rng.integers(len(READ)))], words)], [drawn(words, rng)])


def drawn(words: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Give a page with six words in one of the faces of pretraining."""
    (frame,) = render_text(words, _PAGES[int(rng.integers(len(_PAGES)))])
    return np.repeat(np.asarray(frame)[..., None], 3, axis=2)


def album(rng: np.random.Generator) -> Turns:
    """Give two to five pictures and pages of different episodes, and ask about some by number."""
    n = int(rng.integers(2, MAX_SCENES + 1))
    single = [(picture if rng.random() < 0.5 else page)(rng) for _ in range(n)]
    pairs = []
    for i in rng.permutation(n)[:3]:
        told = single[i].pairs[0][1]
        what = "Read page" if told.split()[0] in ("first", "then") else "Describe picture"
        pairs.append((f"{what} {NUMBERS[i + 1]}.", told))
    return Turns(pairs, [frame for one in single for frame in one.frames])


def document(rng: np.random.Generator, *, turns: int) -> Turns:
    """Give a story in words with some scenes, never two in a row, as pictures or pages."""
    episode = Episode.drawn(rng)
    told, frames = phrases(episode), []
    first = int(rng.integers(len(told) - 1))
    for i in range(first, len(told), 2):
        if i > first and rng.random() < 0.2:
            break
        scene = episode.scenes[i]
        shown = np.asarray(draw(scene, rng)) if rng.random() < 0.5 else drawn(told[i], rng)
        frames.append(shown)
        told[i] = HERE
    text = " ".join(told).replace(f" {HERE}", HERE)
    pairs = _asked(episode, text, rng, turns)
    if rng.random() < RECITED:
        pairs.append((READ[-1], episode.story))
    return Turns(pairs, frames)


def collate(rows: Sequence[Turns], processor: Any) -> tuple[dict[str, Any], Any]:
    """Give the model's inputs and the labels of conversations, in the words of the chat template."""
    import torch

    tokenizer = processor.tokenizer
    user, assistant, end = tokenizer.convert_tokens_to_ids(
        ["<user>", "<assistant>", "<end_of_utterance>"]
    )
    seen = "<image>" * processor.image_seq_len
    frame = f"<fake_token_around_image><global-img>{seen}<fake_token_around_image>"
    said = [part for row in rows for part in _said(row, frame)]
    encoded = iter(tokenizer(said, add_special_tokens=False)["input_ids"])
    all_ids, all_labels = [], []
    for row in rows:
        ids: list[int] = []
        targets: list[int] = []
        for _ in row.pairs:
            asked = [user, *next(encoded), assistant]
            answer = [*next(encoded), end]
            ids += asked + answer
            targets += [IGNORED] * len(asked) + answer
        all_ids.append(ids)
        all_labels.append(targets)
    width = max(map(len, all_ids))
    pad = tokenizer.pad_token_id
    # Padding stands behind what attends to it, so that causal attention needs no mask.
    inputs = {"input_ids": torch.tensor([ids + [pad] * (width - len(ids)) for ids in all_ids])}
    labels = torch.tensor([row + [IGNORED] * (width - len(row)) for row in all_labels])
    frames = [frame for row in rows for frame in row.frames]
    if frames:
        pixels = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)
        inputs["pixel_values"] = (pixels.float() / 127.5 - 1).unsqueeze(0)
    return inputs, labels


def _asked(
    episode: Episode, text: str, rng: np.random.Generator, turns: int
) -> list[tuple[str, str]]:
    asked = (ask(episode, KINDS[int(i)], rng) for i in rng.permutation(len(KINDS)))
    found = itertools.islice((one for one in asked if one is not None), turns)
    pairs = [(worded(one, rng), one.answer) for one in found]
    (question, answer), *rest = pairs
    between = "" if text.endswith(HERE) else "\n\n"  # as the product writes it
    return [(f"{text}{between}{question}", answer), *rest]


def _said(row: Turns, frame: str) -> Iterator[str]:
    """Give questions and answers; frames stand where they are marked, or before everything."""
    for turn, (question, answer) in enumerate(row.pairs):
        before = frame * len(row.frames) if turn == 0 and HERE not in question else ""
        yield before + question.replace(HERE, frame)
        yield f" {answer}"


def _log(out: Path, point: dict[str, float]) -> None:
    with open(out / "curves.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(point) + "\n")
