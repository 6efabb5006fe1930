#!/usr/bin/env python3
"""Makes examples/inbox: a small pile of papers, sound and video of a harbour that does not exist.

    python3 tools/make_inbox.py [FOLDER]

Needs reportlab, Pillow, numpy, espeak-ng, ffmpeg (libx264, libmp3lame) and the DejaVu and
Liberation fonts (Debian: fonts-dejavu, fonts-liberation). Dates and seeds are fixed: the same
versions of these give the same bytes. All files tell one story, so that an answer from one can be
compared with another: a storm breaks a breakwater, a firm offers to mend it, is paid, and the
harbour reports.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

os.environ["SOURCE_DATE_EPOCH"] = "1768816800"  # 2026-01-19 10:00 UTC, the day of the report

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from PIL.TiffImagePlugin import IFDRational
from reportlab import rl_config
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (BaseDocTemplate, Flowable, Frame, FrameBreak, NextPageTemplate,
                                PageBreak, PageTemplate, Paragraph, Spacer, Table, TableStyle)
from reportlab.platypus import Image as Picture

rl_config.useA85 = 0
rl_config.canvas_basefontname = "Serif"

FONTS = Path("/usr/share/fonts/truetype")
SERIF = FONTS / "liberation/LiberationSerif-Regular.ttf"
SERIF_BOLD = FONTS / "liberation/LiberationSerif-Bold.ttf"
SANS = FONTS / "dejavu/DejaVuSans.ttf"
SANS_BOLD = FONTS / "dejavu/DejaVuSans-Bold.ttf"
MONO = FONTS / "dejavu/DejaVuSansMono.ttf"
MONO_BOLD = FONTS / "dejavu/DejaVuSansMono-Bold.ttf"

NAVY, SEA, SAND, INK = (24, 52, 88), (176, 208, 226), (232, 222, 196), (30, 30, 34)
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
CALLS = [74, 82, 101, 118, 131, 142, 158, 161, 136, 117, 102, 90]  # 1,412 in all


def font(path, size):
    return ImageFont.truetype(str(path), size)


def register_fonts():
    for name, path in (("Serif", SERIF), ("Serif-Bold", SERIF_BOLD), ("Sans", SANS),
                       ("Sans-Bold", SANS_BOLD)):
        pdfmetrics.registerFont(TTFont(name, str(path)))
    pdfmetrics.registerFontFamily("Serif", normal="Serif", bold="Serif-Bold", italic="Serif",
                                  boldItalic="Serif-Bold")


# ---- annual-report.pdf -------------------------------------------------------------------------

def harbour_map(width=1000, height=560):
    """A small chart of the harbour, drawn twice as large and reduced."""
    w, h = width * 2, height * 2
    im = Image.new("RGB", (w, h), SEA)
    d = ImageDraw.Draw(im)
    d.polygon([(0, 0), (w, 0), (w, h * 0.22), (w * 0.72, h * 0.30), (w * 0.60, h * 0.46),
               (w * 0.62, h * 0.64), (w * 0.40, h * 0.74), (w * 0.16, h * 0.66), (0, h * 0.80)],
              fill=SAND, outline=(140, 124, 90))
    d.polygon([(w * 0.30, h * 0.70), (w * 0.52, h * 0.40), (w * 0.66, h * 0.47),
               (w * 0.63, h * 0.64), (w * 0.42, h * 0.77)], fill=SEA)
    d.line([(w * 0.64, h * 0.46), (w * 0.80, h * 0.52), (w * 0.86, h * 0.66)], fill=INK, width=30)
    d.line([(w * 0.815, h * 0.56), (w * 0.835, h * 0.605)], fill=(196, 48, 40), width=30)
    d.line([(w * 0.36, h * 0.76), (w * 0.52, h * 0.86), (w * 0.70, h * 0.84)], fill=INK, width=30)
    for i in range(3):
        x = w * (0.40 + 0.055 * i)
        d.line([(x, h * (0.58 - 0.055 * i)), (x + 60, h * (0.66 - 0.055 * i))], fill=INK, width=12)
    for x, y in ((0.74, 0.72), (0.90, 0.78), (0.93, 0.56)):
        d.ellipse([w * x - 16, h * y - 16, w * x + 16, h * y + 16], fill=(200, 60, 40),
                  outline=INK, width=4)
    text = [("North breakwater", 0.66, 0.35, INK), ("38 m", 0.855, 0.565, (176, 36, 30)),
            ("South mole", 0.52, 0.885, INK), ("Fish quay", 0.44, 0.33, INK),
            ("Buoy 7", 0.915, 0.80, INK), ("KESTREL BAY", 0.06, 0.42, NAVY)]
    for label, x, y, colour in text:
        size = 56 if label.isupper() else 40
        d.text((w * x, h * y), label, font=font(SANS_BOLD if label.isupper() else SANS, size),
               fill=colour)
    d.line([(w * 0.06, h * 0.93), (w * 0.06 + 300, h * 0.93)], fill=INK, width=8)
    d.text((w * 0.06, h * 0.86), "200 m", font=font(SANS, 36), fill=INK)
    return im.resize((width, height), Image.LANCZOS)


class Entry(Flowable):
    """A line of the outline, at the place where it stands."""
    width = height = 0

    def __init__(self, title, level):
        super().__init__()
        self.title, self.level = title, level

    def draw(self):
        self.canv.bookmarkHorizontal(self.title, 0, 14)
        self.canv.addOutlineEntry(self.title, self.title, self.level, closed=False)


def report_frame(canvas, doc):
    canvas.saveState()
    canvas.setFont("Sans", 7.5)
    canvas.setFillColorRGB(0.35, 0.38, 0.42)
    canvas.drawString(20 * mm, 12 * mm, "Kestrel Bay Harbour Authority · Annual Report 2025")
    canvas.drawRightString(190 * mm, 12 * mm, f"page {doc.page} of 2")
    canvas.setStrokeColorRGB(0.7, 0.73, 0.77)
    canvas.line(20 * mm, 16 * mm, 190 * mm, 16 * mm)
    canvas.restoreState()


def report_table():
    rows = [["2025", "Q1", "Q2", "Q3", "Q4", "Year", "2024"],
            ["Vessel calls", "257", "391", "455", "309", "1,412", "1,284"],
            ["Freight (t)", "112,400", "133,800", "149,300", "128,400", "523,900", "486,200"],
            ["Passengers", "5,210", "21,480", "36,920", "10,700", "74,310", "61,540"],
            ["Income (€ m)", "1.71", "2.30", "2.98", "2.18", "9.17", "8.42"],
            ["Costs (€ m)", "1.88", "2.41", "2.63", "1.94", "8.86", "7.90"]]
    table = Table(rows, colWidths=[32 * mm] + [23 * mm] * 6, rowHeights=16)
    table.setStyle(TableStyle([
        ("FONT", (0, 0), (-1, -1), "Sans", 8.5), ("FONT", (0, 0), (-1, 0), "Sans-Bold", 8.5),
        ("FONT", (5, 1), (5, -1), "Sans-Bold", 8.5), ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"), ("TEXTCOLOR", (0, 0), (-1, 0), colors.white),
        ("BACKGROUND", (0, 0), (-1, 0), colors.Color(*(c / 255 for c in NAVY))),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, colors.Color(0.7, 0.73, 0.77)),
        ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.white, colors.Color(0.95, 0.97, 0.98)])]))
    return table


def report_story(folder):
    body = ParagraphStyle("body", fontName="Serif", fontSize=10.5, leading=14.2, spaceAfter=7,
                          alignment=4)
    head = ParagraphStyle("head", fontName="Sans-Bold", fontSize=11.5, leading=15, spaceBefore=8,
                          spaceAfter=4, textColor=colors.Color(*(c / 255 for c in NAVY)))
    note = ParagraphStyle("note", parent=body, fontName="Sans", fontSize=7.5, leading=10,
                          alignment=0, textColor=colors.Color(0.3, 0.32, 0.36))
    title = ParagraphStyle("title", fontName="Serif-Bold", fontSize=24, leading=29)
    under = ParagraphStyle("under", parent=note, fontSize=10, leading=14, spaceAfter=4)
    P, T = lambda t: Paragraph(t, body), lambda t: Paragraph(t, head)
    picture = folder / "map.jpg"
    harbour_map().save(picture, quality=80)
    return [
        Entry("Annual Report 2025", 0), Paragraph("Annual Report 2025", title),
        Paragraph("Kestrel Bay Harbour Authority · laid before the Council on 19 January 2026",
                  under), FrameBreak(),
        Entry("The year in short", 1), T("The year in short"),
        P("The year began with the storm of 14 January 2025, which broke thirty-eight metres of "
          "the north breakwater and closed the outer berths for nineteen days. No one was hurt. "
          "It ended with the busiest summer since the harbour was deepened in 1998."),
        P("In all, 1,412 vessels called at Kestrel Bay, against 1,284 in 2024. Freight rose to "
          "523,900 tonnes, most of it timber, salt and machine parts. The ferry line to "
          "São Miguel, new this year, carried 12,600 of our 74,310 passengers."),
        P("Income was € 9.17 million and costs were € 8.86 million, so that a surplus of "
          "€ 310,000 goes into the reserve for sea defences."),
        Entry("The storm", 1), T("The storm"),
        P("At 04:20 the wind gauge on the light tower showed 61 knots before it failed. The sea "
          "lifted eleven armour stones of about six tonnes each out of the outer face, and the "
          "crown wall behind them fell into the basin. The pilot boat <i>Tern</i> and the harbour "
          "staff moved nine fishing boats to the inner basin before daylight."),
        P("The Council declared an emergency on 16 January and asked three firms for "
          "offers. One of them, from Halvorsen Marine Works, kept "
          "the quarry stone off the roads of the old town; it was also the lowest."), FrameBreak(),
        Entry("The repair", 1), T("The repair"),
        P("The contract was given to Halvorsen Marine Works on 3 March 2025 for € 1,240,000, to "
          "be paid in three parts. Work began on 17 March and ended on 29 August, two days "
          "early. The final part, fifteen per cent, was paid in September."),
        P("The mended length stands forty centimetres higher than the old one, in keeping with "
          "the sea levels that are now expected for 2060."),
        Entry("Safety", 1), T("Safety"),
        P("There were two accidents at work, both with slight harm, after five in 2024. The "
          "lifeboat was called out seventeen times. Buoy 7 lost its lamp in August and was lit "
          "again the same day. An exercise for oil on water was held on 8 October with the fire "
          "service; the boom was closed in 41 minutes, against a goal of 45."),
        Entry("Water and air", 1), T("Water and air"),
        P("The water of the inner basin was tested every month and was good in eleven of twelve. "
          "Ships at the ferry berth burned 8 per cent less fuel in harbour than in 2024. From "
          "2026 they can take power from the shore."),
        Entry("People", 1), T("People"),
        P("The Authority employs 46 people. Ingrid Solheim continued as harbour master; Tomas "
          "Okafor became chief pilot on 1 May. Four apprentices began, more than in any year "
          "before."),
        NextPageTemplate("wide"), PageBreak(),
        Entry("Figures", 0), T("Figures"),
        P("Table 1 gives the four quarters. Calls count each vessel above 12 m once a visit; "
          "passengers are counted when they leave the ship. Money is in millions of euros, "
          "without value added tax."),
        report_table(), Spacer(1, 4),
        Paragraph("Table 1. Traffic and money in 2025, with the year 2024 beside it.", note),
        Spacer(1, 10), Picture(str(picture), width=170 * mm, height=95.2 * mm), Spacer(1, 4),
        Paragraph("Figure 1. The harbour after the repair. Red: the part of the north breakwater "
                  "that was built anew, and the three lit buoys.", note),
        Entry("Plans for 2026", 1), T("Plans for 2026"),
        P("New ladders and lights on the south mole (€ 95,000), shore power for the ferry berth "
          "(€ 410,000, half of it from the coastal fund), and a second survey of the sea bed "
          "before the winter. Harbour dues stay as they are until 30 June 2026."),
        P("Questions to the office at 4 Customs Lane, Kestrel Bay, on weekdays from 08:30 to "
          "16:00.")]


def make_report(path, folder):
    doc = BaseDocTemplate(str(path), pagesize=A4, title="Annual Report 2025",
                          author="Kestrel Bay Harbour Authority",
                          subject="Traffic, money and the repair of the north breakwater",
                          keywords=["harbour", "breakwater", "2025"], creator="make_inbox")
    bottom, gap, col = 20 * mm, 8 * mm, 81 * mm
    top = Frame(20 * mm, 257 * mm, 170 * mm, 26 * mm, 0, 0, 0, 0, id="top")
    left = Frame(20 * mm, bottom, col, 233 * mm, 0, 0, 0, 0, id="left")
    right = Frame(20 * mm + col + gap, bottom, col, 233 * mm, 0, 0, 0, 0, id="right")
    wide = Frame(20 * mm, bottom, 170 * mm, 257 * mm, 0, 0, 0, 0, id="wide")
    doc.addPageTemplates([PageTemplate("first", [top, left, right], onPage=report_frame),
                          PageTemplate("wide", [wide], onPage=report_frame)])
    doc.build(report_story(folder))


# ---- scans -------------------------------------------------------------------------------------

class Sheet:
    """A sheet of paper at `dpi`, written on in points, then made to look scanned."""

    def __init__(self, dpi):
        self.dpi, self.scale = dpi, dpi / 72
        self.size = (round(A4[0] * self.scale), round(A4[1] * self.scale))
        self.image = Image.new("L", self.size, 255)
        self.draw = ImageDraw.Draw(self.image)
        self.runs = []  # (x, baseline y from the top, size, text): what the OCR layer says

    def text(self, x, y, words, size=11, face=SERIF, right=False):
        f = font(face, round(size * self.scale))
        px = x * self.scale - (f.getlength(words) if right else 0)
        self.draw.text((px, y * self.scale), words, font=f, fill=28, anchor="ls")
        self.runs.append((px / self.scale, y, size, words))

    def rule(self, x0, y, x1, width=0.8):
        self.draw.line([(x0 * self.scale, y * self.scale), (x1 * self.scale, y * self.scale)],
                       fill=60, width=max(1, round(width * self.scale)))

    def scribble(self, x, y):
        t = np.linspace(0, 1, 160)
        sx = (x + 110 * t + 6 * np.sin(40 * t)) * self.scale
        sy = (y + 11 * np.sin(31 * t) * (1 - t) - 6 * t) * self.scale
        self.draw.line(list(zip(sx, sy)), fill=50, width=round(1.1 * self.scale), joint="curve")

    def scanned(self, skew, seed, ground=247.0, noise=3.0):
        im = self.image.rotate(skew, Image.BICUBIC, fillcolor=255)
        im = im.filter(ImageFilter.GaussianBlur(0.4))
        rng = np.random.default_rng(seed)
        a = np.asarray(im, np.float32) * (ground / 255)
        a += rng.normal(0, noise, a.shape).astype(np.float32)
        return Image.fromarray(np.clip(a, 0, 255).astype(np.uint8))


LETTER = [
    "Dear Ms Solheim,", "",
    "thank you for showing us the damage on 27 January. We offer to rebuild thirty-eight",
    "metres of the north breakwater of Kestrel Bay, with a new crown wall that stands forty",
    "centimetres higher than the old one, for the fixed price of",
    "", "@EUR 1,240,000.00 (one million two hundred and forty thousand euros)", "",
    "without value added tax. The parts of the price are listed in the annex. We can begin",
    "on 17 March 2025 and need twenty-four weeks, that is, until 31 August 2025. Stone",
    "comes from the quarry at Grindvik, by barge, so that no lorry has to pass the old town.",
    "", "Payment: 35 per cent when work begins, 50 per cent when the crown wall is cast and",
    "15 per cent after the final survey. We stand behind the work for ten years.",
    "", "This offer holds until 14 March 2025. Our engineer, Øystein Lindqvist, will gladly",
    "answer questions: telephone 0555 018 274.", "", "Yours sincerely,"]

ANNEX = [("1", "Clearing of fallen stone and wall, divers", "148,500.00"),
         ("2", "Armour stone, 6 t, 1,150 t, delivered", "402,500.00"),
         ("3", "Core and filter stone, 2,300 t", "184,000.00"),
         ("4", "Crown wall, concrete C45/55, 38 m", "361,000.00"),
         ("5", "Lights and ladders, removed and put back", "46,200.00"),
         ("6", "Surveys before, during and after", "97,800.00")]


def letterhead(s):
    s.text(64, 70, "HALVORSEN MARINE WORKS", 17, SERIF_BOLD)
    s.text(64, 86, "Stone, concrete and diving since 1931 · 12 Slipway Road, Grindvik", 9)
    s.rule(64, 94, 531)


def letter_sheets():
    s = Sheet(150)
    letterhead(s)
    for i, line in enumerate(["Kestrel Bay Harbour Authority", "Ms Ingrid Solheim, Harbour Master",
                              "4 Customs Lane", "Kestrel Bay"]):
        s.text(64, 134 + 14 * i, line)
    s.text(531, 134, "20 February 2025", right=True)
    s.text(531, 148, "Offer HMW-2025-031", right=True)
    s.text(64, 226, "Repair of the north breakwater", 13, SERIF_BOLD)
    for i, line in enumerate(LETTER):
        bold = line.startswith("@")
        s.text(82 if bold else 64, 256 + 16 * i, line.lstrip("@"), 11.5,
               SERIF_BOLD if bold else SERIF)
    s.scribble(66, 592)
    s.text(64, 626, "Astrid Halvorsen")
    s.text(64, 640, "Managing Director")
    a = Sheet(150)
    letterhead(a)
    a.text(64, 130, "Annex to offer HMW-2025-031: the parts of the price", 13, SERIF_BOLD)
    a.text(64, 164, "No.", 11, SERIF_BOLD)
    a.text(100, 164, "Work", 11, SERIF_BOLD)
    a.text(520, 164, "EUR", 11, SERIF_BOLD, right=True)
    a.rule(64, 170, 531)
    for i, (n, work, price) in enumerate(ANNEX):
        a.text(64, 190 + 22 * i, n)
        a.text(100, 190 + 22 * i, work)
        a.text(520, 190 + 22 * i, price, right=True)
    a.rule(64, 312, 531)
    a.text(100, 330, "Total without value added tax", 11.5, SERIF_BOLD)
    a.text(520, 330, "1,240,000.00", 11.5, SERIF_BOLD, right=True)
    a.text(64, 378, "Weather days: up to ten days on which the sea is above 1.5 m are in the price.")
    a.text(64, 394, "The stones that can be used again stay the property of the Authority.")
    return [s.scanned(0.8, 1), Sheet(150).scanned(0, 2), a.scanned(-0.6, 3)]


def make_letter(path, folder):
    pdf = Canvas(str(path), pagesize=A4, pageCompression=1)
    pdf.setTitle("Scan 0231")
    pdf.setProducer("Reprotek D-40 office scanner")
    for i, page in enumerate(letter_sheets()):
        name = folder / f"letter{i}.jpg"
        page.save(name, quality=32, dpi=(150, 150))
        pdf.drawImage(str(name), 0, 0, *A4)
        pdf.showPage()
    pdf.save()


def invoice_sheet():
    s = Sheet(150)
    letterhead(s)
    s.text(64, 134, "Kestrel Bay Harbour Authority, 4 Customs Lane, Kestrel Bay")
    s.text(64, 176, "INVOICE HMW-7718", 16, SERIF_BOLD)
    s.text(64, 204, "Date: 2 September 2025")
    s.text(64, 220, "Your order: KB-2025-009 of 3 March 2025")
    s.text(64, 236, "Payable by: 2 October 2025")
    s.rule(64, 256, 531)
    rows = [("Repair of the north breakwater, fixed price", "1,240,000.00"),
            ("Final part, 15 per cent, after the survey of 29 August 2025", "186,000.00"),
            ("Value added tax, 20 per cent", "37,200.00")]
    for i, (what, price) in enumerate(rows):
        s.text(64, 278 + 20 * i, what)
        s.text(531, 278 + 20 * i, price, right=True)
    s.rule(64, 330, 531)
    s.text(64, 350, "To be paid (EUR)", 12.5, SERIF_BOLD)
    s.text(531, 350, "223,200.00", 12.5, SERIF_BOLD, right=True)
    s.text(64, 400, "Please pay to account XX12 0000 4471 9930 07 and give the number of the invoice.")
    s.text(64, 416, "Thank you for working with us through a wet spring.")
    s.scribble(66, 470)
    s.text(64, 500, "Accounts, Halvorsen Marine Works")
    return s


def make_invoice(path, folder):
    """One page picture with the text of it laid over it unseen (text render mode 3)."""
    sheet = invoice_sheet()
    name = folder / "invoice.jpg"
    sheet.scanned(0, 4).save(name, quality=32, dpi=(150, 150))
    pdf = Canvas(str(path), pagesize=A4, pageCompression=1)
    pdf.setTitle("Invoice HMW-7718")
    pdf.setProducer("Reprotek D-40 office scanner, text recognition on")
    pdf.drawImage(str(name), 0, 0, *A4)
    for x, y, size, words in sheet.runs:
        layer = pdf.beginText(x, A4[1] - y)
        layer.setFont("Serif", size)
        layer.setTextRenderMode(3)
        width = pdfmetrics.stringWidth(words, "Serif", size)
        real = font(SERIF_BOLD if size > 12 else SERIF, 1000).getlength(words) * size / 1000
        layer.setHorizScale(100 * real / width)
        layer.textOut(words)
        pdf.drawText(layer)
    pdf.showPage()
    pdf.save()


# ---- pictures ----------------------------------------------------------------------------------

def make_chart(path):
    w, h, k = 960, 540, 2
    im = Image.new("RGB", (w * k, h * k), "white")
    d = ImageDraw.Draw(im)
    d.text((60 * k, 24 * k), "Vessel calls at Kestrel Bay, 2025", font=font(SANS_BOLD, 26 * k),
           fill=NAVY)
    d.text((60 * k, 58 * k), "1,412 calls in the year; the outer berths were closed until "
           "2 February", font=font(SANS, 16 * k), fill=(90, 96, 104))
    x0, y0, height, top = 90 * k, 470 * k, 340 * k, 180
    for v in range(0, 181, 30):
        y = y0 - height * v / top
        d.line([(x0, y), (920 * k, y)], fill=(216, 220, 226), width=k)
        d.text((x0 - 10 * k, y), str(v), font=font(SANS, 15 * k), fill=INK, anchor="rm")
    step = (920 * k - x0) / 12
    for i, (month, calls) in enumerate(zip(MONTHS, CALLS)):
        x = x0 + step * i + step * 0.18
        y = y0 - height * calls / top
        d.rectangle([x, y, x + step * 0.64, y0], fill=(58, 110, 165) if calls < 158 else NAVY)
        mid = x + step * 0.32
        d.text((mid, y - 6 * k), str(calls), font=font(SANS_BOLD, 15 * k), fill=INK, anchor="ms")
        d.text((mid, y0 + 22 * k), month, font=font(SANS, 16 * k), fill=INK, anchor="ms")
    d.line([(x0, y0), (920 * k, y0)], fill=INK, width=2 * k)
    d.text((60 * k, 520 * k), "Source: berth book of the harbour office", font=font(SANS, 13 * k),
           fill=(90, 96, 104), anchor="ls")
    im = im.resize((w, h), Image.LANCZOS).quantize(48, dither=Image.Dither.NONE)
    im.save(path, optimize=True)


RECEIPT = ["*BRANDT & DAUGHTERS", "*SHIP CHANDLERY", "3 Fish Quay, Kestrel Bay", "-",
           "12 August 2025        09:41", "Receipt 004417     Till 2", "-",
           "Mooring line 24 mm   389.00", "Shackle 16 mm  x4     58.00",
           "Navigation lamp red  142.50", "Paint, signal red     37.50",
           "-", "*TOTAL EUR          627.00", "of this VAT 20%      104.50", "Card ****2210        627.00",
           "-", "Boat: pilot boat TERN", "Thank you and fair winds"]


def make_receipt(path):
    """The picture lies on its side; EXIF orientation 6 says so."""
    rng = np.random.default_rng(5)
    w, h = 900, 1200
    grain = rng.normal(0, 1, (h, 12)).cumsum(0)
    wood = np.interp(np.arange(w), np.linspace(0, w, 12), np.arange(12))
    base = np.take_along_axis(grain, wood.astype(int)[None, :].repeat(h, 0), 1)
    table = np.stack([118 + base * 0.5, 84 + base * 0.4, 58 + base * 0.3], -1)
    im = Image.fromarray(np.clip(table, 20, 200).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(3))
    paper = Image.new("RGBA", (560, 1010), (250, 248, 240, 255))
    d = ImageDraw.Draw(paper)
    y = 60
    for line in RECEIPT:
        if line == "-":
            d.text((32, y), "-" * 27, font=font(MONO, 30), fill=(110, 110, 112))
        elif line.startswith("*TOTAL"):
            d.text((32, y), line[1:], font=font(MONO_BOLD, 30), fill=INK)
        elif line.startswith("*"):
            d.text((280, y), line[1:], font=font(MONO_BOLD, 36), fill=INK, anchor="ma")
            y += 8
        else:
            d.text((32, y), line, font=font(MONO, 30), fill=INK)
        y += 50
    paper = paper.rotate(1.6, Image.BICUBIC, expand=True)
    shadow = Image.new("RGBA", paper.size, (0, 0, 0, 0))
    shadow.paste((0, 0, 0, 120), (0, 0), paper.getchannel("A"))
    im.paste(shadow, (172, 96), shadow.filter(ImageFilter.GaussianBlur(6)))
    im.paste(paper, (158, 82), paper)
    light = np.linspace(1.04, 0.86, w)[None, :, None] * np.linspace(1.02, 0.94, h)[:, None, None]
    a = np.asarray(im, np.float32) * light + rng.normal(0, 2.5, (h, w, 3))
    im = Image.fromarray(np.clip(a, 0, 255).astype(np.uint8)).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F], exif[0x0110] = "Lumia Optics", "Pocket 3"
    exif[0x0132] = "2025:08:12 09:55:18"
    exif.get_ifd(0x8769)[0x9003] = "2025:08:12 09:55:18"
    exif.get_ifd(0x8769)[0x829A] = IFDRational(1, 60)
    im.save(path, quality=62, exif=exif, dpi=(72, 72))


# ---- sound and video ---------------------------------------------------------------------------

RATE = 22050


def say(text, voice="en-gb", speed=155, pitch=45):
    """What espeak-ng says, as float samples at 22,050 Hz."""
    wav = subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch),
                          "--stdout", text], check=True, stdout=subprocess.PIPE).stdout
    pcm = np.frombuffer(wav[44:len(wav) & ~1], "<i2").astype(np.float32) / 32768
    loud = np.flatnonzero(np.abs(pcm) > 0.005)
    return pcm[loud[0]:loud[-1] + 1] * 0.8


def pause(seconds):
    return np.zeros(round(seconds * RATE), np.float32)


def encode(pcm, path, *options, rate=RATE):
    raw = (np.clip(np.concatenate(pcm), -1, 1) * 32767).astype("<i2").tobytes()
    subprocess.run(["ffmpeg", "-loglevel", "error", "-y", "-f", "s16le", "-ar", str(rate), "-ac",
                    "1", "-i", "-", "-fflags", "+bitexact", "-flags:a", "+bitexact", *options,
                    str(path)], input=raw, check=True)


def make_memo(path):
    encode([pause(0.4), say("Harbour office, Tuesday the twelfth of August. Ingrid Solheim "
                            "speaking.", "en-gb+f3", 150, 50), pause(2.4),
            say("Buoy seven has lost its red lamp. Please send the pilot boat out before noon, "
                "and keep the receipt for the new one.", "en-gb+f3", 150, 50), pause(1.2)], path,
           "-ar", "16000", "-compression_level", "8", "-metadata", "title=Memo, buoy 7",
           "-metadata", "artist=Ingrid Solheim", "-metadata", "date=2025-08-12")


def make_interview(path):
    ask = lambda t: say(t, "en-us+f2", 165, 55)
    tell = lambda t: say(t, "en-gb", 150, 32)
    encode([ask("Mister Okafor, how high was the sea in the night of the storm?"), pause(0.7),
            tell("Six metres at the light tower. We moved nine boats before daylight."),
            pause(1.8), ask("And the new wall?"), pause(0.6),
            tell("It stands forty centimetres higher. I sleep better now.")], path,
           "-ar", "24000", "-b:a", "40k", "-id3v2_version", "3",
           "-metadata", "title=Interview with the chief pilot",
           "-metadata", "artist=Kestrel Bay Radio", "-metadata", "date=2025")


SLIDES = [("North breakwater", ["What broke, what we built,", "what comes next"],
           "The north breakwater. What broke, and what we built."),
          ("14 January 2025", ["Wind 61 knots at 04:20", "38 metres of wall lost",
                               "Outer berths closed 19 days"],
           "The storm took thirty eight metres of wall."),
          ("The repair", ["Halvorsen Marine Works", "17 March to 29 August 2025",
                          "Cost: EUR 1,240,000"],
           "The repair took twenty four weeks and cost one million two hundred and forty "
           "thousand euros."),
          ("Plans for 2026", ["Lights and ladders, south mole", "Shore power for the ferry",
                              "Second survey of the sea bed"],
           "Next year: lights, ladders, and shore power.")]


def slide(title, lines, number):
    im = Image.new("RGB", (640, 360), (246, 247, 249))
    d = ImageDraw.Draw(im)
    d.rectangle([0, 0, 640, 84], fill=NAVY)
    d.text((36, 42), title, font=font(SANS_BOLD, 34), fill="white", anchor="lm")
    for i, line in enumerate(lines):
        d.rectangle([36, 134 + 56 * i, 46, 144 + 56 * i], fill=(58, 110, 165))
        d.text((62, 139 + 56 * i), line, font=font(SANS, 26), fill=INK, anchor="lm")
    d.text((604, 338), f"{number} / 4", font=font(SANS, 15), fill=(110, 116, 124), anchor="rm")
    return im


def make_talk(path, folder):
    pcm, listing, chapters, t = [], [], [";FFMETADATA1", "title=North breakwater",
                                         "artist=Kestrel Bay Harbour Authority"], 0.0
    for i, (title, lines, words) in enumerate(SLIDES):
        speech = [pause(0.5), say(words, "en-gb+f3", 165, 50), pause(0.6)]
        n = int(sum(map(len, speech)) / RATE * 10) + 1  # whole frames of 0.1 s
        speech.append(pause(n / 10 - sum(map(len, speech)) / RATE))
        slide(title, lines, i + 1).save(folder / f"s{i}.png")
        listing += [f"file 's{i}.png'", f"duration {n / 10}"]
        chapters += ["[CHAPTER]", "TIMEBASE=1/10", f"START={round(t * 10)}",
                     f"END={round(t * 10) + n}", f"title={title}"]
        pcm += speech
        t += n / 10
    (folder / "list.txt").write_text("\n".join(listing + [f"file 's{len(SLIDES) - 1}.png'"]))
    (folder / "chapters.txt").write_text("\n".join(chapters) + "\n")
    encode(pcm, folder / "talk.wav")
    subprocess.run(["ffmpeg", "-loglevel", "error", "-y", "-f", "concat", "-i",
                    str(folder / "list.txt"), "-i", str(folder / "talk.wav"), "-i",
                    str(folder / "chapters.txt"), "-map", "0:v", "-map", "1:a", "-map_metadata",
                    "2", "-map_chapters", "2", "-vf", "fps=10", "-c:v", "libx264", "-threads", "1",
                    "-crf", "26", "-preset", "slow", "-g", "100", "-pix_fmt", "yuv420p", "-c:a",
                    "aac", "-b:a", "40k", "-ar", "32000", "-metadata:s:a:0", "language=eng",
                    "-t", f"{t:.3f}", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a",
                    "+bitexact", "-movflags", "+faststart", str(path)], check=True)


# ---- text, and the two that are not read -------------------------------------------------------

NOTES = """# Council of 9 September 2025: notes

Present: Ingrid Solheim (harbour master), Zoë Brandt, Élodie Guérin, Øystein Lindqvist
(Halvorsen Marine Works, guest), João Antunes for the ferry line. Excused: Tomas Okafor.

## 1. Breakwater

- Final survey of 29 August: no faults found. The last part of the price, € 186,000.00,
  was approved; with tax it is € 223,200.00 (invoice HMW-7718).
- The old crown wall was insured for £ 310,000; the insurers offered £ 285,000. *Accepted.*

## 2. Ferry to São Miguel

| item | price |
| --- | ---: |
| berth dues, a call | € 420 |
| shore power, kWh | 0,31 € |
| spare gangway (from Tromsø) | 48 500 kr |

João asks for a night berth from 1 October. To be answered by the 26th.

## 3. Other

- Buoy 7: lamp replaced on 12 August, cost € 627.00 (receipt 004417).
- The naïve question of the day, from Zoë: who pays for the seagulls? — Nobody knows.
- Next meeting: **14 October 2025, 17:00**, café "Zum Löschboot".
"""

DOCX = {
    "[Content_Types].xml": '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
    'officedocument.wordprocessingml.document.main+xml"/></Types>',
    "_rels/.rels": '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
    'relationships/officeDocument" Target="word/document.xml"/></Relationships>',
    "word/document.xml": '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    "%s</w:body></w:document>"}
MINUTES = ["Minutes of the Council of Kestrel Bay", "9 September 2025, 17:00 to 18:35",
           "The Council approved the final payment of EUR 186,000.00 for the north breakwater.",
           "The Council accepted the offer of the insurers."]


def make_docx(path):
    body = "".join(f"<w:p><w:r><w:t>{p}</w:t></w:r></w:p>" for p in MINUTES)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in DOCX.items():
            info = zipfile.ZipInfo(name, (2025, 9, 10, 8, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(info, text.replace("%s", body))


def make_broken(path, report):
    """The report as a download that stopped: neither catalogue nor table of objects arrived."""
    data = report.read_bytes()
    path.write_bytes(data[:min(data.index(b"/Catalog") - 64, len(data) // 2, 24576)])


def main():
    given = Path(sys.argv[1] if len(sys.argv) > 1 else "examples/inbox")
    given.mkdir(parents=True, exist_ok=True)
    inbox, here = given.resolve(), Path.cwd()
    register_fonts()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)  # reportlab names pictures after the path that it is given
        folder = Path(".")
        make_report(inbox / "annual-report.pdf", folder)
        make_letter(inbox / "scanned-letter.pdf", folder)
        make_invoice(inbox / "scanned-with-ocr-layer.pdf", folder)
        make_chart(inbox / "chart.png")
        make_receipt(inbox / "photo-receipt.jpg")
        make_memo(inbox / "voice-memo.flac")
        make_interview(inbox / "interview.mp3")
        make_talk(inbox / "slides-talk.mp4", folder)
        os.chdir(here)
    (inbox / "notes.md").write_text(NOTES, encoding="utf-8")
    make_docx(inbox / "minutes.docx")
    make_broken(inbox / "broken.pdf", inbox / "annual-report.pdf")
    total = 0
    for path in sorted(inbox.iterdir()):
        total += path.stat().st_size
        print(f"{path.stat().st_size:9,d}  {given / path.name}")
    print(f"{total:9,d}  bytes in all")


if __name__ == "__main__":
    main()
