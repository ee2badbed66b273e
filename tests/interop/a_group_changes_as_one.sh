#!/usr/bin/env bash
# What changes a group, killed before each write on one of its members. No alias is another key on one member than on the
# others; what is left is unfinished and can be removed, or is finished by `group sync`; and the command can be given again.
# KEYSTAY_SOAK kills at each write of each member, and a short run at each second one of two.
# shellcheck source=tests/interop/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

step=2
members=(a c)
if [[ -n "${KEYSTAY_SOAK:-}" ]]; then step=1 members=(a b c); fi
readonly step members

make_token
make_members a b c
cat >>"$scratch/keystay.toml" <<TOML
[group.front]
members = ["hsm-a", "hsm-b", "hsm-c"]
wrapping-key = "kek"
TOML

# has_web: whether a member has the alias "web".
has_web() {
  local member listing=""
  for member in a b c; do listing+="$("$keystay" -list -token "hsm-$member")"; done
  grep -q '^web,' <<<"$listing"
}
alike() { "$keystay" group status >"$scratch/status.log" 2>&1; }
unfinished_on() { "$keystay" -list -token "hsm-$1" 2>&1 | grep -c "nfinished" || true; }

# killed MEMBER N COMMAND …: whether the command died at the N-th write on the member.
killed() {
  local member="$1" n="$2" code=0
  shift 2
  fault_at "$member" kill-at-write "$n"
  "$keystay" "$@" >"$scratch/killed.log" 2>&1 || code=$?
  fault_at "$member" kill-at-write 0
  [[ "$code" -eq 0 || "$code" -eq 137 ]] || fail "$*: exit code $code: $(cat "$scratch/killed.log")"
  [[ "$code" -eq 137 ]]
}

# tidy WHAT: removes what is unfinished, of what `group sync` does not finish.
tidy() {
  local member
  "$keystay" group sync >"$scratch/sync.log" 2>&1 || fail "$1: group sync: $(cat "$scratch/sync.log")"
  for member in a b c; do
    "$keystay" -cleanup -noprompt -token "hsm-$member" >"$scratch/cleanup.log" 2>&1
    [[ "$(unfinished_on "$member")" -eq 0 ]] || fail "$1: hsm-$member has something unfinished after -cleanup"
  done
}

# sweep NAME COMMAND …: from the tokens as they are.
sweep() {
  local name="$1" member n kills
  shift
  rm -rf "$scratch/before"
  cp -r "$scratch/tokens" "$scratch/before"
  for member in "${members[@]}"; do
    kills=0
    for ((n = 1; n < 500; n += step)); do
      rm -rf "$scratch/tokens"
      cp -r "$scratch/before" "$scratch/tokens"
      killed "$member" "$n" "$@" || break
      kills=$((kills + 1))
      "after_$name" "$name, killed at write $n of hsm-$member"
    done 2>/dev/null # where the shell tells of each death
    [[ "$kills" -gt 0 ]] || fail "$name: the writes on hsm-$member were not counted"
    echo "$name: $kills kills at writes of hsm-$member"
  done
}

# A key is on all members, or on none; each is a whole alias.
after_generation() {
  tidy "$1"
  alike || fail "$1: $(cat "$scratch/status.log")"
  if has_web; then return; fi
  "$keystay" -genkeypair -alias web -keyalg EC -noprompt -dname CN=web >"$scratch/again.log" 2>&1 || fail "$1: cannot be given again: $(cat "$scratch/again.log")"
  alike || fail "$1, given again: $(cat "$scratch/status.log")"
}

# Some members may have it still: the command can be given again until none does.
after_deletion() {
  tidy "$1"
  if has_web; then
    "$keystay" -delete -alias web >"$scratch/again.log" 2>&1 || fail "$1: cannot be given again: $(cat "$scratch/again.log")"
  fi
  if has_web; then fail "$1, given again: a member has the alias still"; fi
  tidy "$1"
  alike || fail "$1: $(cat "$scratch/status.log")"
}

# The old key or the new one, the same on all members; the rotation can be given again, or given up and begun anew.
after_rotation() {
  tidy "$1"
  alike || fail "$1: $(cat "$scratch/status.log")"
  has_web || fail "$1: the alias is gone"
  if "$keystay" -list -token hsm-a | finds '^version-1-web,'; then return; fi
  if "$keystay" -list -token hsm-a | finds '^version-next-web,'; then "$keystay" retire -alias web -which next -noprompt; fi
  "$keystay" rotate -alias web -selfsigned >"$scratch/again.log" 2>&1 || fail "$1: cannot be given again: $(cat "$scratch/again.log")"
  alike || fail "$1, given again: $(cat "$scratch/status.log")"
}

# The old wrapping keys or the new one, and `group init` mends what is between.
after_exchange() {
  if "$keystay" -genkeypair -alias other -keyalg EC -noprompt >"$scratch/again.log" 2>&1; then return; fi
  grep -q "no key was made" "$scratch/again.log" || fail "$1: $(cat "$scratch/again.log")"
  tidy "$1"
  "$keystay" group init -noprompt >"$scratch/again.log" 2>&1 || fail "$1: cannot be given again: $(cat "$scratch/again.log")"
  "$keystay" -genkeypair -alias other -keyalg EC -noprompt 2>"$scratch/again.log" || fail "$1: $(cat "$scratch/again.log")"
  alike || fail "$1: $(cat "$scratch/status.log")"
}

"$keystay" group init -noprompt
sweep exchange group init -noprompt
"$keystay" group init -noprompt
sweep generation -genkeypair -alias web -keyalg EC -noprompt -dname CN=web
rm -rf "$scratch/tokens"
cp -r "$scratch/before" "$scratch/tokens"
"$keystay" -genkeypair -alias web -keyalg EC -noprompt -dname CN=web
sweep rotation rotate -alias web -selfsigned
rm -rf "$scratch/tokens"
cp -r "$scratch/before" "$scratch/tokens"
sweep deletion -delete -alias web
