#!/usr/bin/env python3
"""Prints the medians of handshakes.sh as a table.

  handshake_table.py RESULTS PEER    RESULTS has lines of: latency, server, handshakes/s, p50, p95, p99, failures;
                                     the last column of the table is the ratio to the server PEER
"""

import statistics
import sys
from collections import defaultdict

COLUMNS = ("handshakes/s", "p50 ms", "p95 ms", "p99 ms")


def main(results: str, peer: str) -> None:
    measured = defaultdict(list)  # (latency, server) -> repetitions
    with open(results, encoding="utf-8") as lines:
        for line in lines:
            latency, server, *values = line.rstrip("\n").split("\t")
            measured[int(latency), server].append([float(value) for value in values])

    print(f"{'C_Sign + ms':>11}  {'server':16}", *(f"{name:>12}" for name in COLUMNS), f"{'failed':>8} {'to ' + peer:>10}")
    for (latency, server), repetitions in sorted(measured.items(), key=lambda item: item[0][0]):
        *medians, _ = (statistics.median(column) for column in zip(*repetitions))
        failed = sum(values[-1] for values in repetitions)
        yardstick = statistics.median(values[0] for values in measured[latency, peer])
        ratio = f"{medians[0] / yardstick:.2f}" if yardstick > 0 else "-"
        print(f"{latency:>11}  {server:16}", f"{medians[0]:12.0f}", *(f"{value:12.2f}" for value in medians[1:]),
              f"{failed:8.0f} {ratio:>10}")


if __name__ == "__main__":
    main(*sys.argv[1:])
