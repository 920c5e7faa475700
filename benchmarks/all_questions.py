"""Every question of the paper's files, from builder to report, killed once and resumed.

    python benchmarks/all_questions.py --data ../shared/data/benchmarks --out evaluation

Real questions (mvbench.jsonl 3,985, TempCompass.jsonl 1,580), generated clips at the paths that
they name (h264, VP8, MPEG-4, folders of JPEG), a tiny Idefics3 trained for a moment to answer
with a letter, a tiny random Llama as judge. The scores are near chance; what is measured is that no
question is lost, asked twice or untraceable.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

N_CLIPS = 24  # distinct clips of each kind; the 4,082 paths are links to them
SUFFIX_CODECS = {".mp4": "libx264", ".webm": "libvpx", ".avi": "mpeg4"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "benchmarks")
    parser.add_argument("--out", type=Path, default=Path("evaluation-bench"))
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--limit", type=int, help="first questions of each benchmark only")
    parser.add_argument("--kill-at", type=float, default=0.4, help="share answered at the kill")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        answer_all(options)
    else:
        start_kill_resume(options)


def start_kill_resume(options: argparse.Namespace) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    n_videos = make_videos(options.data, options.out / "videos")
    make_model(options.data, options.out / "model")
    command = [sys.executable, __file__, *sys.argv[1:], "--child"]
    n = sum(len(lines(path)) for path in question_files(options.data))
    n = min(n, 2 * options.limit) if options.limit else n
    answers = options.out / "run" / "answers.jsonl"
    child = subprocess.Popen(command)
    while child.poll() is None and len(lines(answers)) < options.kill_at * n:
        time.sleep(0.05)
    killed = child.poll() is None
    if killed:
        child.send_signal(signal.SIGKILL)
        child.wait()
    before = [json.loads(line)["id"] for line in lines(answers)]
    torn = answers.read_bytes().rpartition(b"\n")[2]
    subprocess.run(command, check=True)
    after = [json.loads(line) for line in lines(answers)]
    check(options.out / "run", [line["id"] for line in after], before, n)
    cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{n:,} questions, {n_videos:,} video paths; killed -9: {killed}, with {len(before):,} "
        f"answers on disk ({len(torn)} torn bytes); resumed: {n - len(before):,} asked, none twice; "
        f"{cpu.ru_utime + cpu.ru_stime:.0f} CPU seconds, peak {cpu.ru_maxrss / 1024:.0f} MB"
    )


def answer_all(options: argparse.Namespace) -> None:
    import torch
    from datasets import concatenate_datasets, load_dataset

    import t2vid
    from t2vid.corpora.counting import read_counts
    from t2vid.evaluation.config import EvalConfig
    from t2vid.pages.scores import report

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    mvbench, tempcompass = question_files(options.data)
    parts = []
    for name, path in (("mvbench", mvbench), ("tempcompass", tempcompass)):
        rows = load_dataset(
            f"t2vid/{name}",
            data_files=str(path),
            video_dir=str((options.out / "videos").resolve()),
            split="test",
        )
        print(f"t2vid/{name}: {read_counts(rows)}")
        parts.append(rows.select(range(min(options.limit or len(rows), len(rows)))))
    protocol = EvalConfig(frames=options.frames, max_new_tokens=6)
    run = t2vid.evaluate(
        str(options.out / "model"),
        concatenate_datasets(parts),
        protocol,
        out=options.out / "run",
        batch_size=options.batch_size,
        judge=tiny_judge(options.data),
        name="tiny",
    )
    report([run], format="html", out=options.out / "report.html")
    report([run], as_="paper", format="html", out=options.out / "paper.html")
    text = report([run])
    print("\n".join(line for line in text.splitlines()[:14]))


def make_model(data: Path, folder: Path, *, steps: int = 60) -> None:
    """Save a tiny Idefics3 that has learned to answer with a letter, and nothing else."""
    if (folder / "config.json").exists():
        return
    import torch

    from t2vid.models.rows import RowEncoder
    from t2vid.models.tiny import tiny_idefics3

    rows = [json.loads(line) for path in question_files(data) for line in lines(path)]
    rows = [rows[at] for at in range(0, len(rows), max(1, len(rows) // (8 * steps)))]
    model, processor = tiny_idefics3([row["prompt"] for row in rows])
    encode = RowEncoder(processor, family="idefics3")
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    model.train()
    for place, row in enumerate(rows[: 8 * steps]):
        turns = {"prompt": row["prompt"], "completion": row["GT"]}
        encoded = encode(turns)
        ids = torch.from_numpy(encoded.ids)[None]
        labels = ids.masked_fill(~torch.from_numpy(encoded.in_loss)[None], -100)
        (model(input_ids=ids, labels=labels).loss / 8).backward()
        if place % 8 == 7:
            optimizer.step()
            optimizer.zero_grad()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def tiny_judge(data: Path) -> Any:
    """Give a tiny random Llama that compares the letters in one forward pass."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from t2vid.models.tiny import tiny_llama_config, train_tokenizer
    from t2vid.scoring.backends import TransformersJudge
    from t2vid.scoring.prompt import PROMPT

    tokenizer = train_tokenizer([PROMPT, *lines(question_files(data)[0])[:500]])
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(**tiny_llama_config(tokenizer, hidden=64, layers=2)))
    return TransformersJudge(model, tokenizer, margin=0.0, name="tiny-random-judge")


def check(run: Path, after: list[str], before: list[str], n: int) -> None:
    """Every figure of the report can be traced to a row, and every question has exactly one."""
    scores = json.loads((run / "scores.json").read_text())
    judged = [json.loads(line) for line in lines(run / "judged.jsonl")]
    assert len(after) == len(set(after)) == len(judged) == scores["n"] == n, (len(after), n)
    assert after[: len(before)] == before
    assert round(scores["accuracy"] * n) == sum(line["correct"] for line in judged)
    for source, part in scores["by_source"].items():
        for category, group in part["by_category"].items():
            rows = [x for x in judged if (x["source"], x["category"]) == (source, category)]
            assert group["n"] == len(rows)
            assert round(group["accuracy"] * len(rows)) == sum(x["correct"] for x in rows)
    for rule, count in scores["decided_by"].items():
        assert count == sum(line["rule"] == rule for line in judged)
    assert scores["errors"] == 0, scores["errors"]
    print(
        f"accuracy {100 * scores['accuracy']:.1f} % of {n:,}, Wilson "
        f"{[round(100 * x, 1) for x in scores['wilson']]}, by video "
        f"{[round(100 * x, 1) for x in scores['bootstrap']]} over {scores['clusters']:,} videos; "
        f"decided by {scores['decided_by']}; judge errors {scores['judge_errors']}"
    )


def make_videos(data: Path, folder: Path) -> int:
    """Put a clip at every path that a question names."""
    from PIL import Image

    from media import make_clip, picture

    kept: dict[tuple[str, int], Path] = {}
    clips = folder.parent / "clips"
    clips.mkdir(exist_ok=True)
    names = {json.loads(line)["video"] for path in question_files(data) for line in lines(path)}
    for place, name in enumerate(sorted(names)):
        target = folder / name
        if target.exists():
            continue
        suffix, k = target.suffix if target.suffix in SUFFIX_CODECS else "", place % N_CLIPS
        source = kept.setdefault((suffix, k), clips / f"{k}{suffix}")
        if not source.exists() and suffix:
            make_clip(source, seconds=1.5 + k / 6, fps=8, codec=SUFFIX_CODECS[suffix])
        elif not source.exists():
            source.mkdir()
            for number in range(6 + k):
                frame = Image.fromarray(picture(number))
                frame.save(source / f"{number + 1:05d}.jpg", quality=90)
        target.parent.mkdir(parents=True, exist_ok=True)
        if suffix:
            os.link(source, target)
        else:
            target.symlink_to(source.resolve(), target_is_directory=True)
    return len(names)


def question_files(data: Path) -> tuple[Path, Path]:
    return data / "mvbench.jsonl", data / "TempCompass.jsonl"


def lines(path: Path) -> list[str]:
    """Give the whole lines of a file that may still grow."""
    text = path.read_bytes() if path.exists() else b""
    return [line.decode() for line in text.split(b"\n")[:-1]]


if __name__ == "__main__":
    main()
