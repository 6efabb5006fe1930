"""Memory is flat: pictures that would not fit together are decoded one after the other."""
import pathlib
import struct
import sys
import zlib

import e2e

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import measure_memory  # noqa: E402

SIDE = 6000  # 108 MB in RGB; four of them are half as much again as the limit below
LIMIT_MIB = 256


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(seed):
    """A grey ground with a band, different for each seed."""
    squeeze = zlib.compressobj(1)
    rows = []
    for y in range(SIDE):
        shade = 40 if (y // 100) % 7 == seed else 200
        rows.append(squeeze.compress(b"\0" + bytes([shade, shade, 255]) * SIDE))
    rows.append(squeeze.flush())
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"".join(rows)) + \
        chunk(b"IEND", b"")


class Memory(e2e.Case):
    def test_large_pictures_take_turns(self):
        pictures = self.folder / "pictures"
        pictures.mkdir()
        for seed in range(4):
            (pictures / f"{seed}.png").write_bytes(png(seed))
        code, peak, _ = measure_memory.measure(
            [e2e.WEFT, "run", "-q", "-t", "inventory", "-j", "4", "--memory", f"{LIMIT_MIB}M",
             "--limit", "decoder-bytes=160M", "-o", self.folder / "out", pictures])
        self.assertEqual(code, 0)
        records = e2e.by_name(self.folder / "out")
        self.assertEqual([records[f"{seed}.png"]["status"] for seed in range(4)], ["ok"] * 4)
        self.assertGreater(peak.total, SIDE * SIDE * 3)  # or nothing was measured
        self.assertLess(peak.total, LIMIT_MIB << 20, peak.parts)


if __name__ == "__main__":
    e2e.main()
