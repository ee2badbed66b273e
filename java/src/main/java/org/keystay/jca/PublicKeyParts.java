package org.keystay.jca;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.RSAPublicKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;

/**
 * A public key as PKCS #11 attributes hold it, in the order of the core's {@code PublicKey}: CKA_MODULUS
 * and CKA_PUBLIC_EXPONENT, or CKA_EC_PARAMS and the point without an OCTET STRING around it.
 */
final class PublicKeyParts {
  static final int RSA = NativeCodes.RSA_KEY;
  static final int EC = NativeCodes.EC_KEY;
  static final int EDWARDS = NativeCodes.EDWARDS_KEY;

  private static final byte UNCOMPRESSED = 4; // SEC 1, section 2.3.3
  private static final byte[] EC_PUBLIC_KEY = Der.fromHex("06072a8648ce3d0201"); // RFC 5480, section 2.1.1

  private final int type;
  private final byte[] first;
  private final byte[] second;

  PublicKeyParts(int type, byte[] first, byte[] second) {
    this.type = type;
    this.first = first;
    this.second = second;
  }

  /** Takes a key apart; null for algorithms that no key of Keystay has. */
  static PublicKeyParts of(PublicKey key) {
    if (key instanceof RSAPublicKey) {
      RSAPublicKey rsa = (RSAPublicKey) key;
      return new PublicKeyParts(
          RSA, unsigned(rsa.getModulus()), unsigned(rsa.getPublicExponent()));
    }
    if (key instanceof ECPublicKey) {
      return ofEc((ECPublicKey) key);
    }
    EdwardsCurve curve = EdwardsCurve.ofEncodedKey(key.getEncoded());
    return curve == null
        ? null
        : new PublicKeyParts(EDWARDS, curve.parameters(), curve.point(key.getEncoded()));
  }

  /** Whether both are one key: objects of two providers are not equal, and have other names. */
  static boolean areSame(PublicKey one, PublicKey other) {
    if (one.equals(other)) {
      return true;
    }
    PublicKeyParts parts = of(one);
    return parts != null && parts.equals(of(other));
  }

  /** The curve of an Edwards key; null for all others. */
  EdwardsCurve edwardsCurve() {
    return type == EDWARDS ? EdwardsCurve.ofPointSize(second.length) : null;
  }

  int type() {
    return type;
  }

  byte[] first() {
    return first;
  }

  byte[] second() {
    return second;
  }

  PublicKey toPublicKey() throws KeystayException {
    try {
      switch (type) {
        case RSA:
          return JdkService.publicKey(
              "RSA", new RSAPublicKeySpec(new BigInteger(1, first), new BigInteger(1, second)));
        case EC:
          return toEcPublicKey();
        default:
          return toEdwardsPublicKey();
      }
    } catch (GeneralSecurityException | RuntimeException e) { // a token may hold anything
      throw new KeystayException(
          "no such public key can be read: " + e.getMessage(), KeystayException.Kind.CLIENT, e);
    }
  }

  /** The subject public key bits of a certificate of this key (RFC 5280, section 4.1). */
  byte[] subjectPublicKey() {
    return type == RSA
        ? Der.sequence(
            Der.integer(new BigInteger(1, first)), Der.integer(new BigInteger(1, second)))
        : second;
  }

  @Override
  public boolean equals(Object object) {
    if (!(object instanceof PublicKeyParts)) {
      return false;
    }
    PublicKeyParts other = (PublicKeyParts) object;
    return type == other.type
        && Arrays.equals(first, other.first)
        && Arrays.equals(second, other.second);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(second);
  }

  private static PublicKeyParts ofEc(ECPublicKey key) {
    try {
      return new PublicKeyParts(EC, JdkService.encodedCurve(key.getParams()), point(key));
    } catch (GeneralSecurityException e) {
      return null; // a curve without a name
    }
  }

  private static byte[] point(ECPublicKey key) {
    int size = (key.getParams().getCurve().getField().getFieldSize() + 7) / 8;
    byte[] point = new byte[1 + 2 * size];
    point[0] = UNCOMPRESSED;
    byte[] x = unsigned(key.getW().getAffineX());
    byte[] y = unsigned(key.getW().getAffineY());
    System.arraycopy(x, 0, point, 1 + size - x.length, x.length);
    System.arraycopy(y, 0, point, 1 + 2 * size - y.length, y.length);
    return point;
  }

  /** The encoding is that of RFC 5480, section 2, so that the key factory checks the point's form. */
  private PublicKey toEcPublicKey() throws GeneralSecurityException {
    if (second.length == 0 || second[0] != UNCOMPRESSED) {
      throw new GeneralSecurityException("CKA_EC_POINT is no uncompressed point (SEC 1, section 2.3.3)");
    }
    PublicKey key =
        JdkService.publicKey(
            "EC",
            new X509EncodedKeySpec(
                Der.sequence(
                    Der.sequence(EC_PUBLIC_KEY, first), Der.bitString(second))));
    EcCurve.requireOnCurve((ECPublicKey) key);
    return key;
  }

  private PublicKey toEdwardsPublicKey() throws GeneralSecurityException {
    EdwardsCurve curve = EdwardsCurve.ofPointSize(second.length);
    if (curve == null) {
      throw new GeneralSecurityException("a point of " + second.length + " bytes");
    }
    return JdkService.publicKey(
        curve.jcaName(), new X509EncodedKeySpec(curve.encodedKey(second)));
  }

  /** Big-endian without a leading zero, as CKA_MODULUS is. */
  static byte[] unsigned(BigInteger value) {
    byte[] bytes = value.toByteArray();
    return bytes.length > 1 && bytes[0] == 0 ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes;
  }
}
