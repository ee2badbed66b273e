#!/usr/bin/env bash
# A JVM that is killed between generateKeyPair and setKeyEntry leaves a key without an alias. No key store shows it, and
# none destroys it, because nobody can tell it from the key of a process that still runs, perhaps on another machine.
# keystay lists it as unfinished, and removes it when it is told to.
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
    if (arguments.length > 0) Thread.sleep(Long.MAX_VALUE);  // until it is killed
  }
}
JAVA
unfinished() { objects | grep -c 'label:      unfinished-' || true; }
generate=("$jdk/bin/java" "${jvm_options[@]}" -cp "$jar" "$scratch/Generate.java")

"${generate[@]}"
[[ "$(unfinished)" -eq 0 ]] || fail "a process left its key although it ended by itself"

start generate "${generate[@]}" forever
wait_for generate grep -q generated "$scratch/generate.log"
[[ "$(unfinished)" -eq 2 ]] || fail "expected the two halves of a key without an alias"

kill -KILL "${pids[generate]}"
wait "${pids[generate]}" 2>/dev/null || true
unset "pids[generate]"
keytool_on NONE -protected -list
said "Your keystore contains 0 entries"
[[ "$(unfinished)" -eq 2 ]] || fail "loading a key store destroyed a key"

expect "$("$KEYSTAY_BUILD/bin/keystay" -list)" "unfinished since"
"$KEYSTAY_BUILD/bin/keystay" -cleanup -noprompt
[[ "$(unfinished)" -eq 0 ]] || fail "keystay -cleanup left the key"
