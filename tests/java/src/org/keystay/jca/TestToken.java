package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Security;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The token that the driver made for this run: SOFTHSM2_CONF and KEYSTAY_CONF name it, and its PIN comes
 * as the store password.
 */
final class TestToken {
  static final char[] PIN = "123456".toCharArray();

  private static final AtomicInteger NUMBER = new AtomicInteger();

  private TestToken() {}

  /** The provider, installed last as keytool does it, unless it is installed already. */
  static synchronized KeystayProvider provider() {
    if (Security.getProvider(KeystayProvider.NAME) == null) {
      // By name: what changes or destroys wants a token that somebody chose.
      Security.addProvider(new KeystayProvider().configure("web"));
    }
    return (KeystayProvider) Security.getProvider(KeystayProvider.NAME);
  }

  /** A key store on the default token, freshly loaded. */
  static KeyStore load() throws Exception {
    KeyStore keyStore = KeyStore.getInstance("Keystay", provider());
    keyStore.load(null, PIN);
    return keyStore;
  }

  /** A key store of a key store file with this text. */
  static KeyStore load(String file) throws Exception {
    KeyStore keyStore = KeyStore.getInstance("Keystay", provider());
    keyStore.load(new ByteArrayInputStream(file.getBytes(StandardCharsets.UTF_8)), PIN);
    return keyStore;
  }

  static String store(KeyStore keyStore) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    keyStore.store(out, PIN);
    return out.toString(StandardCharsets.UTF_8);
  }

  /** A name that no other test uses. */
  static String unusedAlias(String stem) {
    return stem + "-" + NUMBER.incrementAndGet();
  }

  /** Generates a key and stores it with a self-signed certificate; returns its alias. */
  static String newAlias(KeyStore keyStore, String algorithm, String sizeOrGroup) throws Exception {
    String alias = unusedAlias(algorithm.toLowerCase() + "-" + sizeOrGroup);
    KeyPair pair = generate(algorithm, sizeOrGroup);
    keyStore.setKeyEntry(
        alias, pair.getPrivate(), null, new X509Certificate[] {selfSigned(alias, pair)});
    return alias;
  }

  /** The token as the native core has it, unlocked if it was before; all of its aliases. */
  static NativeStore token() throws KeystayException {
    return NativeStore.open(null, "web", null);
  }

  /** A key of this alias that has no certificate, as other tools leave one. */
  static NativeEntry makeBareKey(NativeStore token, String alias, KeySpec spec)
      throws KeystayException {
    return token.setKey(alias, token.generate(spec).key(), new X509Certificate[0]);
  }

  /**
   * A P-256 key pair that pkcs11-tool makes: under names, and with a CKA_ID, that Keystay gives to no second
   * key.
   */
  static void makeKeyByAnotherHand(String label, String id) throws Exception {
    pkcs11Tool("--keypairgen", "--key-type", "EC:prime256v1", "--usage-sign", "--label", label, "--id", id);
  }

  /** pkcs11-tool on the token, logged in. */
  static void pkcs11Tool(String... arguments) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                "pkcs11-tool",
                "--module",
                System.getenv("KEYSTAY_TEST_MODULE"),
                "--token-label",
                "web",
                "--login",
                "--pin",
                new String(PIN)));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
  }

  static KeyPair generate(String algorithm, String sizeOrGroup) throws Exception {
    load(); // keys are generated on the token of the key store that was loaded last
    KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm, provider());
    if (sizeOrGroup.matches("[0-9]+")) {
      generator.initialize(Integer.parseInt(sizeOrGroup));
    } else if (algorithm.equals("EC")) {
      generator.initialize(new java.security.spec.ECGenParameterSpec(sizeOrGroup));
    }
    return generator.generateKeyPair();
  }

  /** A certificate that CN=alias issued to itself, signed on the token. */
  static X509Certificate selfSigned(String alias, KeyPair pair) throws Exception {
    return certificate(alias, pair.getPublic(), alias, pair.getPrivate());
  }

  /** The same with another encoding of the public key. */
  static X509Certificate selfSigned(String alias, KeyPair pair, byte[] publicKey) throws Exception {
    return certificate(alias, publicKey, alias, pair.getPrivate(), null);
  }

  static X509Certificate certificate(
      String subject, PublicKey key, String issuer, PrivateKey issuerKey) throws Exception {
    return certificate(subject, key, issuer, issuerKey, null);
  }

  /** With a dNSName in the subject's alternative names, unless that is null. */
  static X509Certificate certificate(
      String subject, PublicKey key, String issuer, PrivateKey issuerKey, String dnsName)
      throws Exception {
    return certificate(subject, key.getEncoded(), issuer, issuerKey, dnsName);
  }

  private static X509Certificate certificate(
      String subject, byte[] key, String issuer, PrivateKey issuerKey, String dnsName)
      throws Exception {
    String[] algorithm = signatureAlgorithm(issuerKey);
    byte[] identifier = Der.fromHex(algorithm[1]);
    byte[] toBeSigned =
        Der.sequence(
            Der.explicit(0, Der.integer(BigInteger.TWO)),
            Der.integer(BigInteger.valueOf(NUMBER.incrementAndGet())),
            identifier,
            name(issuer),
            Der.sequence(
                Der.generalizedTime("20200101000000Z"), Der.generalizedTime("20990101000000Z")),
            name(subject),
            key,
            dnsName == null ? new byte[0] : Der.explicit(3, Der.sequence(alternativeName(dnsName))));
    Signature signature = Signature.getInstance(algorithm[0]);
    signature.initSign(issuerKey);
    signature.update(toBeSigned);
    X509Certificate certificate =
        PkixUpcalls.certificate(
            Der.sequence(toBeSigned, identifier, Der.bitString(signature.sign())));
    assertNotNull(certificate);
    return certificate;
  }

  private static String[] signatureAlgorithm(PrivateKey key) {
    switch (key.getAlgorithm()) {
      case "RSA":
        return new String[] {"SHA256withRSA", "300d06092a864886f70d01010b0500"};
      case "EC":
        return new String[] {"SHA256withECDSA", "300a06082a8648ce3d040302"};
      default:
        return new String[] {"Ed25519", "300506032b6570"};
    }
  }

  /** RFC 5280, section 4.2.1.6. */
  private static byte[] alternativeName(String dnsName) {
    byte[] text = dnsName.getBytes(StandardCharsets.US_ASCII);
    byte[] name = Der.concatenate(new byte[] {(byte) 0x82, (byte) text.length}, text);
    byte[] value = Der.sequence(name);
    return Der.sequence(
        Der.fromHex("0603551d11"),
        Der.concatenate(new byte[] {0x04, (byte) value.length}, value));
  }

  private static byte[] name(String commonName) {
    return Der.sequence(
        Der.set(Der.sequence(Der.fromHex("0603550403"), Der.utf8String(commonName))));
  }
}
