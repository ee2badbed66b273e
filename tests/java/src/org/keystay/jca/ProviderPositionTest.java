package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.security.InvalidKeyException;
import java.security.InvalidParameterException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Keystay may stand anywhere in the provider list. */
class ProviderPositionTest {
  private static final int FIRST = 1;
  private static final int LAST = 100;
  private static final byte[] MESSAGE = {1, 2, 3};
  private static final PSSParameterSpec PSS =
      new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1);

  @ParameterizedTest
  @ValueSource(ints = {FIRST, LAST})
  void keysOfTheTokenAreSignedByKeystay(int position) throws Exception {
    KeyPair pair = tokenPair("EC", "secp256r1");
    at(position, () -> {
      Signature signature = Signature.getInstance("SHA256withECDSA");
      signature.initSign(pair.getPrivate());
      assertInstanceOf(KeystayProvider.class, signature.getProvider());
      return null;
    });
  }

  @ParameterizedTest
  @CsvSource({
    "1, RSA, SHA256withRSA", "100, RSA, SHA256withRSA", "1, EC, SHA256withECDSA",
    "100, EC, SHA384withECDSAinP1363Format"
  })
  void softwareKeysAreLeftToTheNextProvider(int position, String keyAlgorithm, String algorithm)
      throws Exception {
    at(position, () -> {
      KeyPair pair = KeyPairGenerator.getInstance(keyAlgorithm).generateKeyPair();
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(pair.getPrivate());
      assertFalse(signature.getProvider() instanceof KeystayProvider);
      signature.update(MESSAGE);
      byte[] value = signature.sign();
      Signature verification = Signature.getInstance(algorithm);
      verification.initVerify(pair.getPublic());
      assertFalse(verification.getProvider() instanceof KeystayProvider);
      verification.update(MESSAGE);
      assertTrue(verification.verify(value));
      return null;
    });
  }

  /** setParameter before a key binds the first provider: it must work for keys that are not its own. */
  @ParameterizedTest
  @ValueSource(ints = {FIRST, LAST})
  void parametersMayComeBeforeASoftwareKey(int position) throws Exception {
    at(position, () -> {
      KeyPair pair = KeyPairGenerator.getInstance("RSA").generateKeyPair();
      Signature signature = Signature.getInstance("RSASSA-PSS");
      signature.setParameter(PSS);
      assertEquals(position == FIRST, signature.getProvider() instanceof KeystayProvider);
      signature.initSign(pair.getPrivate());
      signature.update(MESSAGE);
      byte[] value = signature.sign();
      Signature verification = Signature.getInstance("RSASSA-PSS");
      verification.setParameter(PSS);
      verification.initVerify(pair.getPublic());
      verification.update(MESSAGE);
      assertTrue(verification.verify(value));
      verification.update(MESSAGE[0]);
      assertFalse(verification.verify(value));
      return null;
    });
  }

  @Test
  void asFirstProviderParametersMayComeBeforeAKeyOfTheToken() throws Exception {
    KeyPair pair = tokenPair("RSA", "2048");
    at(FIRST, () -> {
      Signature signature = Signature.getInstance("RSASSA-PSS");
      signature.setParameter(PSS);
      signature.initSign(pair.getPrivate());
      signature.update(MESSAGE);
      byte[] value = signature.sign();
      signature.initVerify(pair.getPublic()); // the same object, now for the next provider
      signature.update(MESSAGE);
      assertTrue(signature.verify(value));
      return null;
    });
  }

  @Test
  void askedByNameItVerifiesAndSignsWithSoftwareKeysToo() throws Exception {
    Provider keystay = TestToken.provider();
    KeyPair pair = KeyPairGenerator.getInstance("EC").generateKeyPair();
    Signature signature = Signature.getInstance("SHA256withECDSA", keystay);
    signature.initSign(pair.getPrivate());
    signature.update(MESSAGE);
    byte[] value = signature.sign();
    signature.initVerify(pair.getPublic());
    signature.update(MESSAGE);
    assertTrue(signature.verify(value));
  }

  @Test
  void aKeyThatNobodyTakesIsAnInvalidKey() throws Exception {
    KeyPair pair = KeyPairGenerator.getInstance("EC").generateKeyPair();
    Signature signature = Signature.getInstance("SHA256withRSA", TestToken.provider());
    assertThrows(InvalidKeyException.class, () -> signature.initSign(pair.getPrivate()));
    assertThrows(InvalidKeyException.class, () -> signature.initVerify(pair.getPublic()));
  }

  /** TLS makes its ephemeral keys so, one for each handshake. */
  @ParameterizedTest
  @CsvSource({"1, EC", "1, RSA", "100, EC"})
  void keyPairsAreMadeOnTheTokenOnlyForThoseWhoNameTheProvider(int position, String algorithm)
      throws Exception {
    at(position, () -> {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
      assertNotEquals(KeystayProvider.NAME, generator.getProvider().getName());
      assertNotNull(generator.generateKeyPair().getPrivate().getEncoded());
      return null;
    });
    TestToken.load();
    KeyPairGenerator named = KeyPairGenerator.getInstance(algorithm, KeystayProvider.NAME);
    assertNull(named.generateKeyPair().getPrivate().getEncoded());
  }

  @ParameterizedTest
  @ValueSource(ints = {FIRST, LAST})
  void certificatesAreVerifiedByOthers(int position) throws Exception {
    KeyPair pair = tokenPair("RSA", "2048");
    X509Certificate certificate = TestToken.selfSigned("verified", pair);
    at(position, () -> {
      certificate.verify(pair.getPublic());
      return null;
    });
  }

  @Test
  void theProviderIsFoundAsAService() {
    assertTrue(
        StreamSupport.stream(ServiceLoader.load(Provider.class).spliterator(), false)
            .anyMatch(provider -> provider instanceof KeystayProvider));
  }

  @Test
  void theNameDoesNotChangeWithTheConfiguration() {
    Provider provider = new KeystayProvider().configure("pkcs11:token=other?module-path=/none.so");
    assertEquals("Keystay", provider.getName());
    assertTrue(provider.isConfigured());
    assertThrows(InvalidParameterException.class, () -> new KeystayProvider().configure(""));
  }

  private static KeyPair tokenPair(String algorithm, String size) throws Exception {
    TestToken.load();
    return TestToken.generate(algorithm, size);
  }

  /** Runs with the provider at a position of the list, and puts it back to where it was. */
  private static void at(int position, Callable<Void> body) throws Exception {
    KeystayProvider provider = TestToken.provider();
    Security.removeProvider(KeystayProvider.NAME);
    Security.insertProviderAt(provider, position);
    try {
      body.call();
    } finally {
      Security.removeProvider(KeystayProvider.NAME);
      Security.addProvider(provider);
    }
  }
}
