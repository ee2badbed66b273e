package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Provider;
import java.security.ProviderException;
import java.security.SecureRandom;
import java.security.interfaces.ECPublicKey;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.MGF1ParameterSpec;
import java.util.Arrays;
import java.util.List;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import javax.crypto.BadPaddingException;
import javax.crypto.Cipher;
import javax.crypto.IllegalBlockSizeException;
import javax.crypto.KeyAgreement;
import javax.crypto.SecretKey;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What software encrypted to a key of the token, the token decrypts; both sides of an ECDH agree. */
class ExchangeTest {
  private static final byte[] SECRET = "for the token's eyes only".getBytes(StandardCharsets.UTF_8);
  private static final Map<String, KeyPair> PAIRS = new HashMap<>();

  @BeforeAll
  static void generateKeys() throws Exception {
    TestToken.load();
    withProperty(
        "org.keystay.exchange",
        () -> {
          PAIRS.put("RSA", TestToken.generate("RSA", "2048"));
          for (String curve : new String[] {"secp256r1", "secp384r1", "secp521r1"}) {
            PAIRS.put(curve, TestToken.generate("EC", curve));
          }
          return null;
        });
    PAIRS.put("signs only", TestToken.generate("RSA", "2048"));
  }

  /** SoftHSM has OAEP with SHA-1 only: with other hashes the padding is taken off in software. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "RSA",
        "RSA/ECB/PKCS1Padding",
        "RSA/ECB/OAEPPadding",
        "RSA/ECB/OAEPWithSHA-1AndMGF1Padding",
        "RSA/ECB/OAEPWithSHA-256AndMGF1Padding",
        "RSA/ECB/OAEPWithSHA-512AndMGF1Padding"
      })
  void theTokenDecryptsWhatSoftwareEncrypted(String transformation) throws Exception {
    byte[] ciphertext = encrypt(transformation, null);
    Cipher cipher = Cipher.getInstance(transformation);
    cipher.init(Cipher.DECRYPT_MODE, PAIRS.get("RSA").getPrivate());
    assertEquals(TestToken.provider(), cipher.getProvider());
    assertArrayEquals(SECRET, cipher.doFinal(ciphertext));

    cipher.update(ciphertext, 0, 100);
    assertArrayEquals(SECRET, cipher.doFinal(ciphertext, 100, ciphertext.length - 100));
  }

  @ParameterizedTest
  @CsvSource({"SHA-256, SHA-256, label", "SHA-384, SHA-1, ''", "SHA-1, SHA-1, label"})
  void oaepTakesItsParameters(String hash, String mgf1Hash, String label) throws Exception {
    OAEPParameterSpec parameters =
        new OAEPParameterSpec(
            hash,
            "MGF1",
            new MGF1ParameterSpec(mgf1Hash),
            new PSource.PSpecified(label.getBytes(StandardCharsets.UTF_8)));
    byte[] ciphertext = encrypt("RSA/ECB/OAEPPadding", parameters);
    Cipher cipher = Cipher.getInstance("RSA/ECB/OAEPPadding", TestToken.provider());
    cipher.init(Cipher.DECRYPT_MODE, PAIRS.get("RSA").getPrivate(), parameters);
    assertArrayEquals(SECRET, cipher.doFinal(ciphertext));
    assertEquals(
        hash,
        cipher.getParameters().getParameterSpec(OAEPParameterSpec.class).getDigestAlgorithm());
  }

  @ParameterizedTest
  @ValueSource(strings = {"RSA/ECB/PKCS1Padding", "RSA/ECB/OAEPWithSHA-256AndMGF1Padding"})
  void whatDoesNotDecryptSaysNoMoreThanThat(String transformation) throws Exception {
    Cipher cipher = Cipher.getInstance(transformation);
    cipher.init(Cipher.DECRYPT_MODE, PAIRS.get("RSA").getPrivate());
    byte[] ciphertext = encrypt(transformation, null);
    ciphertext[ciphertext.length - 1] ^= 1;
    for (byte[] wrong : List.of(ciphertext, new byte[10])) {
      try {
        // A token whose libcrypto rejects implicitly (OpenSSL 3.2) answers with random bytes in the
        // place of an error, for PKCS #1 v1.5 only.
        assertFalse(Arrays.equals(SECRET, cipher.doFinal(wrong)));
        assertTrue(transformation.contains("PKCS1"), transformation);
      } catch (BadPaddingException error) {
        assertEquals("decryption failed", error.getMessage());
        assertNull(error.getCause());
      }
    }
    assertThrows(IllegalBlockSizeException.class, () -> cipher.doFinal(new byte[257]));
    cipher.init(Cipher.DECRYPT_MODE, PAIRS.get("RSA").getPrivate());
    assertArrayEquals(SECRET, cipher.doFinal(encrypt(transformation, null)));
  }

  @Test
  void wrappedKeysAreUnwrapped() throws Exception {
    SecretKey key = new SecretKeySpec(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, "AES");
    Cipher wrapping = Cipher.getInstance("RSA/ECB/PKCS1Padding", software());
    wrapping.init(Cipher.WRAP_MODE, PAIRS.get("RSA").getPublic());
    Cipher unwrapping = Cipher.getInstance("RSA/ECB/PKCS1Padding");
    unwrapping.init(Cipher.UNWRAP_MODE, PAIRS.get("RSA").getPrivate());
    assertEquals(key, unwrapping.unwrap(wrapping.wrap(key), "AES", Cipher.SECRET_KEY));
    try {  // an error, or random bytes: see above
      assertNotEquals(key, unwrapping.unwrap(new byte[256], "AES", Cipher.SECRET_KEY));
    } catch (InvalidKeyException error) {
      assertNotNull(error.getMessage());
    }
  }

  @Test
  void aKeyThatIsForSigningOnlyDoesNotDecrypt() throws Exception {
    Cipher cipher = Cipher.getInstance("RSA/ECB/PKCS1Padding");
    cipher.init(Cipher.DECRYPT_MODE, PAIRS.get("signs only").getPrivate());
    ProviderException error =
        assertThrows(ProviderException.class, () -> cipher.doFinal(new byte[256]));
    assertTrue(error.getMessage().contains("the key's attributes forbid this use"), error.getMessage());
  }

  @Test
  void aPrivateKeyEncryptsNothing() throws Exception {
    Cipher cipher = Cipher.getInstance("RSA", TestToken.provider());
    assertThrows(
        InvalidKeyException.class,
        () -> cipher.init(Cipher.ENCRYPT_MODE, PAIRS.get("RSA").getPrivate()));
  }

  /** A cipher that was bound to the provider by name works with keys of others. */
  @Test
  void otherKeysAreLeftToTheNextProvider() throws Exception {
    KeyPair other = KeyPairGenerator.getInstance("RSA").generateKeyPair();
    for (String transformation : new String[] {"RSA/ECB/PKCS1Padding", "RSA/ECB/OAEPPadding"}) {
      Cipher cipher = Cipher.getInstance(transformation, TestToken.provider());
      cipher.init(Cipher.ENCRYPT_MODE, other.getPublic());
      byte[] ciphertext = cipher.doFinal(SECRET);
      cipher.init(Cipher.DECRYPT_MODE, other.getPrivate());
      assertArrayEquals(SECRET, cipher.doFinal(ciphertext));
    }
    assertThrows(
        InvalidKeyException.class,
        () ->
            Cipher.getInstance("RSA", TestToken.provider())
                .init(Cipher.DECRYPT_MODE, PAIRS.get("secp256r1").getPrivate()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"secp256r1", "secp384r1", "secp521r1"})
  void bothSidesOfAnAgreementHaveOneSecret(String curve) throws Exception {
    KeyPair ours = PAIRS.get(curve);
    KeyPair peer = software(curve);
    KeyAgreement here = KeyAgreement.getInstance("ECDH");
    here.init(ours.getPrivate());
    assertEquals(TestToken.provider(), here.getProvider());
    here.doPhase(peer.getPublic(), true);
    KeyAgreement there = KeyAgreement.getInstance("ECDH", TestToken.provider());
    there.init(peer.getPrivate());
    there.doPhase(ours.getPublic(), true);
    byte[] secret = there.generateSecret();
    assertArrayEquals(secret, here.generateSecret());

    here.doPhase(peer.getPublic(), true);
    SecretKey key = here.generateSecret("TlsPremasterSecret");
    assertArrayEquals(secret, key.getEncoded());
  }

  @Test
  void aPeerThatIsNotOnTheCurveIsRefusedBeforeTheTokenIsAsked() throws Exception {
    KeyAgreement agreement = KeyAgreement.getInstance("ECDH");
    agreement.init(PAIRS.get("secp256r1").getPrivate());
    assertThrows(
        InvalidKeyException.class,
        () -> agreement.doPhase(PAIRS.get("secp384r1").getPublic(), true));
    ECPublicKey peer = (ECPublicKey) software("secp256r1").getPublic();
    ECPoint beside =
        new ECPoint(peer.getW().getAffineX(), peer.getW().getAffineY().xor(BigInteger.ONE));
    assertThrows(
        InvalidKeyException.class,
        () ->
            agreement.doPhase(
                KeyFactory.getInstance("EC")
                    .generatePublic(new ECPublicKeySpec(beside, peer.getParams())),
                true));
    assertThrows(IllegalStateException.class, agreement::generateSecret);
  }

  /** SecureRandom takes the first provider that has one, so ours has none unless asked. */
  @Test
  void theTokensRandomNumbersAreAnOptIn() throws Exception {
    assertNull(TestToken.provider().getService("SecureRandom", "Keystay"));
    TestToken.load();
    Provider asked = withProperty("org.keystay.random", KeystayProvider::new);
    SecureRandom random = SecureRandom.getInstance("Keystay", asked);
    byte[] one = new byte[3000];
    byte[] other = new byte[3000];
    random.nextBytes(one);
    random.nextBytes(other);
    // 500 bytes of one piece cannot all be zero, nor two draws equal, unless something was not drawn.
    for (int offset = 0; offset < one.length; offset += 500) {
      assertFalse(allZero(one, offset, 500));
    }
    assertFalse(java.util.Arrays.equals(one, other));
    assertEquals(16, random.generateSeed(16).length);
  }

  private static boolean allZero(byte[] bytes, int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      if (bytes[i] != 0) {
        return false;
      }
    }
    return true;
  }

  private static byte[] encrypt(String transformation, AlgorithmParameterSpec parameters)
      throws Exception {
    Cipher cipher = Cipher.getInstance(transformation, software());
    cipher.init(Cipher.ENCRYPT_MODE, PAIRS.get("RSA").getPublic(), parameters);
    return cipher.doFinal(SECRET);
  }

  private static Provider software() {
    return java.security.Security.getProvider("SunJCE");
  }

  private static KeyPair software(String curve) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "SunEC");
    generator.initialize(new java.security.spec.ECGenParameterSpec(curve));
    return generator.generateKeyPair();
  }

  private static <T> T withProperty(String name, Callable<T> body) throws Exception {
    System.setProperty(name, "true");
    try {
      return body.call();
    } finally {
      System.clearProperty(name);
    }
  }
}
