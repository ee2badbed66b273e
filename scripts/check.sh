#!/usr/bin/env bash
# What CI runs first: form and architecture, without building anything. Every failure prints its reason.
#
#   scripts/check.sh          check
#   scripts/check.sh --fix    let clang-format rewrite what it would complain about, then check
#   scripts/check.sh --locks  check also, by clang, who holds which mutex; CI does
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fix=no
locks=no
case "${1:-}" in
  --fix) fix=yes ;;
  --locks) locks=yes ;;
  "") ;;
  *) echo "check: unknown option $1" >&2; exit 2 ;;
esac

failures=0

# report TITLE REASON LINES: one failed check, unless there are no lines.
report() {
  [[ -n "$3" ]] || return 0
  printf 'check: %s\n  why: %s\n  %s\n\n' "$1" "$2" "${3//$'\n'/$'\n  '}" >&2
  failures=$((failures + 1))
}

skip() { printf 'check: skipped: %s\n' "$*" >&2; }

# Tracked files and new ones; in an unpacked archive, all files.
all_files() {
  if git -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1; then
    git -c safe.directory='*' ls-files --cached --others --exclude-standard
  else
    find . -path ./build -prune -o -type f -printf '%P\n'
  fi | while IFS= read -r file; do [[ ! -f "$file" ]] || echo "$file"; done
}
mapfile -t files < <(all_files | sort)

# files_of REGEX: the files whose path matches, one per line.
files_of() { printf '%s\n' "${files[@]}" | grep -E "$1" || true; }

# hits PATTERN REGEX: file:line:text of the lines that match, in the files whose path matches.
hits() {
  local -a among
  mapfile -t among < <(files_of "$2")
  [[ ${#among[@]} -gt 0 ]] || return 0
  grep -nHP -- "$1" "${among[@]}" || true
}

readonly cpp='\.(h|cpp|c)$'

check_format() {
  local formatter=clang-format-14
  if ! command -v "$formatter" >/dev/null; then
    skip "format: $formatter is not installed, and other versions format differently"
    return
  fi
  local -a sources
  mapfile -t sources < <(files_of "$cpp")
  [[ ${#sources[@]} -gt 0 ]] || return 0
  if [[ "$fix" == yes ]]; then "$formatter" -i "${sources[@]}"; fi
  report "format" "one form for all; scripts/check.sh --fix applies it" \
    "$("$formatter" --dry-run "${sources[@]}" 2>&1 | sed -n 's/^\([^: ]*\):[0-9]*:[0-9]*: warning.*/\1/p' | sort -u)"
}

check_layering() {
  report "layering" "the arrows of ARCHITECTURE.md" "$(scripts/check_layering.py || true)"
  report "layering self-test" "a check that cannot fail checks nothing" "$(scripts/check_layering.py --self-test || true)"
}

check_callbacks() {
  report "callbacks" "no exception crosses a C frame (ARCHITECTURE.md)" "$(scripts/check_callbacks.py || true)"
  report "callbacks self-test" "a check that cannot fail checks nothing" \
    "$(scripts/check_callbacks.py --self-test || true)"
}

check_locks() {
  if ! scripts/check_locks.py --self-test >/dev/null 2>&1; then
    if [[ "$(scripts/check_locks.py --self-test 2>&1 >/dev/null)" == *"not installed"* ]]; then
      skip "locks: clang is not installed"
    else
      report "locks self-test" "a check that cannot fail checks nothing" "$(scripts/check_locks.py --self-test || true)"
    fi
    return
  fi
  report "locks" "a member that a mutex guards is touched only by who holds it (native/pkcs11/mutex.h)" \
    "$(scripts/check_locks.py || true)"
}

check_links() {
  report "links in documents" "a page that points nowhere loses its reader" "$(scripts/check_links.py || true)"
}

check_shell() {
  if ! command -v shellcheck >/dev/null; then
    skip "shell scripts: shellcheck is not installed"
    return
  fi
  local -a scripts
  mapfile -t scripts < <(files_of '(\.sh|^\.ci/run)$')
  report "shell scripts" "shellcheck finds what breaks on the next machine" \
    "$(shellcheck --external-sources --source-path=SCRIPTDIR --exclude=SC2317 --format=gcc "${scripts[@]}" || true)"
}

check_words() {
  report "standard streams in a library" "native/ and provider/ live in other people's servers, whose output is theirs" \
    "$(hits 'std::(cout|cerr|clog)\b|\b(std::)?printf\(|\bfprintf\(' "^(native|provider)/.*$cpp")"
  report "fmt or spdlog in the provider or below it" "they would come with it into every host, in whatever version" \
    "$(hits '#\s*include\s*<(fmt|spdlog)/' "^(native|provider)/.*$cpp")"
  report "a mutex without annotations" "clang checks who holds a pkcs11::Mutex, and knows nothing of a std::mutex" \
    "$(hits 'std::(\w+_)?mutex\b|std::(lock_guard|unique_lock|scoped_lock|shared_lock)\b' "^(native|provider)/.*$cpp" | grep -v '^native/pkcs11/mutex.h:' || true)"
  report "using namespace in a header" "it changes the meaning of every file that includes it" \
    "$(hits '^\s*using namespace ' '\.h$')"
  report "co_await in a condition" "GCC 12 drops the body of a coroutine that has one and no local variables: declare the result first" \
    "$(hits '\b(?:if|while|switch) \((?!(?:const )?[\w:<>, \[\]]+ = )[^()]*(?:\([^()]*\)[^()]*)*\bco_await\b' "$cpp")"
  report "a PIN near a log" "a PIN is never written anywhere" \
    "$(hits '(?i)(spdlog::|\blog::|\blogger\b|fmt::print|std::c(out|err)).*\bpin(_?value)?\b(?!-)(?![^"]*"\s*\))' "^(native|provider|java|keystore-tools|tlsd)/.*$cpp")"
  report "unfinished work" "what is missing belongs into an issue, not into a comment" \
    "$(hits '\b(TODO|FIXME|XXX)\b' "$cpp|\.(java|py|sh|cmake|toml)$|CMakeLists\.txt$" | grep -v '^scripts/check.sh:' || true)"
  report "sleep without a reason" "a test that sleeps is slow or flaky: wait for an event, or say on that line or the one above why not" \
    "$(unexplained_sleeps)"
  report "grep -q at the end of a pipe" "it leaves before all is written, which fails the pipe now and then: finds of tests/interop/lib.sh, or >/dev/null" \
    "$(hits '\|\s*grep\s+-\w*q' '^(tests|examples)/.*\.sh$')"
  report "file names that say nothing" "a file is named by the concept that it holds" \
    "$(files_of '(^|/)(utils?|helpers?|common|misc|manager)(\.[^/]*)?$')"
  report "paths of one machine" "nobody else has them" \
    "$(hits '(^|[^\w.])/(home|root|work)/\w' '.' | grep -v '^scripts/check.sh:' || true)"
}

# Polling every few milliseconds is how a test waits for an event. A tenth of a second and more is a guess.
unexplained_sleeps() {
  local -a among
  mapfile -t among < <(files_of '^tests/.*\.(cpp|h|sh|py|java)$' | grep -v '^tests/support/' || true)
  [[ ${#among[@]} -gt 0 ]] || return 0
  awk '
    FNR == 1 { previous = "" }
    /sleep_(for|until)\(.*([0-9](s|min)\)|[: (]seconds\(|[0-9][0-9][0-9]ms|milliseconds\([0-9][0-9][0-9])/ ||
      /[^_]sleep\((0\.)?[1-9]/ || /(^|[ ;])sleep (0\.)?[1-9]/ || /Thread\.sleep\([0-9][0-9][0-9]/ {
      if (!/\/\/|#/ && previous !~ /^[ \t]*(\/\/|#|\*)/) print FILENAME ":" FNR ":" $0
    }
    { previous = $0 }' "${among[@]}"
}

check_format
check_layering
check_callbacks
[[ "$locks" == no ]] || check_locks
check_links
check_shell
check_words

if [[ "$failures" -gt 0 ]]; then
  echo "check: $failures failed" >&2
  exit 1
fi
echo "check: ${#files[@]} files, nothing to complain about" >&2
