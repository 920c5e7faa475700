"""Compare `t2vid convert` with renaming a whole state dict: CPU time, peak memory.

python benchmarks/convert.py --layers 8 --shards 4 --rounds 3

The checkpoint has Mini-InternVL-Chat-4B-V1-5's shapes in bfloat16, with so many of Phi-3's 32
layers (32 need 17 GB of disk). The peer reads every shard, renames with the same table, loads the
result into the native model and saves that, as transformers' own scripts do. Each way runs in a
process of its own; memory is what a process has beyond one that only imports.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from published_internvl import published_config

CLIENT = """
import json, sys, time
from pathlib import Path
import torch
from safetensors.torch import load_file
from transformers import InternVLForConditionalGeneration
from t2vid.models.convert import convert
from t2vid.models.internvl import native_config, to_native
way, source, out = sys.argv[1:]
torch.set_num_threads(1)
def peak_gb():
    # not getrusage: a child inherits the peak of its parent
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1e6
before = peak_gb()
start = time.process_time()
if way == "t2vid convert":
    convert(source, out=out)
else:
    state = {}
    for shard in sorted(Path(source).glob("*.safetensors")):
        state |= load_file(shard)
    config = native_config(json.loads((Path(source) / "config.json").read_text()), image_token_id=9)
    with torch.device("meta"):
        model = InternVLForConditionalGeneration(config)
    named = dict(pair for name, tensor in state.items() for pair in to_native(name, tensor))
    model.load_state_dict(named, assign=True)
    model.to(torch.bfloat16).save_pretrained(out)
cpu_s = time.process_time() - start
print(json.dumps([cpu_s, peak_gb() - before]))
"""
WAYS = ("whole state dict", "t2vid convert")


def write_source(folder: Path, *, layers: int, shards: int) -> float:
    """Write the checkpoint; gives its size in GB."""
    import torch
    from safetensors.torch import save_file

    from t2vid.models.convert import native_shapes
    from t2vid.models.internvl import native_config, published_name
    from t2vid.models.tiny_internvl import tiny_internvl

    tokenizer = tiny_internvl(["What colour moves?"])[1].tokenizer
    folder.mkdir()
    tokenizer.save_pretrained(folder)
    config = full_size(published_config(32020), layers=layers)
    (folder / "config.json").write_text(json.dumps(config))
    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in native_shapes(native_config(config, image_token_id=9)).items():
        old = str(published_name(name))
        shapes[old] = (shape[0] * 3, *shape[1:]) if ".attn.qkv." in old else shape
    names, size, index = sorted(shapes), 0.0, {}
    for i in range(shards):
        part = names[i::shards]
        tensors = {name: torch.randn(shapes[name]).to(torch.bfloat16) for name in part}
        file = f"model-{i + 1:05d}-of-{shards:05d}.safetensors"
        save_file(tensors, folder / file)
        index |= dict.fromkeys(part, file)
        size += (folder / file).stat().st_size / 1e9
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    return size


def full_size(config: dict, *, layers: int) -> dict:
    """Give the published numbers to a published config."""
    vision = {"hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16}
    text = {"hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": layers}
    text |= {"num_attention_heads": 32, "num_key_value_heads": 32}
    text |= {"max_position_embeddings": 131072, "original_max_position_embeddings": 4096}
    text["rope_scaling"] = {"type": "su", "short_factor": [1.0] * 48, "long_factor": [2.0] * 48}
    config["force_image_size"] = 448
    config["vision_config"] |= {**vision, "image_size": 448, "num_hidden_layers": 24}
    config["llm_config"] |= {**text, "torch_dtype": "bfloat16"}
    return {**config, "torch_dtype": "bfloat16"}


def main() -> None:
    """Print CPU time and peak memory of both ways."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--layers", type=int, default=8, help="of Phi-3's 32")
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "published"
        size = write_source(source, layers=options.layers, shards=options.shards)
        runs: dict[str, list[list[float]]] = {way: [] for way in WAYS}
        for _ in range(options.rounds):
            for way in WAYS:
                with tempfile.TemporaryDirectory(dir=folder) as out:
                    command = [sys.executable, "-c", CLIENT, way, str(source), f"{out}/native"]
                    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                    runs[way].append(json.loads(done.stdout.splitlines()[-1]))
    cpu, memory = ({w: median(r[i] for r in runs[w]) for w in WAYS} for i in (0, 1))
    print(f"| {size:.1f} GB in {options.shards} shards | CPU s | ratio | peak memory, GB |")
    print("|---|---|---|---|")
    for way in WAYS:
        print(f"| {way} | {cpu[way]:.1f} | {cpu[way] / cpu[WAYS[0]]:.2f} | {memory[way]:.2f} |")


if __name__ == "__main__":
    main()
