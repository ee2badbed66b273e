package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bouncy Castle in first place makes keys and certificates of its own; the key store stays what it is. */
class OtherProvidersTest {
  private static final byte[] MESSAGE = {1, 2, 3};

  @BeforeEach
  void putInFirstPlace() {
    TestToken.provider();
    Security.insertProviderAt(new BouncyCastleProvider(), 1);
  }

  @AfterEach
  void remove() {
    Security.removeProvider(BouncyCastleProvider.PROVIDER_NAME);
  }

  @ParameterizedTest
  @CsvSource({
    "RSA, 2048, SHA256withRSA", "EC, secp256r1, SHA256withECDSA", "EC, secp521r1, SHA512withECDSA",
    "Ed25519, '', Ed25519", "Ed25519, '', EdDSA"
  })
  void everyKindOfKeyIsStoredLoadedAndSigns(String keyAlgorithm, String size, String algorithm)
      throws Exception {
    KeyStore keyStore = TestToken.load();
    String alias = TestToken.newAlias(keyStore, keyAlgorithm, size);
    for (KeyStore view : new KeyStore[] {keyStore, TestToken.load()}) {
      PrivateKey key = (PrivateKey) view.getKey(alias, null);
      assertNotNull(key, alias);
      Certificate certificate = view.getCertificate(alias);
      assertEquals(certificate.getPublicKey().getAlgorithm(), key.getAlgorithm());
      assertInstanceOf(KeyStore.PrivateKeyEntry.class, view.getEntry(alias, null));
      for (Provider provider : new Provider[] {null, TestToken.provider()}) {
        Signature signature =
            provider == null
                ? Signature.getInstance(algorithm)
                : Signature.getInstance(algorithm, provider);
        signature.initSign(key);
        signature.update(MESSAGE);
        byte[] value = signature.sign();
        signature.initVerify(certificate.getPublicKey());
        signature.update(MESSAGE);
        assertTrue(signature.verify(value));
      }
    }
  }

  /** A renewal brings a certificate whose key is of another class than the token's. */
  @ParameterizedTest
  @CsvSource({"RSA, 2048", "EC, secp384r1", "Ed25519, ''"})
  void aCertificateIsReplaced(String keyAlgorithm, String size) throws Exception {
    KeyStore keyStore = TestToken.load();
    String alias = TestToken.newAlias(keyStore, keyAlgorithm, size);
    PrivateKey key = (PrivateKey) keyStore.getKey(alias, null);
    X509Certificate renewed =
        TestToken.certificate(alias, keyStore.getCertificate(alias).getPublicKey(), alias, key);
    keyStore.setKeyEntry(alias, key, null, new Certificate[] {renewed});
    assertArrayEquals(new Certificate[] {renewed}, TestToken.load().getCertificateChain(alias));
  }

  /** Bouncy Castle writes the public key of an Edwards curve beside the private one (RFC 8410, section 7). */
  @ParameterizedTest
  @CsvSource({"RSA, SHA256withRSA", "EC, SHA256withECDSA", "Ed25519, Ed25519"})
  void keysThatItMadeInSoftwareAreImported(String keyAlgorithm, String algorithm) throws Exception {
    String file = "# Keystay key store, version 1\ntoken = \"importing\"\n";
    KeyStore keyStore = TestToken.load(file);
    KeyPairGenerator generator = KeyPairGenerator.getInstance(keyAlgorithm, "BC");
    if (keyAlgorithm.equals("EC")) {
      generator.initialize(new ECGenParameterSpec("secp256r1"));
    }
    KeyPair pair = generator.generateKeyPair();
    String alias = TestToken.unusedAlias("foreign");
    Certificate[] chain = {TestToken.selfSigned(alias, pair)};
    keyStore.setKeyEntry(alias, pair.getPrivate(), null, chain);
    Signature signature = Signature.getInstance(algorithm);
    signature.initSign((PrivateKey) TestToken.load(file).getKey(alias, null));
    signature.update(MESSAGE);
    byte[] value = signature.sign();
    signature.initVerify(pair.getPublic());
    signature.update(MESSAGE);
    assertTrue(signature.verify(value));
  }

  /** What was made while the JDK stood first is the same key now. */
  @Test
  void keysAreTheSameWhoeverStandsFirst() throws Exception {
    remove();
    KeyStore before = TestToken.load();
    String[] aliases = {
      TestToken.newAlias(before, "EC", "secp256r1"), TestToken.newAlias(before, "Ed25519", "")
    };
    putInFirstPlace();
    KeyStore now = TestToken.load();
    for (String alias : aliases) {
      assertEquals(before.getKey(alias, null), now.getKey(alias, null));
      assertArrayEquals(
          before.getCertificate(alias).getEncoded(), now.getCertificate(alias).getEncoded());
    }
    assertEquals(before.size(), now.size());
  }

  @Test
  void aKeyWithoutACertificateHasItsPlaceholder() throws Exception {
    TestToken.load();
    NativeStore token = TestToken.token();
    String alias = TestToken.unusedAlias("bare");
    TestToken.makeBareKey(token, alias, KeySpec.of("Ed25519"));
    assertTrue(TestToken.load().isKeyEntry(alias));
  }

  /** RFC 4055: the key is certified for RSASSA-PSS only, and the JCA wants it called so on both sides. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anRsaKeyWithAPssCertificateIsLoadedAndSigns(boolean bouncyCastle) throws Exception {
    if (!bouncyCastle) {
      remove();
    }
    KeyStore keyStore = TestToken.load();
    KeyPair pair = TestToken.generate("RSA", "2048");
    String alias = TestToken.unusedAlias("pss");
    X509Certificate certificate = TestToken.selfSigned(alias, pair, pssEncoded(pair));
    keyStore.setKeyEntry(alias, pair.getPrivate(), null, new Certificate[] {certificate});
    KeyStore view = TestToken.load();
    PrivateKey key = (PrivateKey) view.getKey(alias, null);
    assertNotNull(key);
    PSSParameterSpec parameters =
        new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1);
    Signature signer = Signature.getInstance("RSASSA-PSS", TestToken.provider());
    signer.setParameter(parameters);
    signer.initSign(key);
    signer.update(MESSAGE);
    byte[] value = signer.sign();
    Signature verifier = Signature.getInstance("RSASSA-PSS", "SunRsaSign");
    verifier.setParameter(parameters);
    verifier.initVerify(pair.getPublic());
    verifier.update(MESSAGE);
    assertTrue(verifier.verify(value));
  }

  /** SubjectPublicKeyInfo with id-RSASSA-PSS and no parameters. */
  private static byte[] pssEncoded(KeyPair pair) {
    RSAPublicKey key = (RSAPublicKey) pair.getPublic();
    byte[] bits =
        Der.sequence(Der.integer(key.getModulus()), Der.integer(key.getPublicExponent()));
    return Der.sequence(Der.fromHex("300b06092a864886f70d01010a"), Der.bitString(bits));
  }

  /** Hashes are asked of Keystay by those who name one provider for everything. */
  @ParameterizedTest
  @ValueSource(strings = {"SHA-1", "SHA-256", "SHA-512/256", "SHA3-384", "2.16.840.1.101.3.4.2.1"})
  void aHashIsThereForThoseWhoNameTheProvider(String name) throws Exception {
    byte[] expected = MessageDigest.getInstance(name, "SUN").digest(MESSAGE);
    assertArrayEquals(expected, MessageDigest.getInstance(name, "Keystay").digest(MESSAGE));
    MessageDigest digest = MessageDigest.getInstance(name, TestToken.provider());
    assertEquals("Keystay", digest.getProvider().getName());
    digest.update(MESSAGE, 0, 1);
    MessageDigest copy = (MessageDigest) digest.clone();
    copy.update(MESSAGE, 1, 2);
    assertArrayEquals(expected, copy.digest());
  }

  /** In first place too, all others get their hashes where they got them before. */
  @Test
  void aHashIsNotThereForAllOthers() throws Exception {
    Provider keystay = TestToken.provider();
    Security.removeProvider(KeystayProvider.NAME);
    Security.insertProviderAt(keystay, 1);
    try {
      assertEquals("BC", MessageDigest.getInstance("SHA-256").getProvider().getName());
    } finally {
      Security.removeProvider(KeystayProvider.NAME);
      Security.addProvider(keystay);
    }
  }

  /** What a token may hold is no reason to lose the rest: a point of a wrong form, bytes that are no key. */
  @Test
  void aPublicKeyThatCannotBeReadIsAnErrorWithItsReason() {
    byte[] p256 = Der.fromHex("06082a8648ce3d030107");
    byte[] x = new byte[32];
    byte[][] points = {
      {}, {4}, Der.concatenate(new byte[] {2}, x), Der.concatenate(new byte[] {4}, x, x),
      Der.concatenate(new byte[] {4}, x), Der.concatenate(new byte[] {3, 4}, x, x)
    };
    for (byte[] point : points) {
      assertUnreadable(new PublicKeyParts(PublicKeyParts.EC, p256, point));
    }
    assertUnreadable(new PublicKeyParts(PublicKeyParts.EC, new byte[] {1}, new byte[65]));
    assertUnreadable(new PublicKeyParts(PublicKeyParts.EDWARDS, new byte[0], new byte[31]));
    assertUnreadable(new PublicKeyParts(PublicKeyParts.RSA, new byte[0], new byte[] {3}));
    assertUnreadable(
        new PublicKeyParts(
            PublicKeyParts.RSA, BigInteger.TEN.toByteArray(), new byte[0]));
  }

  private static void assertUnreadable(PublicKeyParts parts) {
    try {
      parts.toPublicKey();
    } catch (KeystayException e) {
      assertTrue(e.getMessage().contains("no such public key can be read: "), e.getMessage());
      return;
    }
    throw new AssertionError("a key was made of nonsense");
  }
}
