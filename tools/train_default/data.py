"""What the shipped bundle is trained on, made on the spot: short papers with their archive cards, and pictures
of short lines of letters. No text of others is used."""
import json
import pathlib
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

import model as M

ROOT = pathlib.Path(__file__).resolve().parents[2]
MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
}
WORDS = {
    "en": "the of and to in a is that for it was on are as with his they at be this from have or by one had not but "
          "what all were when we there can an your which their said if will each about how up out them then she many "
          "some so these would other into has more her two like him see time could no make than first been its who "
          "now people my made over did down only way find use may water long little very after words called just "
          "where most know harbour budget survey plan bridge meeting supplier delivery rent quarter garden school "
          "boat station council repair winter order account summary review project annual north old new",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er "
          "hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor "
          "zur bis mehr durch man sein wurde sei Hafen Rechnung Brücke Sitzung Lieferung Straße Größe Jahr Miete "
          "Prüfung Haushalt Stadt Werft Bericht Angebot Schule Küste Umbau kurz neu alt",
    "fr": "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont la avec son "
          "cette ont ses mais comme on tout nous sa fait été aussi leur bien peut ces deux même très après sans "
          "rapport réunion livraison facture école été côte pont jardin mairie année société projet hiver loyer",
    "es": "de la que el en y a los del se las por un para con no una su al lo como más pero sus le ya o este sí "
          "porque esta entre cuando muy sin sobre también me hasta hay donde quien desde todo nos durante informe "
          "reunión entrega factura año señor puente jardín escuela muelle niño presupuesto compañía nuevo",
}
LISTS = {k: v.split() for k, v in WORDS.items()}
KINDS = {
    "letter": dict(en=["Dear {n},", "Yours sincerely,"], de=["Sehr geehrte Frau {n},", "Mit freundlichen Grüßen"],
                   fr=["Chère Madame {n},", "Cordialement,"], es=["Estimado señor {n}:", "Atentamente,"]),
    "invoice": dict(en=["Invoice no. {d}", "Total due: {a}"], de=["Rechnung Nr. {d}", "Gesamtbetrag: {a}"],
                    fr=["Facture n° {d}", "Total à payer : {a}"], es=["Factura n.º {d}", "Total a pagar: {a}"]),
    "receipt": dict(en=["RECEIPT {d}", "Cash {a}  Change 0.00"], de=["QUITTUNG {d}", "Bar {a}"],
                    fr=["REÇU {d}", "Espèces {a}"], es=["RECIBO {d}", "Efectivo {a}"]),
    "report": dict(en=["1 Introduction", "This report shows {w}."], de=["1 Einleitung", "Dieser Bericht zeigt {w}."],
                   fr=["1 Introduction", "Ce rapport montre {w}."], es=["1 Introducción", "Este informe muestra {w}."]),
    "minutes": dict(en=["Present: {n}, {m}", "Decided: {w}."], de=["Anwesend: {n}, {m}", "Beschluss: {w}."],
                    fr=["Présents : {n}, {m}", "Décision : {w}."], es=["Presentes: {n}, {m}", "Acuerdo: {w}."]),
    "notes": dict(en=["- {w}", "- todo: {w}"], de=["- {w}", "- offen: {w}"], fr=["- {w}", "- à faire : {w}"],
                  es=["- {w}", "- pendiente: {w}"]),
}
LETTERS = "abcdefghijklmnopqrstuvwxyz" * 3 + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" * 2 + "0123456789" * 2 + "äöüßéèêàçñõåøæÄÖÜÉ€£$%&.,:-/()"


def random_word(rng):
    return "".join(rng.choice(LETTERS) for _ in range(rng.randint(1, 9)))


def words(rng, language, n):
    return [random_word(rng) if rng.random() < 0.15 else rng.choice(LISTS[language]) for _ in range(n)]


def name(rng):
    return "".join(rng.choice(["ma", "ri", "ka", "lo", "ten", "ber", "son", "el", "vi", "no", "sch", "ard", "é", "ö"])
                   for _ in range(rng.randint(2, 4))).capitalize()


def date(rng, language):
    y, m, d = rng.randint(1950, 2030), rng.randint(1, 12), rng.randint(1, 28)
    month = MONTHS[language][m - 1]
    return rng.choice([f"{y}-{m:02}-{d:02}", f"{d:02}.{m:02}.{y}", f"{d}/{m}/{y}", f"{d} {month} {y}",
                       f"{month} {d}, {y}" if language == "en" else f"{d}. {month} {y}", f"{month} {y}"])


def fill(rng, text, language):
    return text.format(n=name(rng), m=name(rng), d=rng.randint(100, 99999), w=" ".join(words(rng, language, 5)),
                       a=f"{rng.choice('€$£')} {rng.randint(1, 9999)}.{rng.randint(0, 99):02}")


def title(rng, language):
    text = " ".join(words(rng, language, rng.randint(1, 6)))
    return rng.choice([text[:1].upper() + text[1:], text.title(), text.upper(), text[:1].upper() + text[1:]])


def paper(rng, size):
    """One document and its card. `size`: about how many bytes of running text."""
    language = rng.choice(list(WORDS))
    card = dict.fromkeys(("title", "kind", "date", "language", "people", "organisations", "summary"))
    lines = []
    if rng.random() < 0.06:  # nothing to know: numbers, symbols
        for _ in range(rng.randint(1, 6)):
            lines.append(" ".join(str(rng.randint(0, 9999)) for _ in range(rng.randint(1, 8))))
        return "\n".join(lines), card
    card["language"] = language
    if rng.random() < 0.85:
        card["title"] = title(rng, language)
        lines.append(rng.choice(["", "", "", "# "]) + card["title"])
    if rng.random() < 0.7:
        card["date"] = date(rng, language)
        label = rng.choice(["", "", f"{name(rng)}, ", {"en": "Date: ", "de": "Datum: ", "fr": "Date : ", "es": "Fecha: "}[language]])
        lines.append(label + card["date"])
    body = []
    if rng.random() < 0.8:
        card["kind"] = rng.choice(list(KINDS))
        body += [fill(rng, t, language) for t in KINDS[card["kind"]][language]]
    filler = []
    while sum(map(len, filler)) < size:
        sentence = " ".join(words(rng, language, rng.randint(4, 12)))
        filler.append(sentence[:1].upper() + sentence[1:] + ".")
    at = rng.randint(0, len(filler))
    lines += body[:1] + filler[:at] + body[1:] + filler[at:]
    return rng.choice(["[p. 1]\n", "[p. 1]\n", ""]) + "\n".join(lines), card


def card_json(card):
    return json.dumps(card, ensure_ascii=False, separators=(",", ":"))


def index_prompt():
    """Instructions and schema as weft sends them in the system turn."""
    text = (ROOT / "tasks/index.md").read_text().replace("{document}", "").strip()
    schema = json.loads((ROOT / "tasks/index.schema.json").read_text())
    return text + "\n\nAnswer with JSON that fits this schema:\n" + json.dumps(schema, separators=(",", ":"))


class Pictures:
    """Tiles with one to four short lines of letters; the label of each token's 28 x 28 pixels comes along."""

    def __init__(self, folders=("/usr/share/fonts",)):
        paths = sorted(p for f in folders for p in pathlib.Path(f).rglob("*.[to]tf"))
        self.fonts = [str(p) for p in paths if self.draws_latin(p)]
        if len(self.fonts) < 10:
            raise SystemExit("fewer than 10 fonts: install fonts-dejavu fonts-liberation fonts-freefont-ttf ...")

    @staticmethod
    def draws_latin(path):
        try:
            font = ImageFont.truetype(str(path), 20)
            return len({bytes(font.getmask(c)) for c in "aäß€gQ7\uffff"}) == 8
        except OSError:
            return False

    def draw(self, rng, n_lines):
        """-> tile [3, side, side] in -1..1, text, labels [16][6] of bytes (0: none)."""
        side = M.VISION["image_size"]
        font = ImageFont.truetype(rng.choice(self.fonts), rng.randint(13, 22))
        ground, ink = rng.randint(190, 255), rng.randint(0, 90)
        image = Image.new("L", (side, side), ground)
        draw = ImageDraw.Draw(image)
        labels, text, cell = np.zeros((16, 6), np.int64), [], side // 4
        for row in sorted(rng.sample(range(4), n_lines)):
            x, line = rng.uniform(1, 8), ""
            for _ in range(rng.randint(1, 9)):
                c = rng.choice(LETTERS) if rng.random() < 0.9 or not line or line[-1] == " " else " "
                width = font.getlength(c)
                if x + width > side - 1:
                    break
                draw.text((x, row * cell + cell / 2 + rng.uniform(-1, 1)), c, fill=ink, font=font, anchor="lm")
                slot = labels[row * 4 + min(int((x + width / 2) / cell), 3)]
                for b in c.encode():
                    if (slot == 0).any():
                        slot[(slot == 0).argmax()] = b
                x, line = x + width, line + c
            text.append(line.rstrip())
        if rng.random() < 0.5:
            image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.8)))
        pixels = np.asarray(image, np.float32) + np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(0, 8), (side, side))
        return np.broadcast_to(np.clip(pixels, 0, 255) / 127.5 - 1, (3, side, side)), "\n".join(text), labels
