#!/usr/bin/env python3
"""Seeds for tests/fuzz/fuzz_journal.c, out of journals that weft wrote.

    tools/make_journal_corpus.py STATE [FOLDER]

STATE is the state folder of a run over examples/inbox (`weft run -t transcript -o OUT examples/inbox`
leaves it in OUT/state). Of each small journal there are two seeds: the file, under the target's key,
and its entries.
"""
import pathlib
import struct
import sys

KEY = bytes.fromhex("00112233445566778899aabbccddeeff" * 2)
HEADER = 44
SEED_MAX = 12000


def entries(data):
    at = HEADER
    while at + 8 <= len(data):
        length, = struct.unpack_from("<I", data, at)
        yield data[at + 8:at + 8 + length]
        at += 8 + length


def main():
    state = pathlib.Path(sys.argv[1])
    folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "tests/fuzz/corpus/journal")
    folder.mkdir(parents=True, exist_ok=True)
    journals = sorted(state.glob("cache/??/*"), key=lambda path: path.stat().st_size)
    for number, path in enumerate(journals):
        data = path.read_bytes()
        if len(data) > SEED_MAX:
            break
        (folder / f"file-{number}").write_bytes(b"\0" + data[:12] + KEY + data[HEADER:])
        chunks = b"".join(struct.pack("<HB", len(entry) - 1, entry[0]) + entry[1:]
                          for entry in entries(data))
        (folder / f"entries-{number}").write_bytes(b"\1" + chunks)


if __name__ == "__main__":
    main()
