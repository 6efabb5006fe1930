#!/usr/bin/env python3
"""What weft plan predicts beside what weft bench measures, on this machine, in one go.

    tools/check_plan.py WEFT BUNDLE [-p 512] [-n 32] [--repeats 2]

Prints memory, prefill and decoding of both and their ratios; exit 1 when memory is off by more than
5 % or a time by more than 1.5 x. Memory is the peak of the bench's resident set, of which mapped
weights count what was touched: run it twice where the weights were not in memory before.
"""
import argparse
import json
import subprocess
import sys

MEMORY_LIMIT, TIME_LIMIT = 1.05, 1.5


def weft(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weft")
    parser.add_argument("bundle")
    parser.add_argument("-p", "--prompt", type=int, default=512)
    parser.add_argument("-n", "--answer", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=2)
    arguments = parser.parse_args()
    sizes = ["-p", arguments.prompt, "-n", arguments.answer]
    plan = weft(arguments.weft, "plan", "--json", *sizes, arguments.bundle)
    bench = weft(arguments.weft, "bench", "-m", arguments.bundle, *sizes, "--repeats",
                 arguments.repeats)
    # Measured once, the prompt has the weights' first way into memory in it.
    first_s = plan["time"]["first_touch_s"] if arguments.repeats == 1 else 0
    prefill = arguments.prompt / (plan["time"]["prefill_s"] + first_s)
    rows = [
        ("memory, GB", plan["memory"]["resident_bytes"] / 1e9, bench["peak_rss_bytes"] / 1e9,
         MEMORY_LIMIT),
        ("prompt, tokens/s", prefill, bench["prefill_tokens_per_s"],
         TIME_LIMIT),
        ("answer, tokens/s", plan["time"]["decode_tokens_s"], bench["decode_tokens_per_s"],
         TIME_LIMIT),
    ]
    is_good = True
    print(f"{'':18} {'planned':>10} {'measured':>10} {'ratio':>7}")
    for name, planned, measured, limit in rows:
        ratio = planned / measured
        fits = 1 / limit <= ratio <= limit
        is_good &= fits
        print(f"{name:18} {planned:10.3f} {measured:10.3f} {ratio:7.3f}{'' if fits else '  <<<'}")
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
