"""weft links no decoder, and each helper program links its family only."""

import subprocess

import e2e

DECODERS = {"poppler": ("libpoppler",), "png": ("libpng",), "jpeg": ("libjpeg", "libturbojpeg"),
            "av": ("libavformat", "libavcodec", "libswscale", "libswresample"),
            "tesseract": ("libtesseract", "liblept")}


@e2e.needs("objdump")
class Links(e2e.Case):
    def needed(self, program):
        """Families of decoders among the libraries that the program itself asks for."""
        result = subprocess.run(["objdump", "-p", program], capture_output=True, text=True,
                                check=False)
        self.assert_code(result, 0)
        names = [line.split()[1] for line in result.stdout.splitlines()
                 if line.split()[:1] == ["NEEDED"]]
        self.assertTrue(any(n.startswith("libc.so") for n in names), names)
        return {family for family, starts in DECODERS.items() for name in names
                if name.startswith(starts)}

    def test_weft(self):
        self.assertEqual(self.needed(e2e.WEFT), set())
        # Also through the libraries of its libraries.
        result = subprocess.run(["ldd", e2e.WEFT], capture_output=True, text=True, check=False)
        self.assert_code(result, 0)
        for starts in DECODERS.values():
            for start in starts:
                self.assertNotIn(start, result.stdout)

    def test_helpers(self):
        allowed = {"pdf": {"poppler"}, "image": {"png", "jpeg", "av"}, "av": {"av"},
                   "ocr": {"tesseract"}}
        found = sorted(p.name.split("-")[-1] for p in e2e.HELPERS.glob("weft-decode-*")
                       if p.is_file())
        self.assertLessEqual({"av", "image", "pdf"}, set(found))
        for name in found:
            with self.subTest(name):
                families = self.needed(e2e.HELPERS / f"weft-decode-{name}")
                self.assertLessEqual(families, allowed[name])
                self.assertNotEqual(families, set())


if __name__ == "__main__":
    e2e.main()
