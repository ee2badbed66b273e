package org.keystay.jca;

import java.math.BigInteger;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Arrays;

/**
 * Stands for the certificate of a key that has none, because a private key entry of the JCA needs
 * one: with it the alias is listed, and {@code keytool -certreq} finds the public key and a subject.
 * It is never on the token, was never valid, and its signature is no signature.
 */
final class PlaceholderCertificate {
  private static final String ISSUER = "Keystay placeholder: this key has no certificate yet";

  private static final byte[] COMMON_NAME = Der.fromHex("0603550403");
  private static final byte[] RSA_WITH_SHA256 = Der.fromHex("300d06092a864886f70d01010b0500");
  private static final byte[] ECDSA_WITH_SHA256 = Der.fromHex("300a06082a8648ce3d040302");
  private static final byte[] ED25519 = Der.fromHex("300506032b6570");
  private static final String NEVER = "19700101000000Z";

  private PlaceholderCertificate() {}

  static X509Certificate of(String alias, PublicKey key) throws KeystayException {
    byte[] algorithm = algorithm(key);
    // RFC 5280, section 4.1: version 3, serial number, algorithm, issuer, validity, subject, key.
    byte[] toBeSigned =
        Der.sequence(
            Der.explicit(0, Der.integer(BigInteger.TWO)),
            Der.integer(BigInteger.ONE),
            algorithm,
            name(ISSUER),
            Der.sequence(Der.generalizedTime(NEVER), Der.generalizedTime(NEVER)),
            name(alias),
            key.getEncoded());
    return PkixUpcalls.certificate(
        Der.sequence(toBeSigned, algorithm, Der.bitString(new byte[] {0})));
  }

  /** Whether a certificate is one of these, and must not be stored. */
  static boolean isOne(X509Certificate certificate) {
    return Arrays.equals(certificate.getIssuerX500Principal().getEncoded(), name(ISSUER));
  }

  private static byte[] algorithm(PublicKey key) {
    if (key instanceof RSAPublicKey) {
      return RSA_WITH_SHA256;
    }
    return key instanceof ECPublicKey ? ECDSA_WITH_SHA256 : ED25519;
  }

  private static byte[] name(String commonName) {
    return Der.sequence(Der.set(Der.sequence(COMMON_NAME, Der.utf8String(commonName))));
  }
}
