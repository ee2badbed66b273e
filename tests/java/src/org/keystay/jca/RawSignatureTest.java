package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Provider;
import java.security.PublicKey;
import java.security.Security;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.crypto.Cipher;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Signatures in the form of PKCS #11, made by the JDK's own keys. */
class RawSignatureTest {
  /** A bit is turned over at so many places, and one more. */
  private static final int PARTS = 10;

  /** One mechanism with a kind of key: what is signed, and how software signs it. */
  private static final class Signed {
    final String name;
    final String algorithm;
    final String parameter;
    final int mechanism;
    final Hash hash;
    final Hash mgf1Hash;
    final int saltLength;
    final int dataSize;

    Signed(String name, String algorithm, String parameter, int mechanism, int dataSize) {
      this(name, algorithm, parameter, mechanism, dataSize, Hash.SHA256, Hash.SHA256, 0);
    }

    Signed(String name, String algorithm, String parameter, int mechanism, int dataSize, Hash hash, Hash mgf1Hash,
        int saltLength) {
      this.name = name;
      this.algorithm = algorithm;
      this.parameter = parameter;
      this.mechanism = mechanism;
      this.dataSize = dataSize;
      this.hash = hash;
      this.mgf1Hash = mgf1Hash;
      this.saltLength = saltLength;
    }

    KeyPair newKey() throws Exception {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
      if (algorithm.equals("RSA")) {
        generator.initialize(Integer.parseInt(parameter));
      } else if (algorithm.equals("EC")) {
        generator.initialize(new ECGenParameterSpec(parameter));
      }
      return generator.generateKeyPair();
    }

    byte[] newData(KeyPair pair) {
      byte[] data = new byte[dataSize];
      Arrays.fill(data, (byte) 0x5a);
      data[0] = 0; // a block below the modulus
      return data;
    }

    byte[] sign(KeyPair pair, byte[] data) throws Exception {
      switch (mechanism) {
        case NativeCodes.RSA_PKCS:
          return rsa(pair, "RSA/ECB/PKCS1Padding", data);
        case NativeCodes.RSA_X509:
          return rsa(pair, "RSA/ECB/NoPadding", data);
        case NativeCodes.RSA_PSS:
          PssEncoding encoding = new PssEncoding(hash, mgf1Hash, saltLength);
          return rsa(pair, "RSA/ECB/NoPadding", encoding.encode(data, Integer.parseInt(parameter)));
        case NativeCodes.ECDSA:
          return signature(pair, "NONEwithECDSAinP1363Format", data);
        default:
          return signature(pair, algorithm, data);
      }
    }

    boolean isRight(PublicKey key, byte[] data, byte[] signature) throws GeneralSecurityException {
      PublicKeyParts parts = PublicKeyParts.of(key);
      return SignatureUpcalls.isSignature(
          parts.type(), parts.first(), parts.second(), mechanism, hash.nativeCode(), mgf1Hash.nativeCode(),
          saltLength, data, signature);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static byte[] rsa(KeyPair pair, String transformation, byte[] data) throws Exception {
    Cipher cipher = Cipher.getInstance(transformation);
    cipher.init(Cipher.ENCRYPT_MODE, pair.getPrivate());
    return cipher.doFinal(data);
  }

  private static byte[] signature(KeyPair pair, String algorithm, byte[] data) throws Exception {
    Signature signature = Signature.getInstance(algorithm);
    signature.initSign(pair.getPrivate());
    signature.update(data);
    return signature.sign();
  }

  static Stream<Signed> mechanisms() {
    return Stream.of(
        new Signed("RSA PKCS #1", "RSA", "2048", NativeCodes.RSA_PKCS, 51),
        new Signed("RSA PKCS #1, longest", "RSA", "1024", NativeCodes.RSA_PKCS, 128 - 11),
        new Signed("RSA block", "RSA", "2048", NativeCodes.RSA_X509, 256),
        new Signed("PSS", "RSA", "2048", NativeCodes.RSA_PSS, 32, Hash.SHA256, Hash.SHA256, 32),
        new Signed("PSS, two hashes", "RSA", "2048", NativeCodes.RSA_PSS, 48, Hash.SHA384, Hash.SHA256, 20),
        new Signed("PSS, no salt", "RSA", "2048", NativeCodes.RSA_PSS, 64, Hash.SHA512, Hash.SHA512, 0),
        new Signed("PSS, longest salt", "RSA", "1024", NativeCodes.RSA_PSS, 20, Hash.SHA1, Hash.SHA1, 128 - 22),
        new Signed("PSS, emLen < k", "RSA", "1025", NativeCodes.RSA_PSS, 28, Hash.SHA224, Hash.SHA224, 28),
        new Signed("PSS, 1 bit", "RSA", "1026", NativeCodes.RSA_PSS, 32, Hash.SHA256, Hash.SHA256, 32),
        new Signed("P-256", "EC", "secp256r1", NativeCodes.ECDSA, 32),
        new Signed("P-256, SHA-512", "EC", "secp256r1", NativeCodes.ECDSA, 64),
        new Signed("P-384, SHA-1", "EC", "secp384r1", NativeCodes.ECDSA, 20),
        new Signed("P-521", "EC", "secp521r1", NativeCodes.ECDSA, 64),
        new Signed("Ed25519", "Ed25519", "", NativeCodes.EDDSA, 100),
        new Signed("Ed448", "Ed448", "", NativeCodes.EDDSA, 100));
  }

  @ParameterizedTest
  @MethodSource("mechanisms")
  void isRightOrWrong(Signed signed) throws Exception {
    KeyPair pair = signed.newKey();
    byte[] data = signed.newData(pair);
    byte[] signature = signed.sign(pair, data);
    PublicKey key = pair.getPublic();
    assertTrue(signed.isRight(key, data, signature));

    int last = signature.length - 1;
    for (int part = 0; part <= PARTS; part++) {
      int at = last * part / PARTS;
      assertFalse(signed.isRight(key, data, flipped(signature, at)), "byte " + at);
    }
    assertFalse(signed.isRight(key, flipped(data, 1), signature));
    assertFalse(signed.isRight(signed.newKey().getPublic(), data, signature));
    assertFalse(signed.isRight(key, new byte[0], signature));
  }

  @ParameterizedTest
  @MethodSource("mechanisms")
  void whatCannotBeASignatureIsWrong(Signed signed) throws Exception {
    KeyPair pair = signed.newKey();
    byte[] data = signed.newData(pair);
    byte[] signature = signed.sign(pair, data);
    byte[] ones = new byte[signature.length];
    Arrays.fill(ones, (byte) 0xff);
    byte[] none = {};
    byte[] zero = {0};
    for (byte[] wrong :
        List.of(
            none, zero, new byte[2], new byte[signature.length], ones, new byte[2000],
            Arrays.copyOf(signature, signature.length - 1),
            Arrays.copyOf(signature, signature.length - 2),
            Arrays.copyOf(signature, signature.length + 1),
            Arrays.copyOfRange(signature, 1, signature.length),
            Der.concatenate(zero, signature),
            Der.concatenate(zero, signature, zero),
            Der.concatenate(signature, signature))) {
      assertFalse(signed.isRight(pair.getPublic(), data, wrong), Arrays.toString(wrong));
    }
  }

  /** Both halves of a raw signature begin with zeros where the numbers are small; a DER value drops them. */
  @Test
  void ecdsaWithLeadingZerosIsRight() throws Exception {
    Signed p256 = new Signed("P-256", "EC", "secp256r1", NativeCodes.ECDSA, 32);
    KeyPair pair = p256.newKey();
    for (int half = 0; half < 2; half++) {
      byte[] data;
      byte[] signature;
      int counter = 0;
      do {
        data = MessageDigest.getInstance("SHA-256").digest(new byte[] {(byte) (counter >>> 8), (byte) counter++});
        signature = p256.sign(pair, data);
      } while (signature[32 * half] != 0);
      assertTrue(p256.isRight(pair.getPublic(), data, signature));
      signature[32 * half] = 1;
      assertFalse(p256.isRight(pair.getPublic(), data, signature));
    }
  }

  /** Of r and s each has one value only: RFC 6090, section 5.3.3; and zeros are none. */
  @Test
  void ecdsaOutOfRangeIsWrong() throws Exception {
    Signed p521 = new Signed("P-521", "EC", "secp521r1", NativeCodes.ECDSA, 64);
    KeyPair pair = p521.newKey();
    byte[] data = p521.newData(pair);
    byte[] signature = p521.sign(pair, data);
    BigInteger order = ((ECPublicKey) pair.getPublic()).getParams().getOrder();
    byte[] r = Arrays.copyOf(signature, 66);
    byte[] s = Arrays.copyOfRange(signature, 66, 132);
    for (byte[] number : List.of(new byte[66], octets(order, 66))) {
      assertFalse(p521.isRight(pair.getPublic(), data, Der.concatenate(number, s)));
      assertFalse(p521.isRight(pair.getPublic(), data, Der.concatenate(r, number)));
      assertFalse(p521.isRight(pair.getPublic(), data, Der.concatenate(number, number)));
    }
    BigInteger twice = new BigInteger(1, s).add(order);
    if (twice.bitLength() <= 8 * 66) {
      assertFalse(p521.isRight(pair.getPublic(), data, Der.concatenate(r, octets(twice, 66))));
    }
    assertTrue(p521.isRight(pair.getPublic(), data, Der.concatenate(r, s)));
  }

  /** A signature is a number below the modulus. */
  @Test
  void rsaAboveTheModulusIsWrong() throws Exception {
    Signed block = new Signed("RSA block", "RSA", "1024", NativeCodes.RSA_X509, 128);
    KeyPair pair = block.newKey();
    byte[] data = block.newData(pair);
    BigInteger modulus = ((RSAPublicKey) pair.getPublic()).getModulus();
    byte[] signature;
    do { // until adding the modulus leaves the length
      data[127]++;
      signature = block.sign(pair, data);
    } while (new BigInteger(1, signature).add(modulus).bitLength() > 1024);
    assertTrue(block.isRight(pair.getPublic(), data, signature));
    assertFalse(
        block.isRight(pair.getPublic(), data, octets(new BigInteger(1, signature).add(modulus), 128)));
  }

  /** What RSASSA-PKCS1-v1_5 and RSASSA-PSS of the JDK sign. */
  @Test
  void theJdksOwnSignaturesAreRight() throws Exception {
    Signed pkcs1 = new Signed("RSA PKCS #1", "RSA", "2048", NativeCodes.RSA_PKCS, 0);
    KeyPair pair = pkcs1.newKey();
    byte[] message = "message".getBytes(StandardCharsets.UTF_8);
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(message);
    byte[] signature = signature(pair, "SHA256withRSA", message);
    assertTrue(pkcs1.isRight(pair.getPublic(), Hash.SHA256.digestInfo(digest), signature));
    assertFalse(pkcs1.isRight(pair.getPublic(), digest, signature));

    Signature pss = Signature.getInstance("RSASSA-PSS");
    pss.setParameter(new PSSParameterSpec("SHA-384", "MGF1", MGF1ParameterSpec.SHA256, 40, 1));
    pss.initSign(pair.getPrivate());
    pss.update(message);
    signature = pss.sign();
    digest = MessageDigest.getInstance("SHA-384").digest(message);
    for (int salt : new int[] {40, 39, 41, 0, Integer.MAX_VALUE, -1}) {
      Signed of = new Signed("", "RSA", "2048", NativeCodes.RSA_PSS, 48, Hash.SHA384, Hash.SHA256, salt);
      assertEquals(salt == 40, of.isRight(pair.getPublic(), digest, signature), "salt of " + salt);
    }
    Signed another = new Signed("", "RSA", "2048", NativeCodes.RSA_PSS, 48, Hash.SHA384, Hash.SHA384, 40);
    assertFalse(another.isRight(pair.getPublic(), digest, signature));
  }

  /** Each condition of EMSA-PSS-VERIFY: RFC 8017, section 9.1.2. */
  @Test
  void pssIsStrict() throws Exception {
    PssEncoding encoding = new PssEncoding(Hash.SHA256, Hash.SHA256, 32);
    byte[] digest = MessageDigest.getInstance("SHA-256").digest();
    for (int bits : new int[] {1024, 1025, 1026, 1031, 1032}) {
      byte[] block = {};
      for (int salt = 0; salt < 50; salt++) { // the first octet has any value that emBits leaves it
        block = encoding.encode(digest, bits);
        assertTrue(encoding.isEncoding(digest, block, bits), bits + " bits");
      }
      for (int bit = 0; bit < 8 * block.length; bit++) {
        byte[] changed = block.clone();
        changed[bit / 8] ^= (byte) (1 << bit % 8);
        assertFalse(encoding.isEncoding(digest, changed, bits), "bit " + bit + " of " + bits);
      }
      assertFalse(encoding.isEncoding(digest, Der.concatenate(new byte[1], block), bits));
    }
    // "inconsistent": emLen < hLen + sLen + 2
    assertFalse(encoding.isEncoding(digest, new byte[64], 512));
    assertFalse(new PssEncoding(Hash.SHA512, Hash.SHA512, 0).isEncoding(new byte[64], new byte[64], 512));
  }

  /** A signature nobody can judge is no wrong one: it would cost a member that is well its place. */
  @Test
  void whatTheJdkDoesNotKnowIsAnError() {
    byte[] unknownCurve = Der.fromHex("06052b81040001"); // sect163k1
    byte[] point = new byte[43];
    point[0] = 4;
    Exception error =
        assertThrows(
            GeneralSecurityException.class,
            () ->
                SignatureUpcalls.isSignature(
                    NativeCodes.EC_KEY, unknownCurve, point, NativeCodes.ECDSA, 0, 0, 0, new byte[32], new byte[42]));
    assertTrue(
        new String(SignatureUpcalls.description(error), StandardCharsets.UTF_8)
            .contains("no such public key can be read"));
    assertArrayEquals(
        "java.lang.OutOfMemoryError: h\u00fclle".getBytes(StandardCharsets.UTF_8),
        SignatureUpcalls.description(new OutOfMemoryError("h\u00fclle")));
  }

  /** The token that signed is not asked, wherever Keystay stands in the list. */
  @Test
  void keystayIsNotAsked() throws Exception {
    Provider keystay = TestToken.provider();
    Security.removeProvider(keystay.getName());
    Security.insertProviderAt(keystay, 1);
    try {
      assertEquals("SunEC", JdkService.verification("NONEwithECDSA", new Signed(
          "", "EC", "secp256r1", NativeCodes.ECDSA, 32).newKey().getPublic()).getProvider().getName());
    } finally {
      Security.removeProvider(keystay.getName());
      Security.addProvider(keystay);
    }
  }

  private static byte[] flipped(byte[] bytes, int at) {
    byte[] changed = bytes.clone();
    changed[at] ^= 1;
    return changed;
  }

  private static byte[] octets(BigInteger value, int size) {
    byte[] bytes = PublicKeyParts.unsigned(value);
    return Der.concatenate(new byte[size - bytes.length], bytes);
  }
}
