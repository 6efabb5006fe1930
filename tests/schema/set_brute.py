#!/usr/bin/python3
"""Lexemes and sets of numbers against lists of all their members.

    set_brute.py ANSWERS [N] [SEED]

ANSWERS is the program of set_answers.c. Makes N random sets of strings (patterns, patterns under
not, lengths) over a small alphabet, and of numbers; lists with Python's re and decimal arithmetic
all that is in the set, and asks for the whole tree of allowed bytes: after each prefix exactly
those bytes may come with which something listed goes on, the set ends where one ends, close is the
distance to the nearest one. Formats, which can't be listed, are held against the standard library.
Prints TAP.
"""
import base64
import datetime
import decimal
import ipaddress
import itertools
import json
import random
import re
import subprocess
import sys
import urllib.parse
import uuid

N_DEFAULT, SEED_DEFAULT = 400, 1
TREE_MAX = 20000


class Answers:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        encoding="utf-8")

    def __call__(self, **question):
        self.process.stdin.write(json.dumps(question, ensure_ascii=False) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"Bail out! no answer to {question!r}")
        return json.loads(line)


def spelled(text):
    """The one JSON spelling of lexeme.h, without quotes."""
    out = []
    for c in text:
        if c in '"\\':
            out.append("\\" + c)
        elif c in "\n\t":
            out.append({"\n": "\\n", "\t": "\\t"}[c])
        elif c < " ":
            out.append(f"\\u{ord(c):04x}")
        else:
            out.append(c)
    return "".join(out).encode()


def spelled_class(members):
    return "[" + "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in members) + "]"


# Ours; Python's for what all engines take; Python's for what one of them takes.
NAMES = [(".", "[^\n\r\x85\u2028\u2029]", "[^\n]"), ("\\d", "[0-9]", "\\d"),
         ("\\w", "[0-9A-Za-z_]", "\\w"), ("\\W", "(?![0-9A-Za-z_])\\W", "[^0-9A-Za-z_]"),
         ("\\s", "[ \t\n\r\v\f\xa0]", "\\s"), ("[^\\s]", "\\S", "[^ \t\n\r\v\f\xa0]"),
         ("[\\w-]", "[0-9A-Za-z_-]", "[\\w-]"), ("[^\\w\"]", "(?![0-9A-Za-z_\"])\\W", "[^0-9A-Za-z_\"]"),
         ("[\\s\\S]", "(?s:.)", "(?s:.)")]
PLACES = [("^", "\\A", "\\A"), ("$", "\\Z", "\\Z"),
          ("\\b", "(?a:\\b)(?u:\\b)", "(?:(?a:\\b)|(?u:\\b))"),
          ("\\B", "(?a:\\B)(?u:\\B)(?!\\A\\Z)", "(?:(?a:\\B)|(?u:\\B)|\\A\\Z)")]


def random_pattern(rand, alphabet, depth):
    """A pattern in our spelling, and its two readings in Python's."""
    kind = rand.randrange(12 if depth > 0 else 4)
    if kind < 2:
        c = rand.choice(alphabet)
        return (re.escape(c) if c not in "\n\t" else {"\n": "\\n", "\t": "\\t"}[c],) * 3
    if kind == 2:
        text = spelled_class(rand.sample(alphabet, rand.randint(1, len(alphabet))))
        return (text.replace("[", rand.choice(["[", "[^"])),) * 3
    if kind == 3:
        return rand.choice(NAMES)
    if kind == 4:
        return rand.choice(PLACES)
    one, other = random_pattern(rand, alphabet, depth - 1), random_pattern(rand, alphabet, depth - 1)
    if kind < 8:
        return tuple(a + b for a, b in zip(one, other))
    if kind < 10:
        return tuple(f"(?:{a}|{b})" for a, b in zip(one, other))
    low = rand.randrange(3)
    times = rand.choice(["*", "+", "?", "*?", "{%d}" % low, "{%d,}" % low, "{%d,%d}" % (low, low + rand.randrange(3))])
    return tuple(f"({a}){times}" for a in one)


def random_set(rand):
    """What is asked, and a function that says whether a text is in it."""
    alphabet = rand.choice([["a", "b"], ["a", "b", "1"], ["a", '"', "\\"], ["a", "\n", "\x01", "-"],
                            ["a", "é", "è", "€"], ["x", "😀", "😁", "\x1f"], ["a", "\t", " ", "."]])
    longest = {2: 7, 3: 5, 4: 4}[len(alphabet)]
    wanted = [random_pattern(rand, alphabet, rand.randint(1, 4)) for _ in range(rand.choice([1, 1, 1, 2, 3]))]
    if rand.random() < 0.2:
        look, kind = random_pattern(rand, alphabet, 2), rand.choice("=!")
        ahead = (look[0], look[1], look[2]) if kind == "=" else (look[0], look[2], look[1])
        wanted[0] = tuple(f"{start}(?{kind}{a})(?:{w})" for start, a, w in zip(["^", "\\A", "\\A"], ahead, wanted[0]))
    unwanted = [random_pattern(rand, alphabet, 2) for _ in range(rand.choice([0, 0, 0, 1]))]
    low, high = rand.choice([0, 0, 0, 1, 2, longest]), rand.randint(1, longest)
    if rand.random() < 0.2:
        low = high
    question = {"patterns": [f"^{spelled_class(alphabet)}*$"] + [p[0] for p in wanted], "not": [p[0] for p in unwanted],
                "min": low, "max": high}
    inside = [re.compile(p[1]) for p in wanted]
    outside = [re.compile(p[2]) for p in unwanted]

    def has(text):
        return (low <= len(text) <= high and all(p.search(text) for p in inside)
                and not any(p.search(text) for p in outside))

    texts = ["".join(t) for n in range(longest + 1) for t in itertools.product(alphabet, repeat=n)]
    return question, texts, has


def tree_of(strings):
    """Prefix -> (allowed bytes, accepts, close) of a finite set of byte strings."""
    tree = {}
    for string in strings:
        for n in range(len(string) + 1):
            following, accepts, close = tree.setdefault(string[:n], (set(), [], []))
            if n < len(string):
                following.add(string[n])
            else:
                accepts.append(1)
            close.append(len(string) - n)
    return tree


def wrong_tree(answer, strings):
    """What the answer says that the listed strings do not, or None."""
    tree = tree_of(strings)
    if not strings or "empty" in answer:
        return None if not strings and "empty" in answer else f"{len(strings)} strings, answer {str(answer)[:80]}"
    if answer["n"] > TREE_MAX:
        return "too many states"
    seen = set()
    for prefix, following, accepts, close, forced in answer["states"]:
        prefix, following = bytes.fromhex(prefix), set(bytes.fromhex(following))
        seen.add(prefix)
        if prefix not in tree:
            return f"{prefix!r} goes nowhere"
        want = tree[prefix]
        if following != want[0]:
            return f"after {prefix!r}: {following} allowed, {want[0]} are right"
        if accepts != bool(want[1]) or close != min(want[2]):
            return f"after {prefix!r}: ends {accepts}, close {close}; right {want[1]}, {min(want[2])}"
        alone = min(want[0]) if len(want[0]) == 1 and not want[1] else -1
        if forced != alone:
            return f"after {prefix!r}: forced {forced}, right {alone}"
    return None if len(seen) == len(tree) else "prefixes are missing"


def check_random(answers, n, seed):
    n_compared = n_empty = 0
    rand = random.Random(seed)
    for i in range(n):
        question, texts, has = random_set(rand)
        answer = answers(ask="tree", limit=TREE_MAX, **question)
        if "error" in answer:
            if "can't be repeated" in answer["error"]:
                continue
            return f"{question}: {answer['error']}"
        strings = [spelled(t) for t in texts if has(t)]
        reason = wrong_tree(answer, strings)
        if reason:
            return f"{question}: {reason}"
        n_compared += 1
        n_empty += not strings
    print(f"# {n_compared} sets compared, {n_empty} of them empty")
    return None if n_compared > n / 2 else "too few were compared"


def bound(rand, low, high, places):
    """A number between low and high as JSON may spell it."""
    digits = rand.randint(low, high)
    text = str(decimal.Decimal(digits).scaleb(-places))
    value = decimal.Decimal(text)
    if rand.random() < 0.3:
        shift = rand.randint(-3, 3)
        text = f"{value.scaleb(-shift):f}e{shift:+d}"
    return (text.replace("E", "e") if "E" in text else text), value


def random_numbers(rand):
    """What is asked, and all members of the set."""
    is_integer = rand.random() < 0.5
    # Decimals have six places, so a range that can be listed is short.
    places = rand.choice([0, 0, 1]) if is_integer else rand.choice([3, 4, 6, 7])
    width = 3000 * 10 ** places if is_integer else max(1, 10 ** places // rand.choice([1000, 3000]))
    middle = rand.choice([0, 0, width // 2, -width // 3, rand.randint(-10 ** 6, 10 ** 6)])
    keywords, tests = [], []
    low, low_value = bound(rand, middle - width, middle, places)
    high, high_value = bound(rand, middle, middle + width, places)
    if rand.random() < 0.3:
        keywords.append(("exclusiveMinimum", low))
        tests.append(lambda v: v > low_value)
    keywords.append(("minimum", low))
    if rand.random() < 0.3:
        keywords.append(("exclusiveMaximum", high))
        tests.append(lambda v: v < high_value)
    keywords.append(("maximum", high))
    for _ in range(rand.choice([0, 1, 1, 2])):
        step = rand.choice(["1", "2", "3", "7", "10", "25", "0.1", "0.5", "0.01", "0.75", "1e-3", "2.5e1", "0.0025", "1e20",
                            "1e-9", "3.5e-8"])
        keywords.append(("multipleOf", step))
        tests.append(lambda v, s=decimal.Decimal(step): v % s == 0)
    rand.shuffle(keywords)
    members = []
    for n_fraction in range(1 if is_integer else 7):
        unit = decimal.Decimal(1).scaleb(-n_fraction)
        for n in range(int(low_value / unit) - 1, int(high_value / unit) + 2):
            value = n * unit
            if low_value <= value <= high_value and all(test(value) for test in tests):
                text = f"{value:.{n_fraction}f}"
                members.append(text.lstrip("-") if value == 0 else text)
    members = [m.encode() for m in set(members) if sum(c.isdigit() for c in m) <= 15]
    return {"numbers": keywords, "integer": is_integer}, members


def check_numbers(answers, n, seed):
    rand = random.Random(seed)
    n_compared = n_empty = 0
    for _ in range(n):
        question, members = random_numbers(rand)
        if len(members) > TREE_MAX / 2:
            continue
        answer = answers(ask="tree", limit=TREE_MAX, **question)
        if "error" in answer:
            return f"{question}: {answer['error']}"
        reason = wrong_tree(answer, members)
        if reason:
            return f"{question}: {reason}"
        n_compared += 1
        n_empty += not members
    print(f"# {n_compared} sets of numbers compared, {n_empty} of them empty")
    return None if n_compared > n / 2 else "too few were compared"


def check_wide_numbers(answers, n, seed):
    """Ranges that are too wide to list: single numbers, and walks to an end."""
    rand = random.Random(seed)
    n_inside = 0
    for _ in range(n):
        is_integer = rand.random() < 0.5
        low, high = sorted(decimal.Decimal(rand.randint(-10 ** 15, 10 ** 15)).scaleb(-rand.randint(0, 16)) for _ in "ab")
        step = decimal.Decimal(rand.choice(["1", "7", "0.25", "0.001", "10000", "9999", "1e-5"]))
        question = {"numbers": [("minimum", str(low)), ("exclusiveMaximum", str(high)), ("multipleOf", str(step))],
                    "integer": is_integer}
        steps = [int(rand.uniform(float(low), float(high)) / float(step)) + d for d in range(-1, 2)]
        steps += [int(low / step) + d for d in range(-1, 2)] + [int(high / step) + d for d in range(-1, 2)]
        values = [k * step for k in steps] + [low, high]
        texts = [f"{v:f}" for v in values]
        texts = [t.rstrip("0").rstrip(".") if "." in t else t for t in texts]
        has = answers(ask="has", texts=texts, **question)["has"]
        for text, value, is_in in zip(texts, values, has):
            n_digits, n_fraction = sum(c.isdigit() for c in text), len(text.partition(".")[2])
            want = (low <= value < high and value % step == 0 and text != "-0"
                    and (abs(value) < 2 ** 53 and n_fraction == 0 if is_integer else n_digits <= 15 and n_fraction <= 6))
            if is_in != want:
                return f"{question}: {text} is {'in' if is_in else 'out'}"
            n_inside += want
        answer = answers(ask="walk", n=5, seed=1, **question)
        for text in answer.get("texts", []):
            value = decimal.Decimal(bytes.fromhex(text).decode())
            if not (low <= value < high and value % step == 0):
                return f"{question}: wrote {value}"
    print(f"# {n_inside} numbers inside")
    return None if n_inside > n else "too few were inside"


def is_moment(text):
    """RFC 3339, by the standard library, which knows no fraction of more than six digits."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", text, re.ASCII)
    return match and datetime.datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00"))


def is_host(text):
    labels = text.split(".")
    return (len(text) <= 253 and all(re.fullmatch(r"[A-Za-z0-9-]{1,63}", label) for label in labels)
            and not any(label[0] == "-" or label[-1] == "-" or label[2:4] == "--" for label in labels))


def is_uri(text):
    parts = urllib.parse.urlsplit(text)
    return parts.scheme and (parts.port or True) and re.fullmatch(r"[!-~]+", text) and not re.search("[\"<>\\\\^`{|}]", text)


JUDGES = {
    "date": datetime.date.fromisoformat, "date-time": is_moment, "time": lambda t: is_moment("2000-01-01T" + t),
    "ipv4": ipaddress.IPv4Address, "ipv6": ipaddress.IPv6Address, "hostname": is_host, "regex": lambda t: re.compile(t) and True,
    "uuid": lambda t: str(uuid.UUID(t)) == t.lower(), "uri": is_uri,
    "uuid4": lambda t: str(uuid.UUID(t)) == t.lower() and uuid.UUID(t).version == 4,
    "uuid1": lambda t: str(uuid.UUID(t)) == t.lower() and uuid.UUID(t).version == 1,
    "base64": lambda t: base64.b64decode(t, validate=True) is not None,
    "url": lambda t: is_uri(t) and re.fullmatch(r"https?", urllib.parse.urlsplit(t).scheme) and "." in urllib.parse.urlsplit(t).hostname,
    "email": lambda t: len(t) <= 254 and 1 <= t.index("@") <= 64 and is_host(t.partition("@")[2]),
    "json-pointer": lambda t: (t == "" or t[0] == "/") and not re.search(r"~(?![01])", t),
    "duration": lambda t: re.fullmatch(r"P(?=.)(\d+W|(\d+Y)?(\d+M)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?)", t),
}
# Format: what it has; what it has not.
FORMAT_TEXTS = {
    "date": (["2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31", "0400-02-29"],
             ["2023-02-29", "1900-02-29", "0000-01-01", "2024-04-31", "2024-13-01", "2024-1-1", "20240101", "2024-02-30"]),
    "time": (["23:59:59Z", "00:00:00.5+14:00"], ["24:00:00Z", "12:00Z", "12:00:00", "12:00:60Z", "12:00:00.Z"]),
    "date-time": (["2024-02-29T12:00:00Z", "1985-04-12T23:20:50.52-08:00"], ["2023-02-29T12:00:00Z", "2024-02-29 12:00:00Z"]),
    "duration": (["P1Y2M3DT4H5M6S", "P4W", "PT36H", "P1M", "PT1M"], ["P", "PT", "P1", "P1Y1W", "P1D1Y", "P1S", "PT1H2S", "P1Y2D"]),
    "uuid": (["2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2EB8AA08-AA98-11EA-B4AA-73B441D16380"],
             ["2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638"]),
    "uuid4": (["2eb8aa08-aa98-41ea-b4aa-73b441d16380"], ["2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2eb8aa08-aa98-41ea-c4aa-73b441d16380"]),
    "base64": (["", "YQ==", "YWI=", "YWJj"], ["Y", "YQ", "YQ=", "YW=j", "YW J"]),
    "url": (["http://example.org", "https://a-b.example.org/x?y=1#z"], ["http://localhost", "ftp://a.de", "//a.de", "http://a.de?x", "http://-a.de"]),
    "ipv4": (["0.0.0.0", "255.255.255.255", "1.20.100.9"], ["256.0.0.1", "1.2.3", "01.2.3.4", "1.2.3.4.5"]),
    "ipv6": (["::", "::1", "1::", "1:2:3:4:5:6:7:8", "1::8", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7::"],
             ["1:2:3:4:5:6:7", "1::2::3", "12345::", ":1", "1:2:3:4:5:6:7:8:9", "::%eth0", ":::"]),
    "email": (["a@b.c", "joe.bloggs+x@mail.example.org", "a" * 64 + "@b.c"],
              ["a@b", ".a@b.c", "a..b@c.d", "a@-b.c", "a" * 65 + "@b.c", "a@" + "b." * 130 + "c"]),
    "hostname": (["a", "www.example.org", "1a-b", "a" * 63, ".".join(["a" * 63] * 3 + ["b" * 61])],
                 ["", "-a", "a-", "a" * 64, "a..b", "xn--a", "a_b", ".".join(["a" * 63] * 4), "ab--c"]),
    "uri": (["http://example.org:8080/a/b?c=d#e", "urn:isbn:0451450523", "mailto:a@b.c", "https://1.2.3.4/%41", "http://a:65535"],
            ["//example.org", "a b:c", "http://a b/", "1a:b", "http://a/%4", "a", "http://a/<", "http://a:65536", "http://a..b"]),
    "uri-reference": (["", "/a", "a/b", "../x", "#f", "?q", "//h/p", "http://a"], ["a b", "\\\\a", "%zz"]),
    "json-pointer": (["", "/", "/a~0b/~1", "/é\n"], ["a", "/~", "/~2"]),
    "relative-json-pointer": (["0", "1/a", "2#"], ["01", "/a", "-1", "1a"]),
}


def check_formats(answers, n, seed):
    for name, judge in JUDGES.items():
        for longest in (40, 400):
            for text in answers(formats=[name], ask="walk", n=n // 2, seed=seed, free=longest)["texts"]:
                text = json.loads('"' + bytes.fromhex(text).decode() + '"')
                try:
                    is_right = judge(text)
                except ValueError:
                    is_right = False
                if not is_right:
                    return f"{name}: wrote {text!r}"
    for name, (inside, outside) in FORMAT_TEXTS.items():
        has = answers(formats=[name], ask="has", texts=inside + outside)["has"]
        for text, is_in in zip(inside + outside, has):
            if is_in != (text in inside):
                return f"{name}: {text!r} is {'in' if is_in else 'out'}"
    return None


def main():
    answers = Answers(sys.argv[1])
    n = int(sys.argv[2]) if len(sys.argv) > 2 else N_DEFAULT
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else SEED_DEFAULT
    checks = [("strings", lambda: check_random(answers, n, seed)),
              ("numbers", lambda: check_numbers(answers, max(20, n // 4), seed)),
              ("wide ranges of numbers", lambda: check_wide_numbers(answers, n, seed)),
              ("formats", lambda: check_formats(answers, n, seed))]
    print(f"1..{len(checks)}")
    for number, (name, check) in enumerate(checks, 1):
        reason = check()
        print(f"{'not ok' if reason else 'ok'} {number} {name}" + (f"\n# {reason}" if reason else ""))
    sys.exit(0)


if __name__ == "__main__":
    main()
