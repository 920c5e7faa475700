#!/usr/bin/env bash
# What a GPU makes of it, in at most ten minutes on one card:
#
#     benchmarks/gpu.sh                  # one card; prints Markdown for benchmarks/RESULTS.md
#     benchmarks/gpu.sh --tiny           # the same ways with toys, on any machine: nothing to measure
#
# Step time, memory, tokens/s and MFU of t2vid and of plain TRL for SmolVLM- and Qwen2.5-VL-shaped models
# with random weights of about 0.5 B and 2 B, packing, QLoRA (where bitsandbytes is installed), and whether
# decoding and collating keep up with the card.
set -euo pipefail
cd "$(dirname "$0")/.."
exec "${PYTHON:-python}" benchmarks/gpu.py "$@"
