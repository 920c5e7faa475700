"""The card keeps what others wrote and states the strictest licence."""

from __future__ import annotations

import pytest
import yaml

from t2vid.corpora.licences import (
    NOT_STATED,
    Licence,
    concerns,
    licences_of,
    restriction,
    strictest,
)
from t2vid.errors import InputError
from t2vid.publishing.card import Facts, merge_card, published
from t2vid.publishing.materialize import DatasetStats, PublishFormat


def facts(config: str = "default", **changes: object) -> Facts:
    values: dict[str, object] = {
        "config": config,
        "folder": "data" if config == "default" else config,
        "splits": {"train": {"num_examples": 5, "num_bytes": 50}},
        "download_bytes": 40,
        "columns": {"id": "string"},
        "lazy": [],
        "form": PublishFormat(),
        "total": DatasetStats(n_rows=5),
        "licences": {"a": Licence("mit")},
    }
    return Facts(**{**values, **changes})  # type: ignore[arg-type]


def front(card: str) -> dict[str, object]:
    return dict(yaml.safe_load(card.split("---\n")[1]))


def test_the_first_card_is_whole() -> None:
    card = merge_card(None, facts(), repo_id="me/mix")
    assert card.startswith("---\nlicense: mit\n") and "\n# mix\n" in card
    assert front(card)["configs"] == [
        {
            "config_name": "default",
            "data_files": [{"split": "train", "path": "data/train-*"}],
            "default": True,
        }
    ]
    assert list(published(card, "default")) == ["train"]
    assert merge_card(card, facts(), repo_id="me/mix") == card


@pytest.mark.parametrize(
    "old",
    ["# Mine\n\ntext", "---\nlicense: mit\n---\n# Mine\n\ntext", "\n---\r\n---\r\n# Mine\n\ntext"],
)
def test_what_others_wrote_stays(old: str) -> None:
    card = merge_card(old, facts(), repo_id="me/mix")
    assert "# Mine\n\ntext" in card and card.count("# Mine") == 1
    assert merge_card(card, facts(), repo_id="me/mix") == card


def test_configs_that_t2vid_did_not_write_stay() -> None:
    old = (
        "---\nconfigs:\n- config_name: other\n  data_files: x.csv\nlicense: gpl-3.0\n---\n# Mine\n"
    )
    card = merge_card(old, facts(), repo_id="me/mix")
    assert {"config_name": "other", "data_files": "x.csv"} in front(card)["configs"]  # type: ignore[operator]
    assert front(card)["license"] == "gpl-3.0"  # stricter than ours, and still of the other config


def test_a_config_whose_name_begins_like_another_is_another() -> None:
    card = merge_card(None, facts("small"), repo_id="me/mix")
    card = merge_card(card, facts("smaller"), repo_id="me/mix")
    card = merge_card(card, facts("small"), repo_id="me/mix")
    assert card.count("## Config `small`\n") == card.count("## Config `smaller`\n") == 1


@pytest.mark.parametrize("old", ["---\n: [\n---\n", "---\njust words\n---\n"])
def test_a_broken_front_matter_is_not_overwritten(old: str) -> None:
    with pytest.raises(InputError, match="README.md of the repository"):
        merge_card(old, facts(), repo_id="me/mix")


def test_a_source_cannot_break_the_table() -> None:
    odd = {"a|b\nc": Licence("mit")}
    card = merge_card(
        None, facts(licences=odd, total=DatasetStats(5, sources={"a|b\nc": 5})), repo_id="me/x"
    )
    assert "| a\\|b c | 5 |" in card and "| a\\|b c | mit |" in card


def test_the_order_of_licences() -> None:
    order = [
        *("cc0-1.0", "apache-2.0", "cc-by-sa-4.0", "cc-by-nd-4.0", "cc-by-nc-4.0"),
        *("cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0", "other"),
    ]
    ranks = [restriction(name) for name in order]
    assert ranks == sorted(ranks) and len(set(ranks)) == len(ranks)


def test_the_strictest_is_one_that_is_stated() -> None:
    mixed = {"a": Licence("mit"), "b": Licence(NOT_STATED), "c": Licence("cc-by-nc-4.0")}
    assert strictest(mixed) == "cc-by-nc-4.0"
    assert strictest({"b": Licence(NOT_STATED)}) == strictest({}) == NOT_STATED
    card = merge_card(None, facts(licences=mixed), repo_id="me/mix")
    assert front(card)["license"] == ["cc-by-nc-4.0", "unknown"]
    assert "For 'b' no licence is stated" in card


def test_sources_are_known_however_they_are_written() -> None:
    for name in ("sharegemini", "ShareGemini", "share-gemini"):
        assert licences_of([name])[name].id == "cc-by-nc-4.0"
    assert licences_of(["video_chatgpt"])["video_chatgpt"].id == "cc-by-sa-4.0"
    assert licences_of(["mine"], "CC-BY-4.0")["mine"].id == "cc-by-4.0"


def test_free_sources_raise_no_concern() -> None:
    assert concerns(licences_of(["texts"], corpora={"texts": "sample"})) == []
    assert concerns(licences_of(["texts"], "mit")) == []
    assert len(concerns(licences_of(["longalpaca", "longqlora"]), media_rows=3)) == 3
