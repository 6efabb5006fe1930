#!/usr/bin/env python3
"""What transformers computes for a few short prompts, for `weft doctor -m DIR --reference REF.json`.

    python3 reference_logits.py DIR -o REF.json [--dtype float32|bfloat16] [--offload FOLDER]

DIR is a folder as Hugging Face publishes it. Needs: pip install torch transformers (and pillow for
bundles that see; accelerate with --offload). Memory: four bytes for each weight in float32 (the
default where this machine has them), two in bfloat16; a model that does not fit either way can be
run layer by layer from a folder with --offload, which takes as much room on the disk, and a while.
The file holds ids, the largest logits of the last positions, and versions: no weights, no paths.
"""
import argparse
import hashlib
import json
import os
import pathlib
import sys

TEXTS = {
    "english": "The quick brown fox jumps over the lazy dog.",
    "umlauts": "Die Rechnung Nr. 2024-0117 über 89,50 € wurde am 3. März bezahlt.",
    "numbers": '{"total": 1240.00, "currency": "EUR", "paid": true}\n',
}
QUESTION = "What is two and two?"
# The picture is made by the same rule on both sides: no file, no decoder, no doubt about pixels.
PICTURE_WIDTH, PICTURE_HEIGHT = 96, 64
TOP, ROWS = 64, 4


def picture():
    from PIL import Image
    image = Image.new("RGB", (PICTURE_WIDTH, PICTURE_HEIGHT))
    image.putdata([(x * 5 % 256, y * 7 % 256, (x + y) * 3 % 256)
                   for y in range(PICTURE_HEIGHT) for x in range(PICTURE_WIDTH)])
    return image


def machine_bytes():
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def choose_dtype(folder, wanted, offload):
    n_bytes = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    config = json.loads((folder / "config.json").read_text())
    text = config.get("text_config", config)
    stored = str(text.get("torch_dtype") or text.get("dtype") or config.get("torch_dtype") or
                 config.get("dtype") or "bfloat16")
    n_weights = n_bytes // (4 if stored.endswith("float32") else 2)
    have = machine_bytes() * 0.85
    dtype = wanted or ("float32" if n_weights * 4 < have else "bfloat16")
    need = n_weights * (4 if dtype == "float32" else 2)
    if need > have and not offload:
        sys.exit(f"{n_weights / 1e9:.1f} billion weights need {need / 1e9:.0f} GB in {dtype}, this "
                 f"machine has {have / 1e9:.0f}: --offload FOLDER runs them from the disk")
    return dtype


def rows_of(logits):
    """The largest logits of the last positions, the last one first."""
    rows = []
    for position in range(len(logits) - 1, max(len(logits) - 1 - ROWS, -1), -1):
        row = logits[position]
        top = row.topk(min(TOP, row.numel()))
        rows.append({"max_abs": row.abs().max().item(),
                     "top": [[i, v] for i, v in zip(top.indices.tolist(), top.values.tolist())]})
    return rows


def entry(name, ids, logits, **more):
    digest = hashlib.sha256(json.dumps(ids, separators=(",", ":")).encode()).hexdigest()
    return {"name": name, **more, "ids": ids, "ids_sha256": digest, "rows": rows_of(logits)}


def text_entries(model, tokenizer, run):
    for name, text in TEXTS.items():
        ids = tokenizer(text)["input_ids"]
        yield entry(name, ids, run(ids), text=text)
    if getattr(tokenizer, "chat_template", None):
        turn = tokenizer.apply_chat_template([{"role": "user", "content": QUESTION}], tokenize=False,
                                             add_generation_prompt=True)
        ids = tokenizer(turn, add_special_tokens=False)["input_ids"]
        yield entry("chat", ids, run(ids))


def exact_pixels(values, image_processor):
    """The image processor rounds to bfloat16 on its way; back to the grey levels, and in float32."""
    import torch
    mean = torch.tensor(image_processor.image_mean).view(1, 3, 1, 1)
    std = torch.tensor(image_processor.image_std).view(1, 3, 1, 1)
    levels = ((values.float() * std + mean) * 255).round().clamp(0, 255)
    return (levels / 255 - mean) / std


def image_entry(folder, config, tokenizer, run):
    from transformers import AutoImageProcessor, Llama4Processor
    image_processor = AutoImageProcessor.from_pretrained(folder)
    processor = Llama4Processor(image_processor=image_processor, tokenizer=tokenizer,
                                patch_size=config.vision_config.patch_size,
                                pixel_shuffle_ratio=config.vision_config.pixel_shuffle_ratio)
    begin = tokenizer.bos_token or ""
    inputs = processor(text=begin + "<|image|>A picture of", images=[picture()],
                       add_special_tokens=False, return_tensors="pt")
    ids = inputs["input_ids"][0].tolist()
    first = ids.index(config.boi_token_index)
    end = len(ids) - ids[::-1].index(config.eoi_token_index)
    logits = run(ids, pixel_values=exact_pixels(inputs["pixel_values"], image_processor))
    return entry("picture", ids, logits, image_first=first, image_end=end,
                 picture=[PICTURE_WIDTH, PICTURE_HEIGHT])


def open_config(folder):
    """Llama Guard 4 says by attention_chunk_size null that every layer sees all; transformers 5.23 fails there."""
    import transformers
    config = transformers.AutoConfig.from_pretrained(folder)
    text = getattr(config, "text_config", config)
    if text.model_type == "llama4_text" and text.attention_chunk_size is None:
        text.attention_chunk_size = text.max_position_embeddings
        text.layer_types = ["full_attention"] * text.num_hidden_layers
    return config


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, metavar="DIR")
    parser.add_argument("-o", "--output", required=True, type=pathlib.Path, metavar="REF.json")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"])
    parser.add_argument("--offload", metavar="FOLDER")
    arguments = parser.parse_args()
    try:
        import torch
        import transformers
    except ImportError as error:
        sys.exit(f"{error}: pip install torch transformers pillow")
    dtype = choose_dtype(arguments.folder, arguments.dtype, arguments.offload)
    config = open_config(arguments.folder)
    sees = getattr(config, "vision_config", None) is not None
    cls = transformers.AutoModelForImageTextToText if sees else transformers.AutoModelForCausalLM
    more = {"device_map": "auto", "offload_folder": arguments.offload} if arguments.offload else {}
    model = cls.from_pretrained(arguments.folder, config=config, dtype=getattr(torch, dtype),
                                attn_implementation="eager", **more).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(arguments.folder)

    def run(ids, **inputs):
        inputs = {key: value.to(model.device, getattr(torch, dtype)) for key, value in inputs.items()}
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids], device=model.device), **inputs).logits
        return logits[0].float().cpu()

    prompts = list(text_entries(model, tokenizer, run))
    if sees:
        try:
            prompts.append(image_entry(arguments.folder, config, tokenizer, run))
        except (ImportError, OSError, ValueError) as error:
            print(f"without a picture: {error}", file=sys.stderr)
    reference = {"weft_reference": 1, "made_by": f"transformers {transformers.__version__}",
                 "torch": torch.__version__, "dtype": dtype, "model_type": config.model_type,
                 "prompts": prompts}
    arguments.output.write_text(json.dumps(reference, indent=None) + "\n", encoding="utf-8")
    print(f"{arguments.output}: {len(prompts)} prompts in {dtype}; now\n"
          f"weft doctor -m {arguments.folder} --reference {arguments.output}")


if __name__ == "__main__":
    main()
