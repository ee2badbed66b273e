package org.keystay.jca;

import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;

/**
 * What the native alias rules ask the JDK about certificates: the native library calls these methods,
 * on the thread that called it, and links no X.509 library of its own.
 */
final class PkixUpcalls {
  private static final byte SEQUENCE = 0x30;

  private PkixUpcalls() {}

  static X509Certificate certificate(byte[] der) throws KeystayException {
    try {
      return parse(der);
    } catch (CertificateException | RuntimeException e) {
      throw new KeystayException(
          "this JDK cannot read a certificate of the token: " + e.getMessage(),
          KeystayException.Kind.CLIENT,
          e);
    }
  }

  /** Null if these bytes are no certificate: a token may hold anything. */
  static DecodedCertificate decode(byte[] der) {
    try {
      return new DecodedCertificate(parse(der));
    } catch (CertificateException | RuntimeException e) {
      return null;
    }
  }

  /** RFC 5280, section 6.1.3 (a)(1). */
  static boolean isIssuedBy(byte[] certificate, byte[] issuer) {
    try {
      parse(certificate).verify(parse(issuer).getPublicKey());
      return true;
    } catch (GeneralSecurityException | RuntimeException e) {
      return false;
    }
  }

  /** RFC 5280, section 4.2.1.2, method 1. */
  static byte[] keyIdentifier(int keyType, byte[] first, byte[] second)
      throws GeneralSecurityException {
    return MessageDigest.getInstance("SHA-1")
        .digest(new PublicKeyParts(keyType, first, second).subjectPublicKey());
  }

  /** The point in the uncompressed form; null if it is not on the curve or the JDK lacks the curve. */
  static byte[] uncompressedPoint(byte[] parameters, byte[] point) {
    return EcCurvePoint.uncompressed(parameters, point);
  }

  private static X509Certificate parse(byte[] der) throws CertificateException {
    if (der.length == 0 || der[0] != SEQUENCE) {
      throw new CertificateException("not DER"); // the factory would read PEM as well
    }
    return (X509Certificate)
        JdkService.certificateFactory().generateCertificate(new ByteArrayInputStream(der));
  }
}
