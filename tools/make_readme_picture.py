"""Draws docs/annual-report.png: a page of the example inbox with the boxes of its record, and the record beside it.

    weft run examples/inbox -o weft-out && make_readme_picture.py weft-out

Needs Pillow and pdftoppm.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

from PIL import Image, ImageDraw, ImageFont

ROOT = pathlib.Path(__file__).resolve().parents[1]
PDF = "annual-report.pdf"
PAGE, DPI, WIDTH = 2, 110, 1500
MONO = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"


def record_of(out):
    for path in pathlib.Path(out).glob("records/*/*.json"):
        record = json.loads(path.read_text())
        if record["source"]["paths"][0].endswith(PDF):
            return record
    sys.exit(f"{out} has no record of {PDF}")


def page_image():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["pdftoppm", "-r", str(DPI), "-f", str(PAGE), "-l", str(PAGE), "-png", "-singlefile",
                        ROOT / "examples/inbox" / PDF, f"{folder}/page"], check=True)
        return Image.open(f"{folder}/page.png").convert("RGB")


def shown(record, items):
    """The part of the record that the picture shows, as it stands there."""
    lines = [f'"source": {{"sha256": "{record["source"]["sha256"][:16]}…",',
             f'           "media_type": "{record["source"]["media_type"]}", …}},', f'"status": "{record["status"]}",',
             '"content": [', "  …"]
    for item in items:
        text = json.dumps(item["text"], ensure_ascii=False)
        text = text if len(text) <= 46 else text[:45] + '…"'
        at = item["at"][0]
        box = ", ".join(f"{v:g}" for v in at["bbox"]) if "bbox" in at else ""
        lines += [f'  {{"id": "{item["id"]}", "kind": "{item["kind"]}",', f'   "text": {text},',
                  f'   "at": [{{"page": {at["page"]}, "bbox": [{box}]}}],', f'   "by": "{item["by"]}"}},']
    return lines + ["  …", "],"]


def main():
    record, page = record_of(sys.argv[1]), page_image()
    on_page = [c for c in record["content"] if c["at"] and c["at"][0].get("page") == PAGE]
    draw, scale = ImageDraw.Draw(page, "RGBA"), DPI / 72
    colours = {"text": (30, 110, 200), "table": (160, 60, 160), "image": (210, 120, 20)}
    label = ImageFont.truetype(MONO, 13)
    for item in on_page:
        colour = colours.get(item["kind"], (90, 90, 90))
        box = [v * scale for v in item["at"][0]["bbox"]]
        draw.rectangle([box[0] - 2, box[1] - 2, box[2] + 2, box[3] + 2], outline=colour + (255,), fill=colour + (24,), width=2)
        draw.text((box[0] - 2, box[1] - 3), item["id"], fill=colour + (255,), font=label, anchor="rb")
    page = page.crop((0, 0, page.width, int(page.height * 0.72)))
    sheet = Image.new("RGB", (WIDTH, page.height), (250, 250, 248))
    sheet.paste(page, (0, 0))
    font, pen = ImageFont.truetype(MONO, 14), ImageDraw.Draw(sheet)
    chosen = [c for c in on_page if c["kind"] == "text"][:4] + [c for c in on_page if c["kind"] != "text"][:2]
    chosen.sort(key=on_page.index)
    y = 24
    for line in shown(record, chosen):
        pen.text((page.width + 20, y), line, fill=(40, 40, 40), font=font)
        y += 24
    sheet.quantize(64).save(ROOT / "docs/annual-report.png", optimize=True)


if __name__ == "__main__":
    main()
