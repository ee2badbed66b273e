#!/usr/bin/env python3
"""Adds up a CTest run and prints `N passed, N failed, N skipped` as its last line.

  scripts/summarize_tests.py CTEST_JUNIT_XML [--cases DIRECTORY] [--check NAME=passed|failed]
                             [--allowed-skips FILE [--fact WORD]...]

A test program that left a report of its cases (GoogleTest, NAME.xml in DIRECTORY) counts by its cases, so that a
skipped case is counted as skipped; every other CTest test counts as one, and so does a check that ran before. A program
that CTest saw fail counts as failed even if all its cases passed: it crashed at exit, leaked, or ran out of time. With a
list of allowed skips, which is described in tests/allowed-skips.txt, any other skip counts as failed; the facts are what
is so in this run. Exits with 1 if a test failed or none ran.
"""

import argparse
import fnmatch
import re
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path


# The facts that tests/run.sh tells, and "any", which is none.
FACT = re.compile(r"any|release|asan|tsan|short|user|unmounted|lossless|goless|(debian|ubuntu)[0-9.]*")


@dataclass(frozen=True)
class AllowedSkip:
    """One line of the list: where all these facts hold, the tests whose names match may be skipped."""
    facts: frozenset
    test: str

    def covers(self, name: str, facts: set) -> bool:
        return self.facts <= facts and fnmatch.fnmatchcase(name, self.test)


def read_allowed_skips(path: Path) -> list:
    """Exits with a message for a line of another form: a typing error must not allow anything, or hide a line."""
    allowed = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = [column.strip() for column in line.split("|", 2)]
        if len(columns) != 3 or not all(columns):
            sys.exit(f"{path}:{number}: expected: WHEN | TEST | WHY")
        unknown = [word for word in columns[0].split() if not FACT.fullmatch(word)]
        if unknown:
            sys.exit(f"{path}:{number}: no fact of a run: {unknown[0]}; the head of the file lists them")
        allowed.append(AllowedSkip(frozenset(columns[0].split()) - {"any"}, columns[1]))
    return allowed


@dataclass
class Tally:
    """What became of the tests. A skip that the list (None: there is no list) does not allow is a failure."""
    allowed: list | None = None
    facts: set = field(default_factory=set)
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list = field(default_factory=list)
    skips: list = field(default_factory=list)

    def add(self, name: str, outcome: str, reason: str = ""):
        told = f"{name}: {reason}" if reason else name
        if outcome == "skipped" and not self.may_skip(name):
            outcome, told = "failed", f"{told} (skipped, which tests/allowed-skips.txt does not allow here)"
        setattr(self, outcome, getattr(self, outcome) + 1)
        if outcome == "failed":
            self.failures.append(told)
        if outcome == "skipped":
            self.skips.append(told)

    def may_skip(self, name: str) -> bool:
        return self.allowed is None or any(line.covers(name, self.facts) for line in self.allowed)


def ctest_outcome(case) -> str:
    status = case.get("status")
    if status == "run" and case.find("failure") is None:
        return "passed"
    if status in {"notrun", "disabled"} and case.find("skipped") is not None:
        return "skipped"
    return "failed"


def skip_reason(case) -> str:
    """The last line that says `skipped: …`, as the scripts in tests/interop print it."""
    output = case.findtext("system-out") or ""
    reasons = [line.split("skipped:", 1)[1].strip() for line in output.splitlines() if "skipped:" in line]
    return reasons[-1] if reasons else ""


def googletest_outcome(case) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    if case.find("skipped") is not None or case.get("result") in {"skipped", "suppressed"}:
        return "skipped"
    return "passed"


def add_googletest(tally: Tally, program: str, report: Path, program_outcome: str):
    failed_before = tally.failed
    for case in ElementTree.parse(report).iter("testcase"):
        skipped = case.find("skipped")
        reason = (skipped.get("message") or "").strip().splitlines() if skipped is not None else []
        tally.add(f'{program}: {case.get("classname")}.{case.get("name")}', googletest_outcome(case),
                  reason[-1] if reason else "")
    if program_outcome == "failed" and tally.failed == failed_before:
        tally.add(f"{program} (the program itself)", "failed")


def add_up(tally: Tally, ctest_report: Path, cases: Path | None):
    for case in ElementTree.parse(ctest_report).iter("testcase"):
        name, outcome = case.get("name"), ctest_outcome(case)
        report = cases / f"{name}.xml" if cases else None
        if report and report.is_file() and outcome != "skipped":
            add_googletest(tally, name, report, outcome)
        else:
            tally.add(name, outcome, skip_reason(case) if outcome == "skipped" else "")


def main() -> int:
    parser = argparse.ArgumentParser(description="adds up a CTest run")
    parser.add_argument("report", type=Path)
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--check", action="append", default=[])
    parser.add_argument("--allowed-skips", type=Path)
    parser.add_argument("--fact", action="append", default=[])
    arguments = parser.parse_args()
    allowed = read_allowed_skips(arguments.allowed_skips) if arguments.allowed_skips else None
    tally = Tally(allowed, set(arguments.fact))
    add_up(tally, arguments.report, arguments.cases)
    tests = tally.passed + tally.failed
    for check in arguments.check:
        tally.add(*check.rsplit("=", 1))
    for skip in tally.skips:
        print(f"skipped: {skip}")
    for failure in tally.failures:
        print(f"failed: {failure}")
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return 0 if tally.failed == 0 and tests > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
