#!/usr/bin/env python3
"""Checks the arrows between Keystay's rooms: who may include whom, who may see libcrypto, who may call a token.

  scripts/check_layering.py [ROOT]     checks the tree; prints every broken arrow and why it matters
  scripts/check_layering.py --self-test
                                       breaks each rule in a temporary copy and sees the check fail
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCES = {".h", ".cpp", ".c"}

# Which rooms a room may include, itself apart. Tests may include everything.
ARROWS = {
    "native/pkcs11": set(),
    "native/config": {"native/pkcs11"},
    "native/remote": {"native/pkcs11", "native/config"},
    "native/keys": {"native/pkcs11", "native/config", "native/remote"},
    "native/ha": {"native/pkcs11", "native/config", "native/keys"},
    "native/x509": {"native/pkcs11", "native/config", "native/keys"},
    "native/async": set(),
    "provider": {"native/pkcs11", "native/config", "native/keys", "native/ha", "native/x509", "native/async"},
    "java": {"native/pkcs11", "native/config", "native/keys", "native/ha"},
    "keystore-tools": {"native/pkcs11", "native/config", "native/keys", "native/ha", "native/x509"},
    "tlsd": {"native/config", "native/async"},
    "relay": {"native/pkcs11", "native/config", "native/remote"},
    "packaging": {"keystore-tools", "tlsd"},  # what their command lines are declared to be
}
FRONT_DOORS = {"provider", "java", "keystore-tools", "tlsd", "relay"}

LIBCRYPTO = {"native/x509", "provider", "tlsd", "relay", "keystore-tools", "tests"}
CRYPTOKI = {"native/pkcs11", "native/remote", "tests"}  # native/remote implements the functions

# What of native/pkcs11, native/keys and native/ha the front doors may include: values, recipes and key sources, and nothing
# that is open on a token. All else is private to native/.
CROSSING = {
    "native/pkcs11/cryptoki.h",        # the types of values: CK_MECHANISM_TYPE, CK_OBJECT_CLASS
    "native/pkcs11/curve.h",
    "native/pkcs11/deactivated_label.h",
    "native/pkcs11/error.h",
    "native/pkcs11/fork_lock.h",
    "native/pkcs11/inside_module.h",
    "native/pkcs11/key_operations.h",
    "native/pkcs11/key_reference.h",
    "native/pkcs11/mechanism.h",
    "native/pkcs11/mechanism_names.h",
    "native/pkcs11/mutex.h",
    "native/pkcs11/per_process.h",
    "native/pkcs11/percent_encoding.h",
    "native/pkcs11/pin.h",
    "native/pkcs11/pin_syntax.h",
    "native/pkcs11/public_key.h",
    "native/pkcs11/signals_blocked.h",
    "native/pkcs11/slot_info.h",
    "native/pkcs11/text.h",
    "native/pkcs11/token_administration.h",
    "native/pkcs11/token_info.h",
    "native/pkcs11/unicode.h",
    "native/pkcs11/uri.h",
    "native/pkcs11/wipe.h",
    "native/pkcs11/wiped_text.h",
    "native/keys/alias_lookup.h",
    "native/keys/alias_name.h",
    "native/keys/alias_state.h",
    "native/keys/alias_store.h",
    "native/keys/certificate.h",
    "native/keys/chain.h",
    "native/keys/entry.h",
    "native/keys/kept_file.h",
    "native/keys/key_protection.h",
    "native/keys/key_source.h",
    "native/keys/key_spec.h",
    "native/keys/key_store.h",
    "native/keys/listing.h",
    "native/keys/name.h",
    "native/keys/pkix.h",
    "native/keys/secret_key.h",
    "native/keys/secret_key_use.h",
    "native/keys/private_key.h",
    "native/keys/public_objects.h",
    "native/keys/replication.h",
    "native/keys/rotation.h",
    "native/keys/tokens.h",
    "native/keys/unfinished.h",
    "native/keys/unfinished_label.h",
    "native/keys/wrapping.h",
    "native/ha/health.h",
    "native/ha/key_sources.h",
    "native/ha/member_token.h",
    "native/ha/notice.h",
    "native/ha/verified_operations.h",
}
OPEN_ON_A_TOKEN = re.compile(
    r"\b(?:CK_OBJECT_HANDLE|CK_SESSION_HANDLE|CK_SLOT_ID|CK_FUNCTION_LIST\w*|"
    r"pkcs11::(?:Session|Token|Module|Slot)|with_(?:rw_)?session)\b")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
CRYPTOKI_NAME = re.compile(r"\bC_[A-Z]\w*")
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def room_of(path: str) -> str:
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "native" else parts[0]


def why_not(room: str, included: str) -> str:
    if room in FRONT_DOORS and included in FRONT_DOORS:
        return "no front door includes another; what two of them share belongs into native/"
    if room == "tlsd":
        return "tlsd reaches keys only through OpenSSL and the provider, so that it works with any key"
    if room == "java":
        return "the JNI library knows the native core without libcrypto, which a JVM may hold in another version"
    if included == "tests":
        return "the product does not depend on its tests"
    return "arrows run one way: pkcs11 <- config <- remote <- keys <- { ha, x509 } <- front doors"


def code_only(text: str) -> str:
    """The text with comments and string literals blanked, lines kept."""
    return NOT_CODE.sub(lambda match: "\n" * match.group().count("\n"), text)


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def included_by(root: Path, path: str, known: dict) -> set:
    """The headers of the tree that a file includes, and those that they include."""
    if path not in known:
        known[path] = set()  # also where headers include one another
        file = root / path
        direct = INCLUDE.findall(file.read_text(encoding="utf-8")) if file.is_file() else []
        known[path].update(target for quote, target in direct if quote == '"')
        for target in list(known[path]):
            known[path] |= included_by(root, target, known)
    return known[path]


def crossing_faults(root: Path):
    known: dict = {}
    for header in sorted(CROSSING):
        for target in sorted(included_by(root, header, known)):
            if room_of(target) in {"native/pkcs11", "native/keys"} and target not in CROSSING:
                yield (f"{header} may cross into a front door and brings {target} along, which is private to native/: "
                       "declare what it needs, or put values and what is open on a token into two headers")


def include_faults(root: Path, path: str, text: str):
    room = room_of(path)
    for match in INCLUDE.finditer(text):
        quote, target = match.groups()
        where = f"{path}:{line_of(text, match.start(2))}"
        if target.startswith("openssl/") and room not in LIBCRYPTO and room in ARROWS:
            yield (f"{where}: {room} includes <{target}>: libcrypto is known only to "
                   f"{', '.join(sorted(LIBCRYPTO))}, so that the core can live in hosts that have their own")
        if room not in ARROWS or quote == "<":
            continue
        if not (root / target).is_file():
            if (root / path).parent.joinpath(target).is_file():
                yield f'{where}: "{target}": includes are written from the top of the tree, so that a room is visible'
            continue  # generated, for example a JNI header
        included = room_of(target)
        if room in FRONT_DOORS and included in {"native/pkcs11", "native/keys", "native/ha"} and target not in CROSSING:
            yield (f"{where}: {room} includes {target}, which is private to native/: a front door holds a "
                   "keys::KeySource; what may cross is listed in CROSSING")
        if included != room and included not in ARROWS[room]:
            yield f"{where}: {room} includes {target}: {why_not(room, included)}"


def cryptoki_faults(path: str, text: str):
    room = room_of(path)
    if room in CRYPTOKI or room not in ARROWS:
        return
    code = code_only(text)
    for match in CRYPTOKI_NAME.finditer(code):
        yield (f"{path}:{line_of(code, match.start())}: {room} uses {match.group()}: Cryptoki is called only in "
               "native/pkcs11, where sessions, logins and lost tokens are looked after")


def handle_faults(path: str, text: str):
    room = room_of(path)
    if room not in FRONT_DOORS:
        return
    code = code_only(text)
    for match in OPEN_ON_A_TOKEN.finditer(code):
        yield (f"{path}:{line_of(code, match.start())}: {room} uses {match.group()}: tokens, sessions, slots and "
               "handles are private to native/, so that a group or a remote token can stand in a token's place")


def unknown_room_faults(path: str):
    top = path.split("/")[0]
    if room_of(path) not in ARROWS and top not in {"tests", "examples"}:
        yield f"{path}: this room is not on the map; add it to ARROWS in scripts/check_layering.py"


def tracked_sources(root: Path):
    """Tracked files, and new ones that are about to be."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, text=True)
    if listing.returncode == 0:
        names = listing.stdout.splitlines()
    else:  # an unpacked archive
        names = [str(path.relative_to(root)) for path in root.rglob("*") if "build" not in path.parts]
    return sorted(name for name in names if Path(name).suffix in SOURCES and (root / name).is_file())


def faults(root: Path):
    for path in tracked_sources(root):
        text = (root / path).read_text(encoding="utf-8")
        yield from unknown_room_faults(path)
        yield from include_faults(root, path, text)
        yield from cryptoki_faults(path, text)
        yield from handle_faults(path, text)
    yield from crossing_faults(root)


# Each line breaks one rule: the file that gets it, what is appended, and what the check must then say.
BROKEN_ARROWS = [
    ("native/pkcs11/error.h", '#include "native/keys/key_store.h"', "native/pkcs11 includes native/keys/key_store.h"),
    ("native/config/error.h", '#include "native/keys/key_store.h"', "native/config includes native/keys/key_store.h"),
    ("native/keys/key_spec.h", "#include <openssl/evp.h>", "native/keys includes <openssl/evp.h>"),
    ("native/keys/key_spec.h", '#include "private_key.h"', "from the top of the tree"),
    ("native/keys/key_spec.h", "inline auto sign = &C_Sign;", "native/keys uses C_Sign"),
    ("tlsd/probe.cpp", '#include "native/pkcs11/token.h"', "tlsd includes native/pkcs11/token.h"),
    ("java/probe.cpp", '#include "native/x509/probe.h"', "java includes native/x509/probe.h"),
    ("provider/probe.cpp", '#include "tlsd/probe.cpp"', "no front door includes another"),
    ("native/pkcs12/probe.h", "", "not on the map"),
    ("native/keys/key_spec.h", '#include "native/ha/health.h"', "native/keys includes native/ha/health.h"),
    ("provider/probe.cpp", '#include "native/ha/group.h"', "private to native/"),
    ("provider/probe.cpp", '#include "native/pkcs11/token.h"', "private to native/"),
    ("java/probe.cpp", '#include "native/keys/token_source.h"', "private to native/"),
    ("keystore-tools/probe.cpp", "CK_OBJECT_HANDLE found;", "uses CK_OBJECT_HANDLE"),
    ("java/probe.cpp", "CK_SLOT_ID slot;", "uses CK_SLOT_ID"),
    ("provider/probe.cpp", "void use(keystay::pkcs11::Session& session);", "uses pkcs11::Session"),
    ("provider/probe.cpp", "source.with_session(body);", "uses with_session"),
    ("native/keys/entry.h", '#include "native/keys/token_objects.h"', "brings native/keys/token_objects.h along"),
    ("native/pkcs11/pin.h", '#include "native/keys/key_pair.h"', "brings native/pkcs11/session.h along"),
]


def self_test(root: Path) -> int:
    with tempfile.TemporaryDirectory() as directory:
        clean = Path(directory) / "clean"
        for path in tracked_sources(root):
            (clean / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / path, clean / path)
        (clean / "native/x509/probe.h").parent.mkdir(parents=True, exist_ok=True)
        (clean / "native/x509/probe.h").write_text("#pragma once\n")
        (clean / "tlsd").mkdir(exist_ok=True)
        (clean / "tlsd/probe.cpp").write_text("// C_Sign in a comment, and \"C_Sign\" in a string, are words.\n")
        before = set(faults(clean))
        missed = 0
        for number, (path, line, expected) in enumerate(BROKEN_ARROWS):
            broken = Path(directory) / f"broken-{number}"
            shutil.copytree(clean, broken)
            (broken / path).parent.mkdir(parents=True, exist_ok=True)
            with open(broken / path, "a", encoding="utf-8") as file:
                file.write(line + "\n")
            found = [fault for fault in set(faults(broken)) - before if expected in fault]
            if not found:
                print(f'layering self-test: `{line}` in {path} went unnoticed; expected "{expected}"')
                missed += 1
        return 1 if missed else 0


def main() -> int:
    arguments = sys.argv[1:]
    here = Path(__file__).resolve().parent.parent
    if arguments == ["--self-test"]:
        return self_test(here)
    found = list(faults(Path(arguments[0]).resolve() if arguments else here))
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
