package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import java.security.KeyPair;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.interfaces.ECKey;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAKey;
import java.security.interfaces.RSAPrivateKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.NamedParameterSpec;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a private key shows of itself, and what it does not. */
class OpaqueKeyTest {
  @ParameterizedTest
  @CsvSource({"RSA, 2048", "EC, secp256r1", "Ed25519, ''"})
  void aKeyHasNeitherEncodingNorFormat(String algorithm, String size) throws Exception {
    assumeEdwards(algorithm);
    PrivateKey key = TestToken.generate(algorithm, size).getPrivate();
    assertNull(key.getEncoded());
    assertNull(key.getFormat());
    assertFalse(key.isDestroyed());
  }

  @Test
  void anRsaKeyTellsItsSizeAndClaimsNoMore() throws Exception {
    KeyPair pair = TestToken.generate("RSA", "3072");
    RSAKey key = assertInstanceOf(RSAKey.class, pair.getPrivate());
    assertFalse(pair.getPrivate() instanceof RSAPrivateKey, "software providers would take it");
    assertEquals(((RSAPublicKey) pair.getPublic()).getModulus(), key.getModulus());
    assertEquals(3072, key.getModulus().bitLength());
    assertEquals("RSA", pair.getPrivate().getAlgorithm());
  }

  @Test
  void anEcKeyTellsItsCurveAndClaimsNoMore() throws Exception {
    KeyPair pair = TestToken.generate("EC", "secp384r1");
    ECKey key = assertInstanceOf(ECKey.class, pair.getPrivate());
    assertFalse(pair.getPrivate() instanceof ECPrivateKey, "software providers would take it");
    assertEquals(((ECPublicKey) pair.getPublic()).getParams(), key.getParams());
  }

  @Test
  void anEdwardsKeyTellsItsCurve() throws Exception {
    assumeEdwards("Ed25519");
    PrivateKey key = TestToken.generate("Ed25519", "").getPrivate();
    Class<?> edwardsKey = Class.forName("java.security.interfaces.EdECKey");
    assertTrue(edwardsKey.isInstance(key), "META-INF/versions/15 is in force");
    Object parameters = edwardsKey.getMethod("getParams").invoke(key);
    assertEquals("Ed25519", ((NamedParameterSpec) parameters).getName());
    // What jarsigner and jose4j look for, with a value that may be missing.
    Class<?> edwardsPrivateKey = Class.forName("java.security.interfaces.EdECPrivateKey");
    assertTrue(edwardsPrivateKey.isInstance(key));
    assertEquals(Optional.empty(), edwardsPrivateKey.getMethod("getBytes").invoke(key));
  }

  /** JDK 22: PrivateKey and RSAKey each have a default getParams, and javac 21 knows one of them. */
  @ParameterizedTest
  @CsvSource({"RSA, 2048", "EC, secp256r1", "Ed25519, ''"})
  void getParamsIsNotAmbiguousThroughAnyInterface(String algorithm, String size) throws Exception {
    assumeEdwards(algorithm);
    PrivateKey key = TestToken.generate(algorithm, size).getPrivate();
    Object parameters = ((OpaqueKey) key).getParams();
    if (key instanceof RSAKey) {
      assertEquals(parameters, ((RSAKey) key).getParams());
    }
    if (key instanceof ECKey) {
      assertEquals(parameters, ((ECKey) key).getParams());
    }
    if (Runtime.version().feature() >= 22) {
      Class<?> asymmetricKey = Class.forName("java.security.AsymmetricKey");
      assertEquals(parameters, asymmetricKey.getMethod("getParams").invoke(key));
    }
  }

  @Test
  void aKeyCannotBeSerialized() throws Exception {
    PrivateKey key = TestToken.generate("EC", "secp256r1").getPrivate();
    ObjectOutputStream out = new ObjectOutputStream(new ByteArrayOutputStream());
    assertThrows(NotSerializableException.class, () -> out.writeObject(key));
  }

  @Test
  void keysAreEqualIfTheyNameTheSameKey() throws Exception {
    KeyStore keyStore = TestToken.load();
    String alias = TestToken.newAlias(keyStore, "EC", "secp256r1");
    PrivateKey key = (PrivateKey) keyStore.getKey(alias, null);
    PrivateKey again = (PrivateKey) TestToken.load().getKey(alias, null);
    assertEquals(key, again);
    assertEquals(key.hashCode(), again.hashCode());
    assertNotEquals(key, TestToken.generate("EC", "secp256r1").getPrivate());
  }

  private static void assumeEdwards(String algorithm) throws Exception {
    assumeTrue(
        !algorithm.startsWith("Ed") || Runtime.version().feature() >= 15, "JDK 15 brought EdDSA");
    TestToken.load();
  }
}
