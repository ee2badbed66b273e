#!/usr/bin/env bash
# The ways to register the provider that docs/user/java.md names: java.security on the class path, a module, and keytool's
# -addprovider. Each signs with an alias.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_token
make_ca
make_alias httpd -keyalg EC -groupname secp256r1
cat >"$scratch/Sign.java" <<'JAVA'
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;

class Sign {
  public static void main(String[] arguments) throws Exception {
    KeyStore keyStore = KeyStore.getInstance("Keystay");
    keyStore.load(null, null);
    Signature signature = Signature.getInstance("SHA256withECDSA");
    signature.initSign((PrivateKey) keyStore.getKey("httpd", null));
    System.out.println("signed with " + signature.sign().length + " bytes in "
        + keyStore.getProvider().getClass().getModule());
  }
}
JAVA

# By its class name in java.security, after the JDK's own providers.
last="$(sed -n 's/^security\.provider\.\([0-9]*\)=.*/\1/p' "$jdk/conf/security/java.security" | sort -n | tail -1)"
echo "security.provider.$((last + 1))=org.keystay.jca.KeystayProvider" >"$scratch/by-class"
by_class="$("$jdk/bin/java" "${jvm_options[@]}" "-Djava.security.properties=$scratch/by-class" -cp "$jar" "$scratch/Sign.java")"
echo "$by_class" >"$scratch/by-class.log"
expect "$by_class" "signed with"
expect "$by_class" "unnamed module"

# By its name, from the module path.
echo "security.provider.$((last + 1))=Keystay" >"$scratch/by-name"
"$jdk/bin/javac" -d "$scratch/classes" "$scratch/Sign.java"
module_access=()
if [[ "$jdk_version" -ge 24 ]]; then module_access=(--enable-native-access=org.keystay.jca); fi
by_name="$("$jdk/bin/java" -Xcheck:jni "${module_access[@]}" "-Djava.security.properties=$scratch/by-name" -p "$jar" \
  --add-modules org.keystay.jca -cp "$scratch/classes" Sign 2>"$scratch/module.log")"
echo "$by_name" >"$scratch/by-name.log"
expect "$by_name" "module org.keystay.jca"
if grep -q WARNING "$scratch/module.log"; then fail "the module is not enough for native access"; fi

# keytool finds a registered provider by its name, and one on its class path too.
expect "$("$jdk/bin/keytool" "${jvm_options[@]/#/-J}" -J-cp "-J$jar" -addprovider Keystay -list -keystore NONE \
  -storetype Keystay -protected 2>&1)" "httpd"

# Libraries for JSON Web Tokens and XML signatures set the parameters of PSS before the key, which binds the first provider
# that has RSASSA-PSS: java.security may prefer Keystay for that alone, or the library is told the provider.
make_alias rsa -keyalg RSA -keysize 2048
cat >"$scratch/PssFirst.java" <<'JAVA'
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;

class PssFirst {
  public static void main(String[] arguments) throws Exception {
    KeyStore keyStore = KeyStore.getInstance("Keystay");
    keyStore.load(null, null);
    Signature signature =
        arguments.length == 0
            ? Signature.getInstance("RSASSA-PSS")
            : Signature.getInstance("RSASSA-PSS", arguments[0]);
    signature.setParameter(
        new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1));
    signature.initSign((PrivateKey) keyStore.getKey("rsa", null));
    byte[] value = signature.sign();
    signature.initVerify(keyStore.getCertificate("rsa"));
    System.out.println("verified " + signature.verify(value));
  }
}
JAVA
pss_first() { # pss_first SECURITY-FILE [PROVIDER]
  "$jdk/bin/java" "${jvm_options[@]}" "-Djava.security.properties=$1" -cp "$jar" "$scratch/PssFirst.java" "${@:2}" 2>&1
}
{
  cat "$scratch/by-class"
  echo "jdk.security.provider.preferred=RSASSA-PSS:Keystay"
} >"$scratch/preferred"
if pss_first "$scratch/by-class" >"$scratch/pss-last.log"; then fail "JDK $jdk_version needs no preference any more: say so in the manual"; fi
expect "$(pss_first "$scratch/by-class" Keystay)" "verified true"
expect "$(pss_first "$scratch/preferred")" "verified true"
