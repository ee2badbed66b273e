#!/usr/bin/env python3
"""Prints the medians of bodies.sh as a table.

  bodies_table.py RESULTS PEER    RESULTS has lines of: direction, server, MiB, microseconds, microseconds of processor time; the
                                  ratios are to the server PEER
"""

import statistics
import sys
from collections import defaultdict


def main(results: str, peer: str) -> None:
    rates = defaultdict(list)  # (direction, server) -> MiB/s
    processor = defaultdict(list)  # likewise, milliseconds for a GiB
    with open(results, encoding="utf-8") as lines:
        for line in lines:
            direction, server, mib, elapsed, spent = line.rstrip("\n").split("\t")
            rates[direction, server].append(int(mib) / int(elapsed) * 1e6)
            processor[direction, server].append(int(spent) / int(mib) * 1.024)

    print(f"{'':5} {'server':14} {'MiB/s':>8} {'to ' + peer:>11} {'ms of processor for a GiB':>26} {'to ' + peer:>11}")
    for direction, server in rates:
        rate, spent = (statistics.median(column[direction, server]) for column in (rates, processor))
        peer_rate, peer_spent = (statistics.median(column[direction, peer]) for column in (rates, processor))
        print(f"{direction:5} {server:14} {rate:8.0f} {rate / peer_rate:11.2f} {spent:26.0f} {spent / peer_spent:11.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
