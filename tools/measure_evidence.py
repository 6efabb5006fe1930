#!/usr/bin/env python3
"""How often the place that a record gives for a value is where the value stands.

    tools/measure_evidence.py [--weft build/cli/weft] [--bundle default] [-n 24] [--keep FOLDER] [--free | --look | --layer]

Makes invoices in four languages, in PDF and as pictures of their pages, draws every word itself and so knows its
box. What the model would say is forced: numbers, days and names are constants of a schema made for each
document, verbatim strings have a pattern that only the empty string and one text fit. So what is measured is
the way from a value to its place, and no model. Rows repeat each other's names and prices on purpose. One name
goes on in the next line, so it has two boxes, which are a row of their own. A place counts when its boxes and
the true ones share more than half of what they cover together (IoU); for values of
which the schema does not say which occurrence is meant, the truth is the one that the invoice means.
With --free texts are constants that need not stand in the document (matched). With --look nothing is read: the
bundle sees the pages, chooses between the true value and its reverse, and what counts is where it looked
(pointed); that measures the bundle, too. Prints a table by kind of evidence and by what it rests on. With
--layer the pictures, as JPEG, have a text layer in which every third amount and text has another first letter or
digit; what counts is what the record says of the two. Needs reportlab, Pillow, pdftoppm, Tesseract.
"""
import argparse
import collections
import datetime
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen import canvas

FONT, SIZE = "Helvetica", 11
WORDS = {
    "en": dict(title="Invoice No.", date="Date of issue", due="Payment due", net="Net total", sum="Amount payable",
               handed="Packed, sealed and handed over in good order to the carrier",
               months="January February March April May June July August September October November December"),
    "de": dict(title="Rechnung Nr.", date="Rechnungsdatum", due="Zahlbar bis", net="Netto", sum="Gesamtbetrag",
               handed="Verpackt, versiegelt und unversehrt übergeben an die Spedition",
               months="Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
    "fr": dict(title="Facture n°", date="Date d'émission", due="Échéance", net="Total HT", sum="Total à payer",
               handed="Emballé, scellé et remis en bon état au transporteur, la maison",
               months="janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
    "es": dict(title="Factura n.º", date="Fecha de emisión", due="Vencimiento", net="Base imponible",
               sum="Importe total", handed="Embalado, precintado y entregado en buen estado a la agencia",
               months="enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
}
NAMES = ["Harbour Works", "Müller & Söhne", "Café du Port", "Talleres Peña", "Nordlicht Ltd", "Oak and Iron"]
THINGS = ["rope", "anchor chain", "deck paint", "oil filter", "signal lamp", "rope ladder"]


def money(language, value):
    text = f"{value:,.2f}"
    if language == "en":
        return text
    swapped = text.replace(",", "_").replace(".", ",")
    return swapped.replace("_", " " if language == "fr" else ".")


def day(language, value, short):
    month = WORDS[language]["months"].split()[value.month - 1]
    if short:
        return value.strftime("%m/%d/%Y" if language == "en" else "%d.%m.%Y" if language == "de" else "%d/%m/%Y")
    if language == "en":
        return f"{month} {value.day}, {value.year}"
    if language == "de":
        return f"{value.day}. {month} {value.year}"
    return f"{value.day} de {month} de {value.year}" if language == "es" else f"{value.day} {month} {value.year}"


class Page:
    """One page; what is drawn says where it lies, from the top left."""

    def __init__(self, path):
        self.canvas = canvas.Canvas(str(path), pagesize=A4, invariant=1)
        self.canvas.setFont(FONT, SIZE)
        self.height = A4[1]
        self.drawn = []

    def text(self, x, y, text):
        self.canvas.drawString(x, self.height - y, text)
        self.drawn.append((x, y, text))
        ascent, descent = pdfmetrics.getAscentDescent(FONT, SIZE)
        return [x, y - ascent, x + pdfmetrics.stringWidth(text, FONT, SIZE), y - descent]

    def save(self):
        self.canvas.save()


def invoice(path, language, dice):
    """Draws one; what was drawn, and its values as (pointer, value, is verbatim, true boxes: one for each line)."""
    words, page, truth = WORDS[language], Page(path), []
    number, name = f"{dice.choice('RSF')}{dice.choice('ENT')}-{dice.randint(1000, 9999)}", dice.choice(NAMES)
    issued = datetime.date(2024, 1, 1) + datetime.timedelta(dice.randint(0, 700))
    due = issued + datetime.timedelta(30)
    width = pdfmetrics.stringWidth(words["title"] + " ", FONT, SIZE)
    page.text(60, 60, words["title"])
    truth.append(("/number", number, True, page.text(60 + width, 60, number)))
    truth.append(("/seller", name, True, page.text(60, 80, name)))
    page.text(60, 110, words["date"])
    truth.append(("/issued", issued.isoformat(), False, page.text(220, 110, day(language, issued, False))))
    page.text(60, 130, words["due"])
    # One day that leaves no doubt about the order, where days in digits are written.
    truth.append(("/due", due.isoformat(), False, page.text(220, 130, day(language, due, due.day > 12))))
    total, y = 0, 170
    for i in range(dice.randint(2, 8)):
        thing, n, price = dice.choice(THINGS), dice.randint(1, 4), dice.randint(100, 200000) / 100
        total += round(n * price * 100)
        truth.append((f"/lines/{i}/thing", thing, True, page.text(60, y, thing)))
        truth.append((f"/lines/{i}/n", n, False, page.text(260, y, str(n))))
        truth.append((f"/lines/{i}/price", price, False, page.text(330, y, money(language, price))))
        truth.append((f"/lines/{i}/total", round(n * price, 2), False,
                      page.text(450, y, money(language, n * price))))
        y += 20
    page.text(60, y + 20, words["net"])
    truth.append(("/net", total / 100, False, page.text(450, y + 20, money(language, total / 100))))
    page.text(60, y + 40, words["sum"])
    truth.append(("/sum", round(total * 1.2) / 100, False,
                  page.text(450, y + 40, money(language, round(total * 1.2) / 100))))
    name = dice.choice([other for other in NAMES if other != name])
    begin, rest = name.rsplit(" ", 1)
    width = pdfmetrics.stringWidth(words["handed"] + " ", FONT, SIZE)
    page.text(60, y + 80, words["handed"])
    ends = page.text(60 + width, y + 80, begin)
    truth.append(("/carrier", name, True, [*ends, *page.text(60, y + 94, rest)]))
    page.text(60 + pdfmetrics.stringWidth(rest + " ", FONT, SIZE), y + 94, "(CMR 7).")
    page.save()
    return page.drawn, [(pointer, value, is_verbatim, [box[i:i + 4] for i in range(0, len(box), 4)])
                        for pointer, value, is_verbatim, box in truth]


def shuffled(truth, dice):
    """The same values with the keys of each object in another order."""
    order = {}
    for pointer, *_ in truth:
        order.setdefault(re.sub(r"/\d+/", "/*/", pointer), dice.random())
    rows = collections.defaultdict(list)
    for entry in truth:
        rows[entry[0].rsplit("/", 1)[0]].append(entry)
    return [entry for row in rows.values()
            for entry in sorted(row, key=lambda entry: order[re.sub(r"/\d+/", "/*/", entry[0])])]


def leaf_of(value, is_verbatim, options):
    if options.look:
        return {"enum": sorted([str(value), str(value)[::-1] + "?"])}
    if not is_verbatim or options.free:
        return {"const": value}
    pattern = re.escape(value).replace("\\ ", " ").replace("\\&", "&").replace("\\-", "-")
    return {"type": "string", "pattern": f"^({pattern})?$", "x-weft-verbatim": True}


def schema_of(truth, options):
    """What forces these values."""
    root = {"type": "object", "properties": {}, "required": []}
    for pointer, value, is_verbatim, _ in truth:
        at = root
        parts = pointer[1:].split("/")
        for i, part in enumerate(parts[:-1]):
            if part.isdigit():
                while len(at["prefixItems"]) <= int(part):
                    at["prefixItems"].append({"type": "object", "properties": {}, "required": []})
                    at["minItems"] = at["maxItems"] = len(at["prefixItems"])
                at = at["prefixItems"][int(part)]
            else:
                if part not in at["properties"]:
                    at["properties"][part] = {"type": "array", "prefixItems": [], "items": False}
                    at["required"].append(part)
                at = at["properties"][part]
        at["properties"][parts[-1]] = leaf_of(value, is_verbatim, options)
        at["required"].append(parts[-1])
    return root


def area(box):
    return max(box[2] - box[0], 0) * max(box[3] - box[1], 0)


def overlap(found, true):
    """What two lists of boxes share of what they cover together; none of a list covers another of it."""
    shared = 0
    for a in found:
        for b in true:
            common = [max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])]
            shared += area(common) if common[0] < common[2] and common[1] < common[3] else 0
    return shared / max(sum(map(area, found)) + sum(map(area, true)) - shared, 1e-9)


def boxes_of(evidence):
    """Of all items that the value stands in, of each line."""
    return [box for one in evidence if "at" in one
            for box in one.get("boxes") or [one["at"][0].get("bbox", [0] * 4)]]


def as_picture(path):
    """A PDF of nothing but a picture of the page."""
    stem = path.with_suffix("")
    subprocess.run(["pdftoppm", "-r", "150", "-png", "-singlefile", path, stem], check=True)
    scan = path.with_name(path.stem + "-scan.pdf")
    sheet = canvas.Canvas(str(scan), pagesize=A4, invariant=1)
    sheet.drawImage(ImageReader(f"{stem}.png"), 0, 0, *A4)
    sheet.save()
    return scan


def other(text):
    """Another first letter or digit."""
    return (str((int(text[0]) + 2) % 9 + 1) if text[0].isdigit() else chr((ord(text[0]) - 62) % 26 + 65)) + text[1:]


def layered(path, drawn, truth):
    """The picture with a layer over it; the values as the layer has them, and which of them are wrong."""
    scan, said, wrong = path.with_name(path.stem + "-layer.pdf"), dict(enumerate(drawn)), set()
    shown = Image.open(path.with_suffix(".png")).convert("L")
    shown.save(path.with_suffix(".jpg"), quality=60)
    for i, (pointer, value, is_verbatim, boxes) in enumerate(truth):
        places = [n for n, (x, y, text) in said.items() if x == boxes[0][0] and abs(y - boxes[0][1]) < SIZE]
        if i % 3 or len(boxes) > 1 or pointer in ("/issued", "/due"):
            continue
        for n in places:
            said[n] = (*said[n][:2], other(said[n][2]))
        new = other(str(value))
        truth[i] = (pointer, new if isinstance(value, str) else type(value)(new), is_verbatim, boxes)
        wrong.add(pointer)
    sheet = canvas.Canvas(str(scan), pagesize=A4, invariant=1)
    sheet.drawImage(str(path.with_suffix(".jpg")), 0, 0, *A4)
    for x, y, text in said.values():
        line = sheet.beginText(x, A4[1] - y)
        line.setFont(FONT, SIZE)
        line.setTextRenderMode(3)
        line.textOut(text)
        sheet.drawText(line)
    sheet.save()
    return scan, wrong


def at_pointer(value, pointer):
    for part in pointer[1:].split("/"):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def outspoken(bundle, folder):
    """The bundle, saying whatever it comes to: what it is not sure of is withheld otherwise."""
    copy = folder / "bundle"
    copy.mkdir(exist_ok=True)
    for file in pathlib.Path(bundle).iterdir():
        if file.is_file() and file.name != "config.json":
            (copy / file.name).unlink(missing_ok=True)
            (copy / file.name).symlink_to(file.resolve())
    config = json.loads((pathlib.Path(bundle) / "config.json").read_text())
    config.pop("weft", None)
    (copy / "config.json").write_text(json.dumps(config))
    return copy


def answered(options, folder, path, truth):
    """Its record."""
    schema, out = folder / "schema.json", folder / f"out-{path.stem}"
    schema.write_text(json.dumps(schema_of(truth, options)))
    task, more = "extract", []
    if options.look:
        task, more = folder / "look.task", ["--reader", "none"]
        task.write_text("[task]\nsummary=Look\nprompt=The values of the page.\nschema=@schema.json\npictures=all\n")
    else:
        more = ["-s", schema]
    done = subprocess.run([options.weft, "run", "-m", options.bundle, "-t", task, *more, "-o", out, "--temperature",
                           "1", "--seed", str(len(truth)), path], capture_output=True, text=True)
    records = [json.loads(file.read_text()) for file in out.glob("records/*/*.json")]
    if len(records) != 1 or records[0]["answer"] is None:
        sys.exit(f"{path}: {done.stderr}")
    return records[0]


def run(options, folder, path, truth, counts):
    record = answered(options, folder, path, truth)
    for pointer, value, _, boxes in truth:
        if at_pointer(record["answer"], pointer) in ("", None):
            continue  # the random choice between the text and nothing
        evidence = record["provenance"][pointer]
        key = evidence[0]["kind"], evidence[0].get("rests_on", "-"), len(boxes)
        is_met = overlap(boxes_of(evidence), boxes) > 0.5
        counts[key]["n"] += 1
        counts[key]["met"] += is_met
        if options.verbose and not is_met:
            print(path.name, pointer, value, json.dumps(evidence)[:300], [[round(x) for x in box] for box in boxes])


def run_layered(options, folder, path, drawn, truth, counts):
    as_picture(path)
    scan, wrong = layered(path, drawn, truth)
    record = answered(options, folder, scan, truth)
    contradicted = {check["of"][0] for check in record["checks"] if check["kind"] == "disagreement"}
    for pointer, value, _, boxes in truth:
        evidence = record["provenance"].get(pointer, [{}])
        if overlap(boxes_of(evidence), boxes) <= 0.5:
            continue  # "", or the same text at another place
        said = "disagreement" if pointer in contradicted else \
            "confirmed" if evidence[0].get("confirmed") else "not read"
        counts["another text" if pointer in wrong else "what the page shows"][said] += 1
        if options.verbose and said != ("disagreement" if pointer in wrong else "confirmed"):
            print(scan.name, pointer, value, evidence[0].get("quote"), evidence[0].get("read"))


def print_layered(counts):
    print("| the layer says | values | confirmed | disagreement | not read |\n| --- | --- | --- | --- | --- |")
    for says, count in sorted(counts.items()):
        print(f"| {says} | {count.total()} | {count['confirmed']} | {count['disagreement']} | {count['not read']} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weft", default="build/cli/weft")
    parser.add_argument("--bundle", default="default")
    parser.add_argument("-n", type=int, default=24)
    parser.add_argument("--keep", help="folder for the documents and records")
    parser.add_argument("--free", action="store_true", help="texts need not stand in the document")
    parser.add_argument("--look", action="store_true", help="pages are seen and not read: where the bundle looks")
    parser.add_argument("--layer", action="store_true", help="scans with a text layer that is partly wrong")
    parser.add_argument("--shuffle", action="store_true", help="keys of the schema in no order of the text")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every value whose place is missed")
    options = parser.parse_args()
    counts = collections.defaultdict(collections.Counter)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(options.keep or temporary)
        folder.mkdir(exist_ok=True, parents=True)
        options.bundle = outspoken(options.bundle, folder)
        for i in range(options.n):
            language = sorted(WORDS)[i % len(WORDS)]
            path = folder / f"{i:03}-{language}.pdf"
            drawn, truth = invoice(path, language, random.Random(i))
            if options.shuffle:
                truth = shuffled(truth, random.Random(-i))
            if options.layer:
                run_layered(options, folder, path, drawn, truth, counts)
                continue
            if not options.look:
                run(options, folder, path, truth, counts)
            run(options, folder, as_picture(path), truth, counts)
    if options.layer:
        print_layered(counts)
        return
    print("| evidence | rests on | lines | values | box meets the truth |\n| --- | --- | --- | --- | --- |")
    for (kind, rests_on, n_lines), count in sorted(counts.items()):
        print(f"| {kind} | {rests_on} | {n_lines} | {count['n']} | {100 * count['met'] / count['n']:.1f} % |")


if __name__ == "__main__":
    main()
