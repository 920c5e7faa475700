"""The claim in miniature: pretrain the mini image-LLM, run the arms of the paper's tables, report.

python benchmarks/miniature.py pretrain --out build/mini
"""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    """Run one stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    stages = parser.add_subparsers(dest="stage", required=True)
    base = stages.add_parser("pretrain", help="train the mini image-LLM from nothing")
    base.add_argument("--out", type=Path, default=Path("build/mini"))
    base.add_argument("--steps", type=int, help="training steps in all")
    base.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.stage == "pretrain":
        _pretrain(arguments.out, arguments.steps, arguments.seed)


def _pretrain(out: Path, steps: int | None, seed: int) -> None:
    import dataclasses

    import torch

    from t2vid.miniature.pretrain import Plan, pretrain

    torch.set_num_threads(1)
    plan = Plan(seed=seed)
    if steps is not None:
        text = plan.text_steps * steps // plan.steps
        plan = dataclasses.replace(plan, text_steps=text, joint_steps=steps - text)
    pretrain(out, plan)


if __name__ == "__main__":
    main()
