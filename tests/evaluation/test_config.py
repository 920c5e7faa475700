"""A protocol is what it says: checked, hashed, the same after YAML; it never drops a field."""

from __future__ import annotations

import dataclasses

import pytest

from t2vid.catalog import presets
from t2vid.errors import InputError
from t2vid.evaluation.config import PROMPTS, EvalConfig

CHANGES = {
    "strategy": "grid",
    "frames": 8,
    "fps": 2.0,
    "sampling": "midpoint",
    "control": "reversed",
    "answering": "letters",
    "middle_frames": 4,
    "region": 0.5,
    "guide": "mine/clip",
    "size": 364,
    "bounds": False,
    "subtitles": True,
    "prompt": "video-mme",
    "system": "You watch.",
    "prefill": "(",
    "max_new_tokens": 8,
    "circular": True,
    "grid_columns": 2,
    "fast_frames": 30,
    "fast_px": 56,
}


@pytest.mark.parametrize("name", [preset.name for preset in presets("eval")])
def test_every_named_protocol_survives_yaml(name: str):
    protocol = EvalConfig.named(name)
    assert EvalConfig.from_yaml(protocol.to_yaml()) == protocol
    assert EvalConfig.from_yaml(protocol.to_yaml()).hash == protocol.hash


def test_every_field_changes_a_hash():
    judging = {"scheme": "paper", "judge": "transformers:x"}
    names = {field.name for field in dataclasses.fields(EvalConfig)}
    assert names == CHANGES.keys() | judging.keys()
    base = EvalConfig(prompt="t2vid")
    for name, value in CHANGES.items():
        if name == "size" and "size" not in base.sample.to_dict():
            continue
        changed = base.replace(**{name: value})
        assert changed.asking_hash != base.asking_hash and changed.hash != base.hash, name
    for name, value in judging.items():
        changed = base.replace(**{name: value})
        assert changed.asking_hash == base.asking_hash and changed.hash != base.hash, name


def test_a_prompt_under_another_name_is_the_same_protocol():
    assert EvalConfig(prompt=PROMPTS["t2vid"]).asking_hash == EvalConfig(prompt="t2vid").asking_hash


@pytest.mark.parametrize(
    "bad",
    [
        {"strategy": "mosaic"},
        {"frames": 0},
        {"control": "upside down"},
        {"answering": "shout"},
        {"middle_frames": -1},
        {"region": 0},
        {"region": "half"},
        {"frames": "many"},
        {"frames": 1.5},
        {"circular": "yes"},
        {"system": 3},
        {"max_new_tokens": 0},
        {"prompt": "no place for it"},
        {"prompt": "{question} {answer}"},
        {"prompt": "{question} {"},
        {"scheme": "random"},
        {"judge": "llama"},
        {"fps": 0},
    ],
)
def test_a_bad_value_is_named(bad: dict):
    with pytest.raises(InputError, match=next(iter(bad))):
        EvalConfig(**bad)


def test_a_protocol_comes_by_name_or_file_and_else_lists_the_known(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("frames: 8\nprompt: '{question} {options}'\n")
    assert EvalConfig.named(path).frames == 8
    with pytest.raises(InputError, match="ig-vlm"):
        EvalConfig.named("ig-vml")


def test_former_names_are_read_from_runs_and_warn_in_code():
    stored = {"strategy": "text", "select": "midpoint"}
    assert EvalConfig.from_dict(stored) == EvalConfig(control="blind", sampling="midpoint")
    with pytest.warns(DeprecationWarning, match="select= is now called sampling="):
        assert EvalConfig(select="midpoint").sampling == "midpoint"
    with pytest.warns(DeprecationWarning, match="control='blank'"):
        assert EvalConfig(strategy="blank") == EvalConfig(control="blank")


def test_any_protocol_takes_any_control():
    how = EvalConfig.named("mvbench+shuffled")
    assert (how.prompt, how.control) == ("mvbench", "shuffled")
    assert EvalConfig.named("t2vid+subtitles").subtitles
    with pytest.raises(InputError, match="control"):
        EvalConfig.named("mvbench+nothing")
