#!/usr/bin/env python3
"""Checks that no exception meets a C frame: what libcrypto and the JVM call runs in one guard() or jni_entry().

  scripts/check_callbacks.py [ROOT]    checks the tree; prints every function that is not so and why it matters
  scripts/check_callbacks.py --self-test
                                       breaks each rule in a copy of the tree and sees the check fail

The compiler sees to the other half: the tables take functions that are noexcept and no others (provider/dispatch.h,
java/src/main/cpp/native_methods.h), so that what this check misses ends the process, and crosses no frame.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

# What may stand in a callback of the provider outside its guard, besides functions that are declared noexcept and
# libcrypto's own, which are C.
HARMLESS = {
    "if", "switch", "sizeof", "static_cast", "const_cast", "return",
    "KeyPtr", "intrusive_ptr_release",  # count references
}
SHARED = {"provider/operation_context.h", "provider/signature/signature_callbacks.h"}  # of Callbacks::
LIBCRYPTO = re.compile(r"(?:EVP|OSSL|ASYNC|ERR|BIO|SSL)_\w+")
GUARDS = re.compile(r"\b(?:guard|(?:Callbacks::|Base::)?(?:with|create|produce))\(")

ENTRY = re.compile(r"\bentry<OSSL_FUNC_\w+>\(\s*OSSL_FUNC_\w+,\s*((?:Callbacks::)?\w+)")
NOEXCEPT = re.compile(r"\b(~?\w+)(?: = \[[&=]?\])?\((?:[^()]|\([^()]*\))*\)\s*(?:const\s*)?noexcept")
CALL = re.compile(r"\b(\w+)(?:<[^<>;]*>)?\(")
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def code_only(text: str) -> str:
    """The text with comments and string literals blanked, lines kept."""
    return NOT_CODE.sub(lambda match: "\n" * match.group().count("\n"), text)


def closing(text: str, start: int, pair: str) -> int:
    """The offset behind the bracket that closes the one at `start`."""
    depth = 0
    for offset in range(start, len(text)):
        depth += {pair[0]: 1, pair[1]: -1}.get(text[offset], 0)
        if depth == 0:
            return offset + 1
    return len(text)


def bodies(code: str, name: str):
    """Where a function of this name is defined, free or static, and what is in its braces."""
    for match in re.finditer(rf"(?m)^(?:  static )?(?=\S)[\w:<>\*& ]*[\*& ]{name}\(", code):
        end = closing(code, match.end() - 1, "()")
        head = re.compile(r"\s*noexcept\s*\{").match(code, end)
        if head:
            yield match.start(), code[head.end():closing(code, head.end() - 1, "{}") - 1]


def outside_guard(body: str) -> str:
    guard = GUARDS.search(body)
    if not guard:
        return body
    return body[:guard.start()] + body[closing(body, guard.end() - 1, "()"):]


def definitions(provider: dict, path: str, name: str):
    """In the file itself, else in one that it shares with others."""
    shared = SHARED if name.startswith("Callbacks::") else set(provider)
    name = name.removeprefix("Callbacks::")
    for files in ([path], sorted(shared & set(provider))):
        found = [(file, *place) for file in files for place in bodies(provider[file], name)]
        if found:
            return found
    return []


def provider_faults(sources: dict):
    provider = {path: code for path, code in sources.items() if path.startswith("provider/")}
    safe = {name for code in provider.values() for name in NOEXCEPT.findall(code)}
    for path, code in provider.items():
        for name in sorted(set(ENTRY.findall(code))):
            found = definitions(provider, path, name)
            if not found and name != "decode":  # a parameter of the table's own template
                yield f"{path}: the callback {name} is nowhere defined as a noexcept function"
            for where, offset, body in found:
                rest = outside_guard(body)
                loose = [call for call in CALL.findall(rest)
                         if call not in HARMLESS and call not in safe and not LIBCRYPTO.fullmatch(call)]
                loose += re.findall(r"\b(?:new|throw)\b", rest)
                if loose:
                    line = code_line(provider[where], offset)
                    yield (f"{where}:{line}: {name} uses {', '.join(loose)} outside a guard: an exception would end "
                           "the server's process instead of becoming an OpenSSL error")


def jni_faults(sources: dict):
    for path, code in sources.items():
        if not path.startswith("java/"):
            continue
        for match in re.finditer(r"\bJNICALL (native_\w+)\(", code):
            for offset, body in bodies(code, match.group(1)):
                statement = re.match(r"\s*(?:return )?jni_entry\(", body)
                end = closing(body, statement.end() - 1, "()") if statement else 0
                if not statement or body[end:].strip() != ";":
                    yield (f"{path}:{code_line(code, offset)}: {match.group(1)} is not one jni_entry: an exception "
                           "would end the JVM instead of becoming a Java one")


def code_line(code: str, offset: int) -> int:
    return code.count("\n", 0, offset) + 1


def faults(root: Path):
    sources = {}
    for room in ("provider", "java/src/main/cpp"):
        for path in sorted((root / room).rglob("*")):
            if path.suffix in {".h", ".cpp"}:
                sources[str(path.relative_to(root))] = code_only(path.read_text(encoding="utf-8"))
    yield from provider_faults(sources)
    yield from jni_faults(sources)


# A callback in a file of its own, and what the check must say of it.
BROKEN = [
    ("provider/probe.cpp",
     "void* probe(void* provctx) noexcept { return new Context(provctx); }\n"
     "auto e = entry<OSSL_FUNC_keymgmt_new_fn>(OSSL_FUNC_KEYMGMT_NEW, probe);",
     "probe uses Context, new outside a guard"),
    ("provider/probe.cpp",
     "int probe(void* ctx) noexcept {\n  prepare(ctx);\n  return guard(core(), [&] { return 1; });\n}\n"
     "auto e = entry<OSSL_FUNC_keymgmt_has_fn>(OSSL_FUNC_KEYMGMT_HAS, probe);",
     "probe uses prepare outside a guard"),
    ("provider/probe.cpp",
     "int probe(void* ctx) { return 1; }\n"
     "auto e = entry<OSSL_FUNC_keymgmt_has_fn>(OSSL_FUNC_KEYMGMT_HAS, probe);",
     "nowhere defined as a noexcept function"),
    ("java/src/main/cpp/probe.cpp",
     "void JNICALL native_probe(JNIEnv* env, jclass) noexcept { use(env); }",
     "native_probe is not one jni_entry"),
    ("java/src/main/cpp/probe.cpp",
     "void JNICALL native_probe(JNIEnv* env, jclass) noexcept {\n  jni_entry(env, [&] {});\n  use(env);\n}",
     "native_probe is not one jni_entry"),
]


def self_test(root: Path) -> int:
    missed = 0
    with tempfile.TemporaryDirectory() as directory:
        for room in ("provider", "java/src/main/cpp"):
            shutil.copytree(root / room, Path(directory) / room)
        for path, text, expected in BROKEN:
            probe = Path(directory) / path
            probe.write_text(text + "\n", encoding="utf-8")
            if not any(expected in fault for fault in faults(Path(directory))):
                print(f'callbacks self-test: `{text}` went unnoticed; expected "{expected}"')
                missed += 1
            probe.unlink()
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
