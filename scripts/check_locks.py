#!/usr/bin/env python3
"""Has clang check who holds which mutex (-Wthread-safety), in native/ and provider/, without compiling anything.

  scripts/check_locks.py               checks the files that know a mutex; prints clang's warnings. What was found
                                       right is not checked again while it and its headers are as they were:
                                       all take forty seconds of two processors, most changes a few
  scripts/check_locks.py --self-test   sees clang warn of a member that is read without its mutex

native/pkcs11/mutex.h has the annotations. Exit code 77, with the reason on standard error: there is no clang.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOMS = ("native", "provider")
ANNOTATED = "native/pkcs11/mutex.h"
CLANGS = ("clang++", "clang++-14", "clang++-16", "clang++-18", "clang++-19")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)

PLANTED = """#include "native/pkcs11/mutex.h"
class Planted {
 public:
  int value() { return value_; }
 private:
  keystay::pkcs11::Mutex mutex_;
  int value_ KEYSTAY_GUARDED_BY(mutex_) = 0;
};
"""


def includes(root: Path, path: str, known: dict) -> set:
    """The headers of the tree that a file includes, and those that they include."""
    if path not in known:
        known[path] = set()  # also where headers include one another
        file = root / path
        direct = INCLUDE.findall(file.read_text(encoding="utf-8")) if file.is_file() else []
        known[path] = set(direct).union(*(includes(root, header, known) for header in direct))
    return known[path]


def sources(root: Path) -> dict:
    """The files that know a mutex, each with a digest of all that it is compiled from."""
    known: dict = {}
    found = {}
    for path in (path for room in ROOMS for path in sorted((root / room).rglob("*.cpp"))):
        headers = includes(root, str(path.relative_to(root)), known)
        if ANNOTATED in headers:
            parts = [path, *(root / header for header in sorted(headers)), Path(__file__)]
            content = b"".join(part.read_bytes() for part in parts if part.is_file())
            found[path] = hashlib.sha256(content).hexdigest()
    return found


def command(root: Path, clang: str) -> list:
    flags = subprocess.run(["pkg-config", "--cflags", "p11-kit-1"], capture_output=True, text=True, check=True)
    return [clang, "-std=c++20", "-fsyntax-only", "-I", str(root), *flags.stdout.split(),
            "-DKEYSTAY_VERSION=\"\"", "-Wno-everything", "-Wthread-safety", "-Werror=thread-safety"]


def faults_of(arguments: list, file: Path) -> list:
    output = subprocess.run([*arguments, str(file)], capture_output=True, text=True)
    lines = [line for line in output.stderr.splitlines() if "error: " in line]
    return lines if lines or output.returncode == 0 else [f"{file}: clang failed: {output.stderr}"]


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    clang = next((name for name in CLANGS if shutil.which(name)), None)
    if not clang:
        print("clang is not installed", file=sys.stderr)
        return 77
    arguments = command(root, clang)
    if sys.argv[1:] == ["--self-test"]:
        with tempfile.TemporaryDirectory() as directory:
            planted = Path(directory) / "planted.cpp"
            planted.write_text(PLANTED, encoding="utf-8")
            found = faults_of(arguments, planted)
        if any("requires holding mutex" in line for line in found):
            return 0
        print("locks self-test: a member that is read without its mutex went unnoticed")
        return 1
    digests = sources(root)
    record = root / "build" / "locks-checked.txt"
    right = set(record.read_text().split()) if record.is_file() else set()
    files = [path for path, digest in digests.items() if digest not in right]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(files, pool.map(lambda file: faults_of(arguments, file), files)))
    record.parent.mkdir(exist_ok=True)
    record.write_text("".join(f"{digest}\n" for path, digest in digests.items() if not found.get(path)))
    faults = sorted({line.replace(f"{root}/", "") for lines in found.values() for line in lines})
    for line in faults:
        print(line)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
