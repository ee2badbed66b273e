#!/usr/bin/env python3
"""What scripts/summarize_tests.py makes of skipped tests, and that tests/allowed-skips.txt can be read.

  allowed_skips_test.py SOURCE_DIRECTORY
"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(sys.argv.pop(1)).resolve()

# As ctest --output-junit writes it: one test that ran, a script that was skipped, a program with a report of its cases.
CTEST_REPORT = """<testsuite>
  <testcase name="passes" status="run"/>
  <testcase name="interop-nginx_serves" status="notrun">
    <skipped message=""/><system-out>skipped: nginx is not installed (package nginx-light)</system-out>
  </testcase>
  <testcase name="provider-test" status="run"/>
</testsuite>"""
CASES_REPORT = """<testsuites><testsuite>
  <testcase classname="ForkTest" name="Signs" result="completed"/>
  <testcase classname="ForkTest" name="Loads" result="skipped"><skipped message="no locks"/></testcase>
</testsuite></testsuites>"""


class AllowedSkipsTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        (self.directory / "ctest.xml").write_text(CTEST_REPORT, encoding="utf-8")
        (self.directory / "provider-test.xml").write_text(CASES_REPORT, encoding="utf-8")

    def summary(self, allowed, *facts):
        """The exit code, the last line, and everything that was printed."""
        (self.directory / "allowed").write_text(allowed, encoding="utf-8")
        return self.run_with(self.directory / "allowed", facts)

    def run_with(self, allowed, facts):
        outcome = subprocess.run(
            [SOURCE / "scripts/summarize_tests.py", self.directory / "ctest.xml", "--cases", self.directory,
             "--allowed-skips", allowed, *(f"--fact={fact}" for fact in facts)],
            check=False, capture_output=True, text=True)
        lines = outcome.stdout.splitlines()
        return outcome.returncode, lines[-1] if lines else "", outcome.stdout + outcome.stderr

    def test_skips_that_the_list_names_are_skips(self):
        code, last, output = self.summary(
            "# a comment\n\nany | interop-nginx_serves | why\nany | provider-test: ForkTest.* | why\n", "release")
        self.assertEqual((code, last), (0, "2 passed, 0 failed, 2 skipped"), output)
        self.assertIn("skipped: interop-nginx_serves: nginx is not installed", output)

    def test_any_other_skip_is_a_failure_with_its_reason(self):
        code, last, output = self.summary("any | provider-test: ForkTest.Loads | why\n", "release")
        self.assertEqual((code, last), (1, "2 passed, 1 failed, 1 skipped"), output)
        self.assertIn("failed: interop-nginx_serves: nginx is not installed (package nginx-light) (skipped", output)

    def test_a_case_that_was_skipped_is_a_failure_too(self):
        code, last, output = self.summary("any | interop-* | why\n", "release")
        self.assertEqual((code, last), (1, "2 passed, 1 failed, 1 skipped"), output)
        self.assertIn("failed: provider-test: ForkTest.Loads: no locks", output)

    def test_an_empty_list_allows_nothing(self):
        self.assertEqual(self.summary("", "release")[:2], (1, "2 passed, 2 failed, 0 skipped"))

    def test_every_fact_of_a_line_must_hold(self):
        allowed = "any | provider-test: * | why\nasan debian12 | interop-* | why\n"
        self.assertEqual(self.summary(allowed, "asan", "debian12")[0], 0)
        self.assertEqual(self.summary(allowed, "asan", "debian13")[0], 1)
        self.assertEqual(self.summary(allowed, "release", "debian12")[0], 1)
        self.assertEqual(self.summary(allowed)[0], 1)

    def test_names_match_as_a_whole(self):
        self.assertEqual(self.summary("any | interop-nginx | why\nany | provider-test: * | why\n", "release")[0], 1)

    def test_a_line_without_a_reason_or_with_an_unknown_fact_is_refused(self):
        for line in ("any | interop-*", "any | interop-* | ", "debain12 | interop-* | why", "| interop-* | why"):
            code, _, output = self.summary(line + "\n", "release")
            self.assertEqual(code, 1, output)
            self.assertIn("allowed:1: ", output)

    def test_the_list_of_the_repository_can_be_read_and_allows_no_server_to_be_missing(self):
        code, last, output = self.run_with(SOURCE / "tests/allowed-skips.txt", ["release", "debian12", "short", "user"])
        self.assertEqual((code, last), (1, "2 passed, 2 failed, 0 skipped"), output)


if __name__ == "__main__":
    unittest.main()
