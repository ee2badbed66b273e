# shellcheck shell=bash
# What the tests of java/ share, on top of what all tests with real servers share: JDKs, keytool, Java processes.
# A test sources this file with the JDK's version as its argument.
source "$(dirname "${BASH_SOURCE[0]}")/../interop/lib.sh"

readonly jar="$KEYSTAY_BUILD/java/keystay-jca.jar"

# jdk_homes: the JDKs of KEYSTAY_JDKS (directories, separated by colons), else those that the system installed.
jdk_homes() {
  if [[ -n "${KEYSTAY_JDKS:-}" ]]; then
    tr ':' '\n' <<<"$KEYSTAY_JDKS"
  else
    printf '%s\n' /usr/lib/jvm/*
  fi
}

# find_jdk MAJOR: the home of a JDK of this version; skips the test if there is none.
find_jdk() {
  local home
  while read -r home; do
    if [[ -x "$home/bin/keytool" && -x "$home/bin/javac" ]] && grep -q "^JAVA_VERSION=\"$1[.\"]" "$home/release" 2>/dev/null; then
      echo "$home"
      return
    fi
  done < <(jdk_homes)
  return 1
}

readonly jdk_version="${1:?usage: $0 JDK-VERSION}"
jdk="$(find_jdk "$jdk_version")" || skip "no JDK $jdk_version in /usr/lib/jvm; KEYSTAY_JDKS may name one"
readonly jdk

# From JDK 24 on, a native library is loaded without a warning only for code that is named.
native_access=()
if [[ "$jdk_version" -ge 24 ]]; then native_access=(--enable-native-access=ALL-UNNAMED); fi

# What every JVM of these tests runs with: wrong JNI calls are told on stdout, and end in one of the test's logs.
readonly jvm_options=(-Xcheck:jni "${native_access[@]}")

# jni_warnings FILE…: what -Xcheck:jni had to say; fails if that is nothing.
jni_warnings() { grep -sE "WARNING in native method|FATAL ERROR in native|WARNING: JNI local refs" "$@"; }
no_jni_warnings() {
  if jni_warnings "$@"; then fail "-Xcheck:jni complains, see above"; fi
}

# A test that has gone well has no such words in any log that is there at its end.
finish_in_silence() {
  local code=$?
  set +e
  if [[ "$code" -eq 0 ]] && jni_warnings "$scratch"/*.log; then
    echo "FAILED: -Xcheck:jni complains, see above"
    code=1
  fi
  (exit "$code") # which finish reads
  finish
  exit "$code"
}
trap finish_in_silence EXIT

# keytool lives a second: what pays only later is left out.
readonly keytool_options=("${jvm_options[@]}" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC)

# keytool_on KEYSTORE …: the JDK's own, with the provider. Its output is also in $scratch/keytool.log.
keytool_on() {
  local code=0
  "$jdk/bin/keytool" "${keytool_options[@]/#/-J}" "${@:2}" -keystore "$1" -storetype Keystay \
    -providername Keystay -providerclass org.keystay.jca.KeystayProvider -providerpath "$jar" \
    >"$scratch/keytool.log" 2>&1 || code=$?
  no_jni_warnings "$scratch/keytool.log"
  cat "$scratch/keytool.log"
  return "$code"
}

# keytool …: on the key store of this test.
readonly keystore="$scratch/hsm.keystore"
keytool() { keytool_on "$keystore" "$@"; }

# keytool_refuses KEYSTORE …: keytool must fail; its words are in $scratch/keytool.log.
keytool_refuses() {
  if keytool_on "$@"; then fail "keytool should have refused: $*"; fi
}

# said WORDS: what keytool printed last contains the words.
said() {
  expect "$(cat "$scratch/keytool.log")" "$1"
}

# objects: what pkcs11-tool, which knows nothing of Keystay, sees on the token.
objects() {
  PIN="$(cat "$scratch/web.pin")" pkcs11-tool --module "$(softhsm_module)" --token-label web --login --pin env:PIN \
    --list-objects 2>/dev/null
}

# use_fault_module MODULE: from now on Keystay finds this module, SoftHSM for instance, behind the one that counts calls and fails
# when it is ordered to.
readonly faults="$scratch/faults"
fault() { "$KEYSTAY_BUILD/tests/keystay-fault" "$faults" "$@"; }
use_fault_module() {
  fault create
  export KEYSTAY_FAULT_CONTROL="$faults"
  export KEYSTAY_FAULT_TARGET="$1"
  sed -i "s|^module = .*|module = \"$KEYSTAY_BUILD/tests/libkeystay-fault-module.so\"|" "$KEYSTAY_CONF"
}

# every_scheme rsa|ec|ed COMMAND …: COMMAND …, then what s_client calls the signature and the options that force it, for
# each signature scheme that TLS 1.2 and 1.3 have for a key of this kind (RFC 8446, section 4.2.3).
every_scheme() {
  local kind="$1" scheme
  shift
  case "$kind" in
    rsa)
      for scheme in rsa_pss_rsae_sha256 rsa_pss_rsae_sha384 rsa_pss_rsae_sha512; do
        "$@" RSA-PSS -tls1_3 -sigalgs "$scheme"
        "$@" RSA-PSS -tls1_2 -sigalgs "$scheme" -cipher ECDHE-RSA-AES128-GCM-SHA256
      done
      for scheme in RSA+SHA256 RSA+SHA384 RSA+SHA512; do
        "$@" RSA -tls1_2 -sigalgs "$scheme" -cipher ECDHE-RSA-AES256-GCM-SHA384
      done
      ;;
    ec) # on P-256, which TLS 1.3, and JSSE in TLS 1.2 too, binds to one hash
      "$@" ECDSA -tls1_3 -sigalgs ecdsa_secp256r1_sha256
      "$@" ECDSA -tls1_2 -sigalgs ECDSA+SHA256 -cipher ECDHE-ECDSA-AES128-GCM-SHA256
      ;;
    ed) for scheme in -tls1_2 -tls1_3; do "$@" ed25519 "$scheme" -sigalgs ed25519; done ;;
  esac
}

# served PORT PAGE SIGNATURE -tls1_3 …: a handshake with these options is signed so, and gets the page. s_client's exit
# code says nothing: the JDK's server ends a connection without close_notify, which OpenSSL 3 counts as an error.
served() {
  local answer
  answer="$(handshake "$1" "${@:4}" || true)"
  expect "$answer" "Verification: OK"
  expect_signed_with "$answer" "$3"
  expect "$answer" "$2"
}

# expect_signed_with, for Edwards keys too.
expect_signed_with() {
  if [[ "$2" == ed25519 ]]; then expect "$1" "Signature type: ed25519"; else
    signed_with "$1" "$2" || fail "expected a signature with $2 in: $1"
  fi
}

# stop_java NAME: ends a JVM, which leaves with 128 + SIGTERM by its own exit, after its shutdown hooks.
stop_java() {
  local code=0
  [[ "$(readlink "/proc/${pids[$1]}/exe")" == "$(realpath "$jdk/bin/java")" ]] || fail "$1 is not a JVM"
  kill -s TERM "${pids[$1]}"
  wait "${pids[$1]}" || code=$?
  unset "pids[$1]"
  [[ "$code" -eq 143 ]] || fail "$1: exit code $code, expected 143"
  no_jni_warnings "$scratch/$1.log"
}
