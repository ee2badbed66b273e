package org.keystay.jca;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.Signature;
import java.security.SignatureException;
import java.security.interfaces.ECPublicKey;
import java.util.Arrays;

/**
 * A signature as a token makes it, verified by the JDK: data and signature are what PKCS #11 (Current Mechanisms
 * v3.0) says of each mechanism, not what the JCA's algorithms take. Other providers are asked only for what those of
 * the JDK lack, and Keystay itself never.
 *
 * <p>A signature that cannot be one, by its length or its range, is wrong; an exception is a question that
 * nobody could answer, because the JDK lacks the curve for instance.
 */
final class RawSignature {
  private static final int PKCS1_PADDING = 11; // bytes at least: RFC 8017, section 9.2

  private final PublicKeyParts key;
  private final byte[] data;
  private final byte[] signature;

  RawSignature(PublicKeyParts key, byte[] data, byte[] signature) {
    this.key = key;
    this.data = data;
    this.signature = signature;
  }

  /**
   * CKM_ECDSA (section 2.3.6): r || s over a digest, both halves of one length and at most as long as the order.
   * The range is looked at here, because JDK 15 to 18 took zeros for a signature (CVE-2022-21449).
   */
  boolean isEcdsa() throws GeneralSecurityException {
    ECPublicKey publicKey = (ECPublicKey) key.toPublicKey();
    BigInteger order = publicKey.getParams().getOrder();
    int half = signature.length / 2;
    if (signature.length != 2 * half || half > octets(order)) {
      return false;
    }
    BigInteger r = new BigInteger(1, Arrays.copyOf(signature, half));
    BigInteger s = new BigInteger(1, Arrays.copyOfRange(signature, half, signature.length));
    if (!isBelow(order, r) || !isBelow(order, s)) {
      return false;
    }
    Signature ecdsa = JdkService.verification("NONEwithECDSA", publicKey);
    ecdsa.update(data);
    return ecdsa.verify(Der.sequence(Der.integer(r), Der.integer(s))); // RFC 3279, section 2.2.3
  }

  /** CKM_EDDSA without parameters (section 2.3.14): of the message, in RFC 8032's form. */
  boolean isEdDsa() throws GeneralSecurityException {
    EdwardsCurve curve = key.edwardsCurve();
    if (curve == null) {
      throw new InvalidKeyException("no Edwards curve has such a point");
    }
    Signature edDsa = JdkService.verification(curve.jcaName(), key.toPublicKey());
    edDsa.update(data);
    if (signature.length != 2 * key.second().length) {
      return false;
    }
    try {
      return edDsa.verify(signature);
    } catch (SignatureException e) {
      return false; // R is no point, or S not below the order: RFC 8032, sections 5.1.7 and 5.2.7
    }
  }

  /** CKM_RSA_PKCS (section 2.1.6): the data, a DigestInfo, is padded as RFC 8017, section 9.2, says. */
  boolean isRsaPkcs1() throws GeneralSecurityException {
    byte[] block = recoveredBlock();
    if (block == null || data.length > block.length - PKCS1_PADDING) {
      return false;
    }
    byte[] expected = new byte[block.length];
    int separator = block.length - data.length - 1;
    expected[1] = 1;
    Arrays.fill(expected, 2, separator, (byte) 0xff);
    System.arraycopy(data, 0, expected, separator + 1, data.length);
    return Arrays.equals(expected, block);
  }

  /** CKM_RSA_X_509 (section 2.1.9): the data is the block. */
  boolean isRsaX509() throws GeneralSecurityException {
    byte[] block = recoveredBlock();
    return block != null && Arrays.equals(data, block);
  }

  /** CKM_RSA_PKCS_PSS (section 2.1.10): the data is the digest. */
  boolean isRsaPss(PssEncoding encoding) throws GeneralSecurityException {
    byte[] block = recoveredBlock();
    return block != null && encoding.isEncoding(data, block, modulus().bitLength());
  }

  /** RSAVP1 (RFC 8017, section 5.2.2): what was signed, k octets; null for a signature of no possible value. */
  private byte[] recoveredBlock() throws GeneralSecurityException {
    BigInteger modulus = modulus();
    if (signature.length != octets(modulus)
        || new BigInteger(1, signature).compareTo(modulus) >= 0) {
      return null;
    }
    return JdkService.rsaEncryption(key.toPublicKey(), signature);
  }

  private BigInteger modulus() {
    return new BigInteger(1, key.first());
  }

  private static int octets(BigInteger value) {
    return (value.bitLength() + 7) / 8;
  }

  private static boolean isBelow(BigInteger order, BigInteger value) {
    return value.signum() > 0 && value.compareTo(order) < 0;
  }
}
