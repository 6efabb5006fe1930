"""Pages with coloured plates, each with a number on it whose digits are all the same; the box of each is known.

What is printed is pale and stands beside a black bar, so that whoever looks at the whole page for black on
white (Tesseract) finds nothing; a plate alone is plain to read. Crop boxes and rotation are what the caller
says, and the boxes of plates are told from the top left of the page as it is shown.
"""
import json
import subprocess

import e2e

NUMBERS = ("1111", "2222", "4444", "8888")
COLOURS = {"red": ((1, .86, .86), (.95, .6, .6)), "green": ((.84, .96, .84), (.55, .78, .55)),
           "blue": ((.86, .88, 1), (.62, .64, .95))}
GREY = ((.9, .9, .9), (.68, .68, .68))  # nobody asks for these
SIZES = {"portrait": (595, 842), "landscape": (842, 595), "square": (640, 640)}
BAR = 64.0       # points
WIDTHS, HEIGHTS = (165, 205), (92, 118)
# Digits are strokes, so that no font has a say: operators in a box of 1 x 1.
STROKES = {
    "1": ".1 .75 m .55 1 l .55 0 l S",
    "2": ".05 .72 m .05 1.08 .95 1.08 .95 .72 c .95 .5 .05 .25 .05 0 c 1 0 l S",
    "4": ".72 0 m .72 1 l 0 .3 l 1 .3 l S",
    "8": ".5 .53 m -.05 .53 -.05 1 .5 1 c 1.05 1 1.05 .53 .5 .53 c 1.2 .53 1.2 0 .5 0 c -.2 0 -.2 .53 .5 .53 c s",
}
PICTURE_DPI = 100
DIGIT, PITCH, CAP, LINE = 22.0, 34.0, 42.0, 8.0


def scaled(strokes):
    """The strokes of a digit in points; a scale of the page's own would make lines wider than high."""
    numbers, out = [], []
    for word in strokes.split():
        if word.isalpha():
            out += [f"{n * (DIGIT, CAP)[i % 2]:.2f}" for i, n in enumerate(numbers)] + [word]
            numbers = []
        else:
            numbers.append(float(word))
    return " ".join(out)


class Sheet:
    """One page: its size in points, and its plates as (name or None, number, [x0, y0, x1, y1] from the top left)."""

    def __init__(self, dice, size, names, n_grey=1):
        self.width, self.height = size
        self.is_bar_above = dice.random() < .5
        self.plates = []
        wanted = list(names) + [None] * n_grey
        dice.shuffle(wanted)
        while len(self.plates) < len(wanted):
            if not self.place(dice, wanted[len(self.plates)]):
                self.plates = []

    def place(self, dice, name):
        """Somewhere where no other is."""
        for _ in range(100):
            width, height = dice.uniform(*WIDTHS), dice.uniform(*HEIGHTS)
            x, y = dice.uniform(6, self.width - width - 6), dice.uniform(BAR + 6, self.height - height - BAR - 6)
            box = [x, y, x + width, y + height]
            if all(box[0] > other[2] + 8 or other[0] > box[2] + 8 or box[1] > other[3] + 8 or other[1] > box[3] + 8
                   for _, _, other in self.plates):
                self.plates.append((name, dice.choice(NUMBERS), box))
                return True
        return False

    def box(self, name):
        return next((box for known, _, box in self.plates if known == name), None)

    def number(self, name):
        return next((number for known, number, _ in self.plates if known == name), None)

    def drawing(self):
        """As operators of PDF, y upwards from the lower edge."""
        top = self.height - BAR if self.is_bar_above else 0
        lines = [f"0 0 0 rg 0 {top:.2f} {self.width} {BAR} re f"]
        for name, number, (x0, y0, x1, y1) in self.plates:
            plate, ink = COLOURS.get(name, GREY)
            left = (x0 + x1 - PITCH * (len(number) - 1) - DIGIT) / 2
            base = self.height - (y0 + y1 + CAP) / 2
            lines.append("%.3f %.3f %.3f rg " % plate +
                         f"{x0:.2f} {self.height - y1:.2f} {x1 - x0:.2f} {y1 - y0:.2f} re f")
            lines.append("%.3f %.3f %.3f RG 1 J 1 j" % ink)
            for i, digit in enumerate(number):
                lines.append(f"q 1 0 0 1 {left + i * PITCH:.2f} {base:.2f} cm {LINE} w " + scaled(STROKES[digit]) + " Q")
        return "\n".join(lines)


def matrix(sheet, rotation):
    """From the upright page to the page as it lies in the file, which the viewer turns clockwise."""
    w, h = sheet.width, sheet.height
    return {0: (1, 0, 0, 1, 0, 0), 90: (0, 1, -1, 0, h, 0), 180: (-1, 0, 0, -1, w, h),
            270: (0, -1, 1, 0, 0, w)}[rotation]


def pdf(path, sheets, rotation=0, crop=(0, 0, 0, 0)):
    """crop: how many points of the file's page lie outside of the crop box left, below, right and above."""
    objects, pages = [b"<< /Type /Catalog /Pages 2 0 R >>", None], []
    for sheet in sheets:
        size = (sheet.width, sheet.height) if rotation % 180 == 0 else (sheet.height, sheet.width)
        media = (0, 0, size[0] + crop[0] + crop[2], size[1] + crop[1] + crop[3])
        shown = (crop[0], crop[1], crop[0] + size[0], crop[1] + size[1])
        drawing = (f"1 0 0 1 {crop[0]} {crop[1]} cm\n%s cm\n" % " ".join(map(str, matrix(sheet, rotation))) +
                   sheet.drawing()).encode()
        pages.append(len(objects) + 1)
        objects.append(("<< /Type /Page /Parent 2 0 R /MediaBox [%s] /CropBox [%s] /Rotate %d /Contents %d 0 R "
                        "/Resources << >> >>" % (" ".join(map(str, media)), " ".join(map(str, shown)), rotation,
                                                 len(objects) + 2)).encode())
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing))
    objects[1] = ("<< /Type /Pages /Kids [%s] /Count %d >>" % (" ".join(f"{n} 0 R" for n in pages),
                                                              len(pages))).encode()
    path.write_bytes(e2e.assemble_pdf(objects))


# ---- documents: path without its ending and dice to path, sheets, units for a point ----

def pages(layout, **how):
    def draw(path, dice):
        sheets = [Sheet(dice, SIZES[layout], COLOURS)]
        pdf(path.with_suffix(".pdf"), sheets, **how)
        return path.with_suffix(".pdf"), sheets, 1
    return draw


def two_pages(path, dice):
    names = list(COLOURS)
    dice.shuffle(names)
    sheets = [Sheet(dice, SIZES["portrait"], part, 1) for part in (names[:1], names[1:])]
    pdf(path.with_suffix(".pdf"), sheets)
    return path.with_suffix(".pdf"), sheets, 1


def picture(path, dice):
    drawn, sheets, _ = pages("landscape")(path, dice)
    subprocess.run(["pdftoppm", "-r", str(PICTURE_DPI), "-png", "-singlefile", drawn, path], check=True)
    drawn.unlink()
    return path.with_suffix(".png"), sheets, PICTURE_DPI / 72


LAYOUTS = {
    "portrait": pages("portrait"),
    "landscape": pages("landscape"),
    "square": pages("square"),
    "turned by 90": pages("portrait", rotation=90),
    "turned by 180": pages("landscape", rotation=180),
    "turned by 270": pages("landscape", rotation=270),
    "crop box": pages("portrait", crop=(40, 130, 75, 20)),
    "crop box, turned": pages("landscape", rotation=90, crop=(150, 20, 10, 65)),
    "two pages": two_pages,
    "PNG": picture,
}


# ---- asking and judging ----

def schema(numbers=NUMBERS):
    """Of each plate one of these."""
    return {"type": "object", "properties": {name: {"enum": list(numbers)} for name in COLOURS},
            "required": list(COLOURS), "additionalProperties": False}


def overlap(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0
    both = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return width * height / (both - width * height)


def write_task(folder, numbers=NUMBERS):
    (folder / "schema.json").write_text(json.dumps(schema(numbers)))
    (folder / "prompt.md").write_text("What is on the plates?\n")
    (folder / "look.task").write_text("[task]\nsummary=Plates\nprompt=@prompt.md\nschema=@schema.json\npictures=all\n")
    return folder / "look.task"


class Found:
    """What a record says of the plate of this name, beside what is true."""

    def __init__(self, record, name, sheets, scale):
        page = next(i for i, sheet in enumerate(sheets) if sheet.box(name))
        self.box = box = [x * scale for x in sheets[page].box(name)]
        self.evidence = record["provenance"][f"/{name}"][0]
        self.is_true = record["answer"][name] == sheets[page].number(name)
        self.is_pointed = self.evidence["kind"] == "pointed"
        at = self.evidence.get("at", [{}])[0]
        seen = at.get("page", 1) - 1  # a picture is no page
        self.is_on_it = self.is_on_any = self.stands_there = False
        self.overlap = overlap(at["bbox"], box) if "bbox" in at and seen == page else 0
        if "bbox" in at:
            middle = [(at["bbox"][k] + at["bbox"][k + 2]) / 2 / scale for k in (0, 1)]
            on = {of: number for of, number, it in sheets[seen].plates
                  if all(it[k] <= middle[k] <= it[k + 2] for k in (0, 1))}
            self.is_on_any, self.is_on_it = bool(on), name in on
            self.stands_there = record["answer"][name] in on.values()
