#!/usr/bin/env bash
# A JVM that is killed between generateKeyPair and setKeyEntry leaves a key without an alias: nobody lists it, and the
# next key store that lists the token destroys it. The key of a process that still runs is left alone.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
cat >"$scratch/Generate.java" <<'JAVA'
import java.security.KeyPairGenerator;
import org.keystay.jca.KeystayProvider;

class Generate {
  public static void main(String[] arguments) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", new KeystayProvider());
    generator.initialize(256);
    generator.generateKeyPair();
    System.out.println("generated");
    Thread.sleep(Long.MAX_VALUE);  // until it is killed
  }
}
JAVA
start generate "$jdk/bin/java" "${jvm_options[@]}" -cp "$jar" "$scratch/Generate.java"
wait_for generate grep -q generated "$scratch/generate.log"

pending() { objects | grep -c 'label:      keystay-pending-' || true; }
[[ "$(pending)" -eq 2 ]] || fail "expected the two halves of a key without an alias"
keytool_on NONE -protected -list
said "Your keystore contains 0 entries"
[[ "$(pending)" -eq 2 ]] || fail "the key of a living process was destroyed"

kill -KILL "${pids[generate]}"
wait "${pids[generate]}" 2>/dev/null || true
unset "pids[generate]"
keytool_on NONE -protected -list
said "Your keystore contains 0 entries"
[[ "$(pending)" -eq 0 ]] || fail "the key of a dead process is still there"
