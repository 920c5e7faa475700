"""The corpora: where rows to train on come from. To add one, write its converter and an entry here.

>>> {entry.name for entry in CORPORA if entry.kind == "video"} >= {"sharegemini", "video_chatgpt"}
True
>>> {entry.name for entry in CORPORA if entry.kind == "rows"} >= {"rows", "sharegpt4video"}
True
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from t2vid import samples


@dataclass(frozen=True)
class Corpus:
    """Rows to train on; `load_dataset("t2vid/<name>")` loads them.

    Args:
        name: of the corpus, unique.
        kind: `"text"`: `convert` gives a `Triplet` for each row, drawn as frames; `"video"`: it
            gives a `Clip`, whose video is looked for in the data folder; `"rows"`: a `LayoutRow`
            with any media.
        about: one line for lists.
        converter: module with `convert(rows, counts, *, source, …)`; "" for a corpus that is known
            for its licence alone.
        dataset: how recipes write it: `t2vid/synthetic` for a text, else `t2vid/<name>`.
        config: its configuration of `dataset`: its name for a text, else "".
        hub_file: the public file, `hf://datasets/…`; "" where there is none.
        files: names of the public file in a data folder, patterns allowed, the first found counts.
        options: further arguments of `convert` that a recipe or a builder may set.
        licence: of the texts and annotations as their authors state it; None where they do not.
        licence_from: where that is stated, or not.
        max_question_words: the paper's limit for a question (T2Vid, utils/preprocess).
        bundled: whether t2vid brings its files.
        aliases: other names of it.
    """

    name: str
    kind: Literal["text", "video", "rows"]
    about: str
    converter: str = ""
    dataset: str = ""
    config: str = ""
    hub_file: str = ""
    files: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    licence: str | None = None
    licence_from: str = ""
    max_question_words: int | None = None
    bundled: bool = False
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Fill in where a recipe finds it."""
        text = self.kind == "text"
        dataset = self.dataset or ("t2vid/synthetic" if text else f"t2vid/{self.name}")
        object.__setattr__(self, "dataset", dataset)
        object.__setattr__(self, "config", self.config or (self.name if text else ""))


_DOCUMENTS = "t2vid.corpora.documents"
_ROWS = "t2vid.corpora.rows"
_ROWS_OPTIONS = ("layout", "columns", "question")
_LONG_DATA = "hf://datasets/togethercomputer/Long-Data-Collections/fine-tune"

CORPORA = (
    Corpus(
        "longalpaca",
        "text",
        "LongAlpaca-12k: questions about papers and books",
        converter="t2vid.corpora.long_alpaca",
        hub_file="hf://datasets/Yukang/LongAlpaca-12k/LongAlpaca-12k.json",
        files=("LongAlpaca-12k.json",),
        options=("strict",),
        licence="cc-by-nc-4.0",
        licence_from="https://github.com/dvlab-research/LongLoRA",
        max_question_words=499,
    ),
    Corpus(
        "longqlora",
        "text",
        "LongQLoRA SFT: books, search results, papers",
        converter="t2vid.corpora.long_qlora",
        hub_file="hf://datasets/YeungNLP/LongQLoRA-Dataset/LongQLoRA-SFT-Data-39k.jsonl",
        files=("LongQLoRA-SFT-Data-39k.jsonl",),
        options=("strict",),
        licence_from="not at https://huggingface.co/datasets/YeungNLP/LongQLoRA-Dataset",
        max_question_words=29,
    ),
    Corpus(
        "triplets",
        "text",
        "your own rows of context, question and answer",
        converter="t2vid.corpora.triplets",
        options=("columns", "question"),
        licence_from="nowhere that t2vid knows",
    ),
    Corpus(
        "booksum",
        "text",
        "BookSum of Long-Data-Collections: chapters with their summaries",
        converter=_DOCUMENTS,
        hub_file=f"{_LONG_DATA}/booksum.jsonl.zst",
        files=("booksum.jsonl*", "long-booksum.json"),
        options=("question",),
        licence="other",
        licence_from="https://huggingface.co/datasets/togethercomputer/Long-Data-Collections",
    ),
    Corpus(
        "natural_questions",
        "text",
        "Natural Questions of Long-Data-Collections: 10 to 200 search results each",
        converter=_DOCUMENTS,
        hub_file=f"{_LONG_DATA}/natural_questions_10_200_docs.jsonl.zst",
        files=("natural_questions_10_200_docs.jsonl*", "long-natq.json"),
        options=("question",),
        licence="other",
        licence_from="https://huggingface.co/datasets/togethercomputer/Long-Data-Collections",
        aliases=("natq",),
    ),
    Corpus(
        "longalign",
        "text",
        "LongAlign-10k: questions about long documents, English and Chinese",
        converter=_DOCUMENTS,
        hub_file="hf://datasets/zai-org/LongAlign-10k/long.jsonl",
        files=("long.jsonl",),
        options=("question",),
        licence_from="not at https://huggingface.co/datasets/zai-org/LongAlign-10k, as far as read",
        aliases=("zai-org/LongAlign-10k", "THUDM/LongAlign-10k"),
    ),
    Corpus(
        "chatqa2",
        "text",
        "ChatQA2's long SFT data: questions about documents",
        converter=_DOCUMENTS,
        hub_file="hf://datasets/nvidia/ChatQA2-Long-SFT-data/long_sft/long_sft_QA_train.json",
        files=("long_sft_QA_train.json", "*NarrativeQA_131072*.json*"),
        options=("question",),
        licence="cc-by-nc-2.0",
        licence_from="https://huggingface.co/datasets/nvidia/ChatQA2-Long-SFT-data",
        aliases=("nvidia/ChatQA2-Long-SFT-data",),
    ),
    Corpus(
        "topa",
        "text",
        "TOPA's TextVID: frames told in words, with questions",
        converter=_DOCUMENTS,
        files=("textvid.json",),
        options=("question",),
        licence_from="not where its file is, https://github.com/dhg-wei/TOPA, as far as read",
        aliases=("textvid",),
    ),
    Corpus(
        "sample",
        "text",
        "the bundled texts; no network",
        converter="t2vid.corpora.triplets",
        files=("texts.jsonl",),
        options=("columns", "question"),
        licence=samples.LICENCE,
        licence_from="in t2vid, which brings it",
        bundled=True,
    ),
    Corpus(
        "sharegemini",
        "video",
        "ShareGemini: long captions of WebVid clips",
        converter="t2vid.corpora.share_gemini",
        hub_file="hf://datasets/Share14/ShareGemini/sharegemini_webvid_core100k.json",
        files=("sharegemini_webvid_core100k.json*",),
        licence="cc-by-nc-4.0",
        licence_from="https://huggingface.co/datasets/Share14/ShareGemini",
    ),
    Corpus(
        "sample-clips",
        "video",
        "the bundled clips, in ShareGemini's form; no network",
        converter="t2vid.corpora.share_gemini",
        dataset="t2vid/sharegemini",
        config="sample",
        files=("clips.jsonl",),
        licence=samples.LICENCE,
        licence_from="in t2vid, which brings it",
        bundled=True,
    ),
    Corpus(
        "video_chatgpt",
        "video",
        "Video-ChatGPT (VideoInstruct100K): questions about ActivityNet videos",
        converter="t2vid.corpora.video_chatgpt",
        hub_file="hf://datasets/MBZUAI/VideoInstruct-100K/VideoInstruct100K.json",
        files=("VideoInstruct100K.json", "VideoInstruct_100K.json"),
        licence="cc-by-sa-4.0",
        licence_from="https://huggingface.co/datasets/MBZUAI/VideoInstruct-100K",
    ),
    Corpus(
        "rows",
        "rows",
        "your own rows of any common layout, with images and videos",
        converter=_ROWS,
        options=_ROWS_OPTIONS,
        licence_from="nowhere that t2vid knows",
    ),
    Corpus(
        "llava_video_178k",
        "rows",
        "LLaVA-Video-178K: captions, open questions and choices about videos",
        converter=_ROWS,
        files=("*_processed*.json",),
        options=_ROWS_OPTIONS,
        licence_from="not at https://huggingface.co/datasets/lmms-lab/LLaVA-Video-178K, as far as read",
        aliases=("lmms-lab/LLaVA-Video-178K",),
    ),
    Corpus(
        "sharegpt4video",
        "rows",
        "ShareGPT4Video: detailed captions of videos",
        converter=_ROWS,
        hub_file="hf://datasets/ShareGPT4Video/ShareGPT4Video/sharegpt4video_40k.jsonl",
        files=("sharegpt4video_40k.jsonl",),
        options=_ROWS_OPTIONS,
        licence="cc-by-nc-4.0",
        licence_from="https://huggingface.co/datasets/ShareGPT4Video/ShareGPT4Video",
        aliases=("ShareGPT4Video/ShareGPT4Video",),
    ),
    Corpus(
        "videochat2_it",
        "rows",
        "VideoChat2-IT: instructions about videos of many sources",
        converter=_ROWS,
        files=("video/*/*/train.json", "train.json"),
        options=_ROWS_OPTIONS,
        licence="mit",
        licence_from="https://huggingface.co/datasets/OpenGVLab/VideoChat2-IT",
        aliases=("OpenGVLab/VideoChat2-IT",),
    ),
    Corpus(
        "finevideo",
        "rows",
        "FineVideo: YouTube videos with questions, videos inside the Parquet files",
        converter=_ROWS,
        files=("data/train-*.parquet", "*.parquet"),
        options=_ROWS_OPTIONS,
        licence_from="each video has its own, see https://huggingface.co/datasets/HuggingFaceFV/finevideo",
        aliases=("HuggingFaceFV/finevideo",),
    ),
    Corpus(
        "video_r1",
        "rows",
        "Video-R1: questions about videos and images with a chain of thought",
        converter=_ROWS,
        hub_file="hf://datasets/Video-R1/Video-R1-data/Video-R1-COT-165k.json",
        # the former is a part of the latter, with the thought that is trained on
        files=("Video-R1-COT-165k.json", "Video-R1-260k.json"),
        options=_ROWS_OPTIONS,
        licence="apache-2.0",
        licence_from="https://huggingface.co/datasets/Video-R1/Video-R1-data",
        aliases=("Video-R1/Video-R1-data",),
    ),
    Corpus(
        "t2vid_synthetic",
        "text",
        "the paper's own drawn texts, as published",
        licence="apache-2.0",
        licence_from="https://huggingface.co/datasets/xjtupanda/T2Vid-Synthetic",
        aliases=("xjtupanda/T2Vid-Synthetic",),
    ),
)
