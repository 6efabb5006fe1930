"""Journals (pipeline/journal.h), read and forged: a page or an answer that stands there in other words
shows in the record only if nothing was read or asked again."""
import struct

HEADER = 44
MARK, END, PART, ANSWER = 1, 2, 16, 32


def checksum(payload):
    value = 0xcbf29ce484222325
    for byte in struct.pack("<I", len(payload)) + payload:
        value = (value ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return (value ^ value >> 32) & 0xffffffff


def frames(data):
    """The payloads as far as they hold together."""
    at = HEADER
    while at + 8 <= len(data):
        length, expected = struct.unpack_from("<II", data, at)
        payload = data[at + 8:at + 8 + length]
        if length == 0 or len(payload) < length or checksum(payload) != expected:
            return
        yield payload
        at += 8 + length


def load(path):
    return list(frames(path.read_bytes()))


def kinds(path):
    return [payload[0] for payload in load(path)]


def rewrite(path, change):
    """Puts change(payload) in the place of each."""
    data = path.read_bytes()
    out = data[:HEADER]
    for payload in map(change, frames(data)):
        out += struct.pack("<II", len(payload), checksum(payload)) + payload
    path.write_bytes(out)


def forge(path, old, new):
    """Changes bytes in all entries; as many for as many. How many entries had them."""
    assert len(old) == len(new)
    data = path.read_bytes()
    payloads = list(frames(data))
    out = data[:HEADER]
    for payload in payloads:
        payload = payload.replace(old, new)
        out += struct.pack("<II", len(payload), checksum(payload)) + payload
    path.write_bytes(out)
    return sum(old in payload for payload in payloads)


def in_work(out):
    folder = out / "state/work"
    return sorted(folder.iterdir()) if folder.is_dir() else []


def in_cache(out):
    return sorted(out.glob("state/cache/??/*"))
