#!/usr/bin/env python3
"""Prints how long handshakes took before, while and after a member died, from the lines of member_dies.sh.

  death_table.py DEATHS DELAY SHARE    DEATHS has lines of: kind, 1 on the first line of each death, begin (seconds from the
                                       death), length (ms). DELAY and SHARE are in ms: of a signature, and what a hang may
                                       take of a deadline
"""

import sys
from collections import defaultdict


def quantile(values, fraction):
    ordered = sorted(values)
    return ordered[round((len(ordered) - 1) * fraction)] if ordered else float("nan")


def window(handshakes, first, last):
    """Those that began in these seconds; at the moment of the death also those that had begun before and were on their way."""
    return [ms for begin, ms in handshakes
            if first <= begin < last or (first == 0 and begin < 0 and begin + ms / 1000 >= 0)]


def show(name, values):
    print(f"  {name:24} {len(values):8}", *(f"{quantile(values, fraction):10.2f}" for fraction in (0.5, 0.95, 0.99, 1)))


def main(deaths, delay, share):
    kinds = defaultdict(list)
    numbers = defaultdict(int)
    with open(deaths, encoding="utf-8") as lines:
        for line in lines:
            kind, first, begin, length = line.split()
            numbers[kind] += int(first)
            kinds[kind].append((float(begin), float(length)))
    for kind, handshakes in kinds.items():
        hang = share if kind == "stopped" else 0.0
        print(f"\n{kind} ({numbers[kind]} times)")
        print(f"  {'':24} {'number':>8} {'p50 ms':>10} {'p95 ms':>10} {'p99 ms':>10} {'longest':>10}")
        quiet = window(handshakes, -4, -0.5)
        dying = window(handshakes, 0, 1)
        over = 1 + hang / 1000  # a member that hangs is taken out when the first attempt has waited so long
        after = window(handshakes, over, over + 1)
        show("quiet", quiet)
        show("second of the death", dying)
        if hang:
            show("until it is out", window(handshakes, 1, over))
        show("second after", after)
        limit = quantile(quiet, 0.99) + delay + hang
        print(f"  p99 in the second of the death: {quantile(dying, 0.99):.2f} ms, wanted at most {limit:.2f} (quiet, a signature"
              f"{', the share of a hang' if hang else ''})")
        print(f"  median of the second after: {quantile(after, 0.5) / quantile(quiet, 0.5):.2f} times quiet, wanted at most 1.20")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
