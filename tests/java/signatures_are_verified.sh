#!/usr/bin/env bash
# With `verify = true` a Java program gets no wrong signature of a member, by whatever mechanism, and none at all if all
# members sign wrongly; and its JVM ends when `main` returns, although threads of the group have called into it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
make_members a b
configure() { # configure verify = true …
  sed -i '/^\[group.front\]/,$d' "$scratch/keystay.toml"
  printf '%s\n' '[group.front]' 'members = ["hsm-a", "hsm-b"]' 'wrapping-key = "kek"' 'probe = ["100ms"]' "$@" \
    >>"$scratch/keystay.toml"
}
configure
"$keystay" group init -noprompt
"$keystay" -genkeypair -alias rsa -token front -keyalg RSA -keysize 2048 -dname CN=rsa -noprompt
"$keystay" -genkeypair -alias ec -token front -keyalg EC -groupname secp256r1 -dname CN=ec -noprompt
printf '# Keystay key store, version 1\ntoken = "front"\n' >"$keystore"
# SoftHSM wraps no Edwards keys.
sed -i 's/^pin = .*/&\nimport = "allow"/' "$scratch/keystay.toml"
openssl req -x509 -newkey ed25519 -nodes -days 2 -subj /CN=ed -keyout "$scratch/ed.key" -out "$scratch/ed.crt" \
  2>"$scratch/openssl-req.log"
openssl pkcs12 -export -name ed -inkey "$scratch/ed.key" -in "$scratch/ed.crt" -passout pass:changeit -out "$scratch/ed.p12"
"$jdk/bin/keytool" "${keytool_options[@]/#/-J}" -importkeystore -srckeystore "$scratch/ed.p12" -srcstorepass changeit \
  -srcstoretype PKCS12 -destkeystore "$keystore" -deststoretype Keystay -deststorepass "$(cat "$scratch/web.pin")" \
  -destprovidername Keystay -providerclass org.keystay.jca.KeystayProvider -providerpath "$jar" -noprompt \
  >"$scratch/import.log" 2>&1

"$jdk/bin/javac" -cp "$jar" -d "$scratch" "$KEYSTAY_SOURCE/tests/java/programs/VerifiedSignatures.java"
readonly count=100
mkfifo "$scratch/input"
# begin ALIAS ALGORITHM: starts the program; all it says is in $scratch/program.log.
begin() {
  answers=0
  : >"$scratch/program.log"
  "$jdk/bin/java" "${jvm_options[@]}" -cp "$jar:$scratch" VerifiedSignatures "$keystore" "$@" "$count" \
    <"$scratch/input" >>"$scratch/program.log" 2>&1 &
  pids[program]=$!
  exec {input}>"$scratch/input"
}
counts() { grep -E '^[0-9]+ right' "$scratch/program.log"; }
# sign: the program signs; its counts are in `result`.
sign() {
  echo more >&"$input"
  answers=$((answers + 1))
  has_answered() { [[ "$(counts | wc -l)" -eq "$answers" ]]; }
  wait_for program has_answered
  result="$(counts | tail -1)"
}
# end: the JVM ends by itself.
end() {
  exec {input}>&-
  eventually_ended "${pids[program]}"
  join program 0
  no_jni_warnings "$scratch/program.log"
}
eventually_ended() {
  local deadline=$((SECONDS + 60))
  while [[ -e "/proc/$1/fd/1" ]]; do # a process that has ended and was not waited for has none
    [[ $SECONDS -lt $deadline ]] || fail "the JVM has not ended within 60 s of the end of main"
    sleep 0.05 # polling
  done
}
signatures_of() { fault_at "$1" calls C_Sign; }
# both_sign: until each member has signed for the program, which proves that it has the key.
both_sign() {
  local member
  for member in a b; do
    fault_at "$member" sign-rightly
    local before
    before="$(signatures_of "$member")"
    until [[ "$(signatures_of "$member")" -gt "$((before + 1))" ]]; do
      sign
      expect "$result" "$count right, 0 wrong, 0 refused"
    done
  done
}
# no_wrong_one ALIAS ALGORITHM: is given out, by one member that makes wrong ones, nor by both.
no_wrong_one() {
  local before
  begin "$@"
  both_sign
  fault_at a sign-wrongly
  before="$(signatures_of a)"
  sign
  echo "$2, one signs wrongly: $result"
  expect "$result" "$count right, 0 wrong, 0 refused"
  [[ "$(signatures_of a)" -gt "$before" ]] || fail "hsm-a was not asked"
  fault_at b sign-wrongly
  sign
  echo "$2, both do: $result"
  expect "$result" "0 right, 0 wrong, $count refused"
  expect "$(cat "$scratch/program.log")" "has made a wrong signature with alias \"$1\""
  end
}

# Without it they are given out.
configure "verify = false"
begin ec SHA256withECDSA
both_sign
fault_at a sign-wrongly
sign
echo "not verified: $result"
expect "$result" "0 refused"
if [[ "$result" == *" 0 wrong"* ]]; then fail "hsm-a has not signed wrongly"; fi
end

configure "verify = true"
no_wrong_one rsa SHA256withRSA      # CKM_RSA_PKCS
no_wrong_one rsa RSASSA-PSS/SHA-384 # CKM_RSA_PKCS_PSS
no_wrong_one rsa RSASSA-PSS/SHA-256 # of two hashes: CKM_RSA_X_509
no_wrong_one ec SHA256withECDSA     # CKM_ECDSA
no_wrong_one ed Ed25519             # CKM_EDDSA

# In the threads of the program.
configure "verify = true" 'hung-calls = "wait"'
no_wrong_one ec SHA256withECDSA
