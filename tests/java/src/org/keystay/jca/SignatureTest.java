package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.InvalidAlgorithmParameterException;
import java.security.InvalidKeyException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Provider;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.interfaces.ECKey;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every signature of a token's key verifies with the JDK's own software. */
class SignatureTest {
  private static final byte[] MESSAGE =
      "the token signs this, software verifies it".getBytes(StandardCharsets.UTF_8);

  private static final Map<String, KeyPair> PAIRS = new HashMap<>();

  @BeforeAll
  static void generateKeys() throws Exception {
    TestToken.load();
    PAIRS.put("RSA", TestToken.generate("RSA", "2048"));
    PAIRS.put("secp256r1", TestToken.generate("EC", "secp256r1"));
    PAIRS.put("secp384r1", TestToken.generate("EC", "secp384r1"));
    PAIRS.put("secp521r1", TestToken.generate("EC", "secp521r1"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "SHA224withRSA", "SHA256withRSA", "SHA384withRSA", "SHA512withRSA", "SHA512/224withRSA",
        "SHA512/256withRSA", "SHA3-224withRSA", "SHA3-256withRSA", "SHA3-384withRSA", "SHA3-512withRSA"
      })
  void rsaPkcs1Verifies(String algorithm) throws Exception {
    assertVerifies(algorithm, algorithm, PAIRS.get("RSA"));
  }

  @ParameterizedTest
  @CsvSource({
    "SHA224withECDSA, secp256r1", "SHA256withECDSA, secp256r1", "SHA384withECDSA, secp256r1",
    "SHA512withECDSA, secp256r1", "SHA256withECDSA, secp384r1", "SHA512withECDSA, secp384r1",
    "SHA256withECDSA, secp521r1", "SHA512withECDSA, secp521r1",
    "SHA256withECDSAinP1363Format, secp256r1", "SHA384withECDSAinP1363Format, secp384r1",
    "SHA512withECDSAinP1363Format, secp521r1", "SHA3-224withECDSA, secp256r1",
    "SHA3-256withECDSA, secp256r1", "SHA3-384withECDSAinP1363Format, secp384r1",
    "SHA3-512withECDSA, secp521r1"
  })
  void ecdsaVerifies(String algorithm, String curve) throws Exception {
    assertVerifies(algorithm, algorithm, PAIRS.get(curve));
  }

  @ParameterizedTest
  @ValueSource(strings = {"Ed25519", "EdDSA"})
  void edwardsVerifies(String algorithm) throws Exception {
    assumeTrue(Runtime.version().feature() >= 15, "JDK 15 brought EdDSA");
    KeyPair pair = TestToken.generate("Ed25519", "");
    assertVerifies(algorithm, algorithm, pair);
    assertEquals("EdDSA", pair.getPrivate().getAlgorithm());
  }

  @ParameterizedTest
  @CsvSource({
    "SHA-224, SHA-224, 28", "SHA-256, SHA-256, 32", "SHA-384, SHA-384, 48", "SHA-512, SHA-512, 64",
    "SHA-256, SHA-256, 0", "SHA-256, SHA-256, 20", "SHA-512, SHA-512, 190", "SHA-256, SHA-1, 32",
    "SHA-512, SHA-256, 64", "SHA-512/256, SHA-512/256, 32", "SHA3-256, SHA3-256, 32", "SHA3-512, SHA-1, 20"
  })
  void pssVerifiesWithItsParameters(String hash, String mgf1Hash, int salt) throws Exception {
    PSSParameterSpec parameters = pss(hash, mgf1Hash, salt);
    Signature signer = Signature.getInstance("RSASSA-PSS", TestToken.provider());
    signer.setParameter(parameters);
    signer.initSign(PAIRS.get("RSA").getPrivate());
    signer.update(MESSAGE);
    assertTrue(verifiesPss(signer.sign(), parameters));
  }

  @ParameterizedTest
  @CsvSource({
    "SHA224withRSAandMGF1, SHA-224, 28", "SHA256withRSAandMGF1, SHA-256, 32",
    "SHA384withRSASSA-PSS, SHA-384, 48", "sha512withrsaandmgf1, SHA-512, 64"
  })
  void pssHasFormsWithFixedParameters(String algorithm, String hash, int salt) throws Exception {
    Signature signer = Signature.getInstance(algorithm, TestToken.provider());
    signer.initSign(PAIRS.get("RSA").getPrivate());
    signer.update(MESSAGE);
    assertTrue(verifiesPss(signer.sign(), pss(hash, hash, salt)));
  }

  /** BCJSSE gives the key first, to see whether it is taken. */
  @Test
  void pssTakesTheKeyBeforeTheParameters() throws Exception {
    Signature signer = Signature.getInstance("RSASSA-PSS", TestToken.provider());
    signer.initSign(PAIRS.get("RSA").getPrivate());
    PSSParameterSpec parameters = pss("SHA-256", "SHA-256", 32);
    signer.setParameter(parameters);
    signer.update(MESSAGE);
    assertTrue(verifiesPss(signer.sign(), parameters));
  }

  @Test
  void pssWithoutParametersDoesNotSign() throws Exception {
    Signature signer = Signature.getInstance("RSASSA-PSS", TestToken.provider());
    signer.initSign(PAIRS.get("RSA").getPrivate());
    assertThrows(SignatureException.class, signer::sign);
  }

  /** JSSE asks in a static initialiser: what is thrown there ends RSA-PSS for the whole JVM. */
  @Test
  void pssParametersAreReadBackBeforeThereIsAKey() throws Exception {
    Signature signer = Signature.getInstance("RSASSA-PSS", TestToken.provider());
    signer.setParameter(pss("SHA-384", "SHA-384", 48));
    PSSParameterSpec read = signer.getParameters().getParameterSpec(PSSParameterSpec.class);
    assertEquals("SHA-384", read.getDigestAlgorithm());
    assertEquals(48, read.getSaltLength());
  }

  @Test
  void pssRefusesWhatTheTokenWouldNotSign() throws Exception {
    Signature signer = Signature.getInstance("RSASSA-PSS", TestToken.provider());
    signer.setParameter(pss("MD5", "MD5", 16)); // another provider may sign so, with another key
    assertThrows(
        InvalidKeyException.class, () -> signer.initSign(PAIRS.get("RSA").getPrivate()));
    signer.setParameter(pss("SHA-512", "SHA-512", 191)); // one byte more than 2048 bits hold
    assertThrows(
        InvalidKeyException.class, () -> signer.initSign(PAIRS.get("RSA").getPrivate()));
  }

  /** For tokens that have raw RSA but no CKM_RSA_PKCS_PSS. */
  @ParameterizedTest
  @CsvSource({"SHA256, SHA256, 32", "SHA512, SHA256, 0", "SHA384, SHA384, 48"})
  void pssEncodedInSoftwareVerifies(Hash hash, Hash mgf1Hash, int salt) throws Exception {
    byte[] digest = hash.newDigest().digest(MESSAGE);
    NativeKey key = ((OpaqueKey) PAIRS.get("RSA").getPrivate()).nativeKey();
    byte[] signature =
        key.sign(
            NativeKey.Mechanism.RSA_X509, new PssEncoding(hash, mgf1Hash, salt).encode(digest, 2048));
    assertTrue(verifiesPss(signature, pss(hash.jcaName(), mgf1Hash.jcaName(), salt)));
  }

  /** As openssl and the JDK verify it: these names are Keystay's, and other providers know RSASSA-PSS. */
  @ParameterizedTest
  @ValueSource(strings = {"SHA256withRSAandMGF1", "SHA384withRSASSA-PSS", "SHA3-256withRSAandMGF1"})
  void theFormsWithFixedParametersVerifyAndSignWithSoftwareKeysToo(String algorithm) throws Exception {
    for (KeyPair pair : new KeyPair[] {PAIRS.get("RSA"), softwareRsa()}) {
      Signature signature = Signature.getInstance(algorithm, TestToken.provider());
      signature.initSign(pair.getPrivate());
      signature.update(MESSAGE);
      byte[] value = signature.sign();
      signature.initVerify(pair.getPublic());
      signature.update(MESSAGE);
      assertTrue(signature.verify(value));
      signature.update((byte) 0);
      assertFalse(signature.verify(value));
    }
  }

  @Test
  void aFormWithAFixedHashTakesNoOther() throws Exception {
    Signature signer = Signature.getInstance("SHA256withRSAandMGF1", TestToken.provider());
    assertThrows(
        InvalidAlgorithmParameterException.class,
        () -> signer.setParameter(pss("SHA-512", "SHA-512", 64)));
    signer.setParameter(pss("SHA-256", "SHA-256", 20));
    signer.initSign(PAIRS.get("RSA").getPrivate());
    signer.update(MESSAGE);
    assertTrue(verifiesPss(signer.sign(), pss("SHA-256", "SHA-256", 20)));
  }

  /** The JDK has no service of this name: it makes one of a cipher. */
  @Test
  void noneWithRsaIsLeftToOthersForSoftwareKeys() throws Exception {
    KeyPair software = softwareRsa();
    Signature signature = Signature.getInstance("NONEwithRSA", TestToken.provider());
    signature.initSign(software.getPrivate());
    signature.update(MESSAGE);
    byte[] value = signature.sign();
    signature.initVerify(software.getPublic());
    signature.update(MESSAGE);
    assertTrue(signature.verify(value));
  }

  @Test
  void signaturesWithSha1AreThereForThoseWhoAsk() throws Exception {
    assertNull(TestToken.provider().getService("Signature", "SHA1withRSA"));
    System.setProperty("org.keystay.sha1", "true");
    Provider asked;
    try {
      asked = new KeystayProvider();
    } finally {
      System.clearProperty("org.keystay.sha1");
    }
    for (String[] row : new String[][] {{"SHA1withRSA", "RSA"}, {"SHA1withECDSA", "secp256r1"}}) {
      Signature signer = Signature.getInstance(row[0], asked);
      signer.initSign(PAIRS.get(row[1]).getPrivate());
      signer.update(MESSAGE);
      assertTrue(verifies(row[0], PAIRS.get(row[1]).getPublic(), signer.sign()));
    }
  }

  @Test
  void ecdsaMayBeToldTheCurveOfItsKeyOnceMore() throws Exception {
    Signature signer = Signature.getInstance("SHA256withECDSA", TestToken.provider());
    signer.initSign(PAIRS.get("secp256r1").getPrivate());
    signer.update(MESSAGE);
    signer.setParameter(((ECKey) PAIRS.get("secp256r1").getPublic()).getParams());
    assertThrows(
        InvalidAlgorithmParameterException.class,
        () -> signer.setParameter(((ECKey) PAIRS.get("secp384r1").getPublic()).getParams()));
    assertTrue(verifies("SHA256withECDSA", PAIRS.get("secp256r1").getPublic(), signer.sign()));
  }

  /** More than Keystay sends to a token: neither the message nor its rest is signed. */
  @Test
  void aMessageThatIsTooLongForEdwardsIsNotSignedInPart() throws Exception {
    assumeTrue(Runtime.version().feature() >= 15, "JDK 15 brought EdDSA");
    KeyPair pair = TestToken.generate("Ed25519", "");
    Signature signer = Signature.getInstance("Ed25519", TestToken.provider());
    signer.initSign(pair.getPrivate());
    signer.update(MESSAGE);
    signer.update(new byte[1 << 20]);
    signer.update(MESSAGE);
    assertThrows(SignatureException.class, signer::sign);
    signer.update(MESSAGE);
    assertThrows(SignatureException.class, signer::sign);
    signer.initSign(pair.getPrivate());
    signer.update(MESSAGE);
    assertTrue(verifies("Ed25519", pair.getPublic(), signer.sign()));
  }

  private static KeyPair softwareRsa() throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA", "SunRsaSign");
    generator.initialize(2048);
    return generator.generateKeyPair();
  }

  @Test
  void noneWithRsaSignsTheDigestInfoOfItsCaller() throws Exception {
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(MESSAGE);
    Signature signer = Signature.getInstance("NoneWithRSA", TestToken.provider());
    signer.initSign(PAIRS.get("RSA").getPrivate());
    signer.update(Hash.SHA256.digestInfo(digest));
    assertTrue(verifies("SHA256withRSA", PAIRS.get("RSA").getPublic(), signer.sign()));
  }

  @Test
  void noneWithRsaRefusesWhatDoesNotFitTheModulus() throws Exception {
    Signature signer = Signature.getInstance("NONEwithRSA", TestToken.provider());
    signer.initSign(PAIRS.get("RSA").getPrivate());
    signer.update(new byte[245]);
    signer.update((byte) 0);
    assertThrows(SignatureException.class, signer::sign);
    signer.update((byte) 0);
    assertThrows(SignatureException.class, signer::sign, "the rest is no message of its own");
  }

  @Test
  void noneWithEcdsaSignsTheDigestOfItsCaller() throws Exception {
    byte[] digest = MessageDigest.getInstance("SHA-384").digest(MESSAGE);
    Signature signer = Signature.getInstance("NoneWithECDSA", TestToken.provider());
    signer.initSign(PAIRS.get("secp384r1").getPrivate());
    signer.update(digest);
    assertTrue(verifies("SHA384withECDSA", PAIRS.get("secp384r1").getPublic(), signer.sign()));
  }

  @Test
  void inputComesInAnyPieces() throws Exception {
    Signature signer = Signature.getInstance("SHA256withECDSA", TestToken.provider());
    signer.initSign(PAIRS.get("secp256r1").getPrivate());
    signer.update(MESSAGE[0]);
    signer.update(MESSAGE, 1, 9);
    ByteBuffer direct = ByteBuffer.allocateDirect(10);
    direct.put(MESSAGE, 10, 10).flip();
    signer.update(direct);
    signer.update(ByteBuffer.wrap(MESSAGE, 20, MESSAGE.length - 20));
    assertTrue(verifies("SHA256withECDSA", PAIRS.get("secp256r1").getPublic(), signer.sign()));
  }

  @Test
  void aSignatureObjectSignsAgainAndAgain() throws Exception {
    Signature signer = Signature.getInstance("SHA256withRSA", TestToken.provider());
    signer.initSign(PAIRS.get("RSA").getPrivate());
    signer.update(MESSAGE);
    byte[] first = signer.sign();
    signer.update(MESSAGE);
    assertArrayEquals(first, signer.sign()); // PKCS #1 v1.5 is deterministic
    signer.update((byte) 1);
    signer.initSign(PAIRS.get("RSA").getPrivate()); // forgets what was collected
    signer.update(MESSAGE);
    assertArrayEquals(first, signer.sign());
  }

  @Test
  void aSignatureThatIsNotInitialisedFails() throws Exception {
    Signature signer = Signature.getInstance("SHA256withRSA", TestToken.provider());
    assertThrows(SignatureException.class, signer::sign);
    assertThrows(SignatureException.class, () -> signer.update((byte) 0));
  }

  @Test
  void aKeyOfAnotherAlgorithmIsAnInvalidKey() throws Exception {
    Signature signer = Signature.getInstance("SHA256withECDSA", TestToken.provider());
    assertThrows(
        InvalidKeyException.class, () -> signer.initSign(PAIRS.get("RSA").getPrivate()));
    assertThrows(InvalidKeyException.class, () -> signer.initSign(null));
  }

  @Test
  void aChangedMessageDoesNotVerify() throws Exception {
    Signature signer = Signature.getInstance("SHA256withRSA", TestToken.provider());
    signer.initSign(PAIRS.get("RSA").getPrivate());
    signer.update(MESSAGE);
    byte[] signature = signer.sign();
    Signature verifier = Signature.getInstance("SHA256withRSA");
    verifier.initVerify(PAIRS.get("RSA").getPublic());
    verifier.update(Arrays.copyOf(MESSAGE, MESSAGE.length - 1));
    assertFalse(verifier.verify(signature));
  }

  /** Every name that is registered is found, and is ours. */
  @Test
  void everyRegisteredNameMakesASignature() throws Exception {
    int count = 0;
    for (Provider.Service service : TestToken.provider().getServices()) {
      if (service.getType().equals("Signature")) {
        assertNotNull(Signature.getInstance(service.getAlgorithm(), TestToken.provider()));
        count++;
      }
    }
    assertEquals(43, count);
  }

  @ParameterizedTest
  @CsvSource({
    "1.2.840.113549.1.1.11, SHA256withRSA, RSA", "1.2.840.10045.4.3.2, SHA256withECDSA, secp256r1"
  })
  void objectIdentifiersAreNamesToo(String identifier, String algorithm, String pair)
      throws Exception {
    assertVerifies(identifier, algorithm, PAIRS.get(pair));
  }

  private static void assertVerifies(String signing, String verifying, KeyPair pair)
      throws Exception {
    Signature signer = Signature.getInstance(signing, TestToken.provider());
    signer.initSign(pair.getPrivate());
    signer.update(MESSAGE);
    assertTrue(verifies(verifying, pair.getPublic(), signer.sign()));
  }

  private static boolean verifies(String algorithm, PublicKey key, byte[] signature)
      throws Exception {
    Signature verifier = Signature.getInstance(algorithm);
    verifier.initVerify(key);
    assertFalse(verifier.getProvider() instanceof KeystayProvider);
    verifier.update(MESSAGE);
    return verifier.verify(signature);
  }

  private static boolean verifiesPss(byte[] signature, PSSParameterSpec parameters)
      throws Exception {
    Signature verifier = Signature.getInstance("RSASSA-PSS", "SunRsaSign");
    verifier.setParameter(parameters);
    verifier.initVerify(PAIRS.get("RSA").getPublic());
    verifier.update(MESSAGE);
    return verifier.verify(signature);
  }

  private static PSSParameterSpec pss(String hash, String mgf1Hash, int salt) {
    return new PSSParameterSpec(hash, "MGF1", new MGF1ParameterSpec(mgf1Hash), salt, 1);
  }
}
