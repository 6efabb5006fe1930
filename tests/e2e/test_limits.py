"""What a limit cuts is told with its number, and what came before it stays."""
import e2e

LINE = "a line of text\n"

# Limit, document, status, and what its errors say; None: nothing was cut. In the inventory task, which
# reads no pictures.
CASES = [
    ("pages=1", "annual-report.pdf", "partial", "page 2 not read: limit pages=1"),
    ("pages=1", "scanned-letter.pdf", "partial", "page 2 to 3 not read: limit pages=1"),
    ("pages=2", "scanned-letter.pdf", "partial", "page 3 not read: limit pages=2"),
    ("pages=3", "scanned-letter.pdf", "ok", None),
    ("seconds=5", "voice-memo.flac", "partial", "seconds 5.000 to 16.432 not read: limit seconds=5"),
    ("seconds=1", "interview.mp3", "partial", "seconds 1.000 to 16.128 not read: limit seconds=1"),
    ("seconds=1", "slides-talk.mp4", "partial", "seconds 1.000 to 18.600 not read: limit seconds=1"),
    ("streams=1", "slides-talk.mp4", "partial", "tracks behind the first 1 not read: limit streams=1"),
    ("pixels=1000", "chart.png", "failed", "picture of 960 x 540 pixels: limit pixels=1000"),
    ("pixels=1000", "annual-report.pdf", "ok", None),
    ("raster-pixels=10000", "chart.png", "ok", None),  # made smaller, which is no error
    ("nesting=1", "annual-report.pdf", "partial", "outline: not all of it is kept: limit nesting=1"),
    ("entries=1", "annual-report.pdf", "partial", "outline: not all of it is kept: limit entries=1"),
    ("output-bytes=65536", "long.txt", "partial", "what follows not read: limit output-bytes=65536"),
    ("decoder-bytes=64M", "annual-report.pdf", "ok", None),
]


class Limits(e2e.Case):
    def test_each(self):
        (self.folder / "long.txt").write_text(LINE * 20000)
        by_limit = {}
        for limit, name, _, _ in CASES:
            path = self.folder / name if name == "long.txt" else e2e.INBOX / name
            by_limit.setdefault(limit, []).append(path)
        for limit, paths in by_limit.items():
            out = self.folder / limit
            is_whole = all(case[2] == "ok" for case in CASES if case[0] == limit)
            self.run_weft("-q", "-t", "inventory", "--limit", limit, "-o", out, *paths,
                          code=0 if is_whole else 1)
            records = e2e.by_name(out)
            for _, name, status, message in [case for case in CASES if case[0] == limit]:
                with self.subTest(limit=limit, name=name):
                    errors = records[name]["errors"]
                    self.assertEqual(records[name]["status"], status, errors)
                    if message is None:
                        self.assertEqual(errors, [])
                        continue
                    self.assertIn(message, [error["message"] for error in errors])
                    self.assertEqual({error["code"] for error in errors}, {"limit"})
            for sums in (records[name]["ledger"] for name in records):
                for sum in sums.values():
                    self.assertEqual(sum["in"], sum["done"] + sum["failed"] + sum["skipped"])


if __name__ == "__main__":
    e2e.main()
