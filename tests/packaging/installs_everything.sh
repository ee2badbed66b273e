#!/usr/bin/env bash
# `cmake --install` brings all parts, each where its users look, and what it brings works.
set -euo pipefail
: "${KEYSTAY_SOURCE:?}" "${KEYSTAY_BUILD:?}"

scratch="$(mktemp -d "${TMPDIR:-/tmp}/keystay-install.XXXXXX")"
readonly scratch
trap 'rm -rf "$scratch"' EXIT

fail() {
  echo "FAILED: $*"
  exit 1
}

DESTDIR="$scratch" cmake --install "$KEYSTAY_BUILD" >"$scratch/install.log" || fail "$(cat "$scratch/install.log")"

setting() { sed -n "s/^$1:[A-Z]*=//p" "$KEYSTAY_BUILD/CMakeCache.txt"; }
prefix="$scratch$(setting CMAKE_INSTALL_PREFIX)"
modules="$scratch$(setting KEYSTAY_OPENSSL_MODULES_DIR)"

present=(
  "$prefix/bin/keystay"
  "$prefix/sbin/keystay-tlsd"
  "$prefix/libexec/keystay/keystay-relay"
  "$modules/keystay.so"
  "$prefix/share/man/man1/keystay.1.gz"
  "$prefix/share/man/man8/keystay-tlsd.8.gz"
  "$prefix/share/bash-completion/completions/keystay"
  "$prefix/share/zsh/site-functions/_keystay-tlsd"
  "$prefix/share/doc/keystay/install.md"
  "$prefix/share/doc/keystay/examples/nginx/nginx.conf"
  "$prefix/lib/systemd/system/keystay-tlsd.service"
  "$prefix/lib/systemd/system/keystay-tlsd.socket"
  "$prefix/lib/systemd/system/keystay-acme.service"
  "$prefix/lib/systemd/system/keystay-acme.timer"
  "$prefix/lib/sysusers.d/keystay.conf"
  "$prefix/lib/tmpfiles.d/keystay.conf"
  "$scratch/etc/keystay/keystay.toml"
  "$scratch/etc/default/keystay-tlsd"
  "$scratch/etc/logrotate.d/keystay-tlsd")
if [[ "$(setting KEYSTAY_JAVA)" == ON ]]; then present+=("$prefix/share/java/keystay-jca.jar"); fi
for file in "${present[@]}"; do
  [[ -s "$file" ]] || fail "${file#"$scratch"} is not installed: $(cat "$scratch/install.log")"
done

# Where OpenSSL looks, as long as the prefix is the system's.
if [[ "$(setting CMAKE_INSTALL_PREFIX)" == /usr/local ]]; then
  [[ "MODULESDIR: \"${modules#"$scratch"}\"" == "$(openssl version -m)" ]] ||
    fail "keystay.so goes to ${modules#"$scratch"}, and OpenSSL says $(openssl version -m)"
fi

version="$(sed -n 's/^  VERSION //p' "$KEYSTAY_SOURCE/CMakeLists.txt")"
[[ "$("$prefix/bin/keystay" -version)" == "$version" ]] || fail "keystay -version says something else than $version"
[[ "$("$prefix/sbin/keystay-tlsd" --version)" == "keystay-tlsd $version" ]] || fail "keystay-tlsd --version"
# A program that was built without a sanitizer cannot load what was built with it.
if [[ -z "$(setting KEYSTAY_SANITIZE)" ]]; then
  openssl list -provider-path "$modules" -provider keystay -providers | grep "version: $version" >/dev/null ||
    fail "OpenSSL does not load the provider"
fi

# The comments of the configuration are a configuration.
sed 's/^#\([^ ]\)/\1/' "$scratch/etc/keystay/keystay.toml" >"$scratch/keystay.toml"
"$prefix/sbin/keystay-tlsd" check -c "$scratch/etc/keystay/keystay.toml" 2>"$scratch/check.log" &&
  fail "a configuration of comments passed the check"
grep -q 'there is no \[\[tlsd.listener\]\]' "$scratch/check.log" || fail "$(cat "$scratch/check.log")"
KEYSTAY_CONF="$scratch/keystay.toml" "$prefix/bin/keystay" -list -token nowhere 2>"$scratch/list.log" &&
  fail "a token that is not there was listed"
grep -q '"nowhere"' "$scratch/list.log" || fail "the commented configuration: $(cat "$scratch/list.log")"

# Every command and option of the tool is in the page and in the completion.
gzip -dc "$prefix/share/man/man1/keystay.1.gz" >"$scratch/keystay.1"
"$prefix/bin/keystay" --help | sed -n '/^Subcommands/,$s/^  \([a-z]*\) .*/\1/p' >"$scratch/commands"
[[ "$(wc -l <"$scratch/commands")" -ge 9 ]] || fail "too few commands: $(cat "$scratch/commands")"
while read -r command; do
  grep -qF ".SS \\fB\\-$command\\fR" "$scratch/keystay.1" || fail "the manual page has no -$command"
  grep -q -- "-$command)" "$prefix/share/bash-completion/completions/keystay" || fail "bash completes no -$command"
  grep -q -- "'-$command:" "$prefix/share/zsh/site-functions/_keystay" || fail "zsh completes no -$command"
done <"$scratch/commands"
if command -v groff >/dev/null; then
  groff -man -ww -K utf8 -T utf8 "$scratch/keystay.1" 2>"$scratch/groff.log" >/dev/null
  [[ ! -s "$scratch/groff.log" ]] || fail "the manual page: $(cat "$scratch/groff.log")"
fi

# bash completes a command, and an option with a colon.
complete_words() {
  bash -c '
    _init_completion() { cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"; words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; }
    __ltrim_colon_completions() { :; }
    source "$1"; shift
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _keystay; printf "%s\n" "${COMPREPLY[@]}"' \
    bash "$prefix/share/bash-completion/completions/keystay" "$@"
}
[[ "$(complete_words keystay -genk)" == -genkeypair ]] || fail "bash: -genk becomes $(complete_words keystay -genk)"
[[ "$(complete_words keystay -list -al)" == -alias ]] || fail "bash: -list -al"
[[ "$(complete_words keystay -list -storepass:f)" == -storepass:file ]] || fail "bash: -storepass:f"

if command -v systemd-analyze >/dev/null; then
  cp "$prefix"/lib/systemd/system/keystay-{tlsd,acme}.* "$scratch"
  sed -i "s|^ExecStart=[^ ]*/\([^ /]*\)|ExecStart=$prefix/sbin/\1|" "$scratch/keystay-tlsd.service"
  sed -i "s|^ExecStart=[^ ]*/\([^ /]*\)|ExecStart=$prefix/bin/\1|" "$scratch/keystay-acme.service"
  faults="$(systemd-analyze verify --man=no "$scratch"/keystay-{tlsd.service,tlsd.socket,acme.service,acme.timer} 2>&1 || true)"
  [[ -z "$faults" ]] || fail "the units: $faults"
fi
