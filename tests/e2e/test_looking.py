"""A bundle that looks at what it names: where it looked becomes a place, and that place is read alone.

The bundle (tests/golden/look) has learnt to answer with the number on the plate of a colour, and the box of
each plate is known, so that every step is judged together: attention, patch, tile, picture, page, crop. What
tools/measure_pointing.py measures on many pages, here on a few.
"""
import random

import e2e
import plates

BUNDLE = e2e.SOURCE / "tests/golden/look"
N_EACH = 2


@e2e.needs("pdftoppm")
class Looking(e2e.Case):
    def ask(self, numbers, *more):
        """Records by the name of the file."""
        task = plates.write_task(self.folder, numbers)
        self.run_weft("-q", "-m", BUNDLE, "-t", task, "-o", self.out, *more, self.folder / "in", code=0)
        return e2e.by_name(self.out)

    def draw(self, layouts, n):
        (self.folder / "in").mkdir()
        dice, drawn = random.Random(3), {}
        for layout in layouts:
            for i in range(n):
                path, sheets, scale = plates.LAYOUTS[layout](self.folder / "in" / f"{layout}-{i}", dice)
                drawn[path.name] = layout, sheets, scale
        return drawn

    def test_places(self):
        """In every layout boxes lie on plates, and most on the one that was asked for: the bundle mistakes colours."""
        drawn = self.draw(plates.LAYOUTS, N_EACH)
        records = self.ask(plates.NUMBERS, "--reader", "none")
        n_on_it = n = 0
        for layout in plates.LAYOUTS:
            found = [plates.Found(records[name], colour, sheets, scale)
                     for name, (of, sheets, scale) in drawn.items() if of == layout for colour in plates.COLOURS]
            with self.subTest(layout):
                told = [(f.evidence, f.box) for f in found]
                self.assertTrue(all(f.is_pointed for f in found), told)
                self.assertGreaterEqual(sum(f.is_on_any for f in found), len(found) - 1, told)
            n += len(found)
            n_on_it += sum(f.is_on_it for f in found)
        self.assertGreater(n_on_it, .5 * n)

    @e2e.needs("tesseract")
    def test_read_alone(self):
        """On the whole page Tesseract sees nothing; at the place it reads what stands there."""
        drawn = self.draw(["portrait", "turned by 90", "crop box, turned"], 2)
        n_confirmed = n_denied = 0
        for numbers in (plates.NUMBERS, plates.NUMBERS[:2]):
            records = self.ask(numbers)
            for name, (_, sheets, scale) in drawn.items():
                for colour in plates.COLOURS:
                    found = plates.Found(records[name], colour, sheets, scale)
                    self.assertTrue(found.is_pointed, found.evidence)
                    if found.stands_there:  # a place beside the middle of a plate cuts its number
                        n_confirmed += found.evidence["confirmed"]
                    else:
                        n_denied += 1
                        self.assertFalse(found.evidence["confirmed"], found.evidence)
        self.assertGreater(n_confirmed, 2)
        self.assertGreater(n_denied, 3)


if __name__ == "__main__":
    e2e.main()
