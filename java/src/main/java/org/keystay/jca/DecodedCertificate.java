package org.keystay.jca;

import java.security.cert.X509Certificate;

/** The fields of a certificate that the alias rules join by; the native library reads them. */
final class DecodedCertificate {
  /** No key of Keystay has such a public key. */
  private static final int OTHER = -1;

  private static final int KEY_CERT_SIGN = 5; // of the KeyUsage extension

  final byte[] subject;
  final byte[] issuer;
  final byte[] serialNumber;
  final long notBefore; // milliseconds since 1970
  final long notAfter;
  final int keyType;
  final byte[] first;
  final byte[] second;
  final boolean isCa;

  DecodedCertificate(X509Certificate certificate) {
    subject = certificate.getSubjectX500Principal().getEncoded();
    issuer = certificate.getIssuerX500Principal().getEncoded();
    serialNumber = Der.integer(certificate.getSerialNumber());
    notBefore = certificate.getNotBefore().getTime();
    notAfter = certificate.getNotAfter().getTime();
    PublicKeyParts key = PublicKeyParts.of(certificate.getPublicKey());
    keyType = key == null ? OTHER : key.type();
    first = key == null ? null : key.first();
    second = key == null ? null : key.second();
    isCa = isCa(certificate);
  }

  /** RFC 5280, sections 4.2.1.9 and 4.2.1.3; roots of version 1 have no extensions. */
  private static boolean isCa(X509Certificate certificate) {
    if (certificate.getVersion() < 3) {
      return certificate.getSubjectX500Principal().equals(certificate.getIssuerX500Principal());
    }
    boolean[] keyUsage = certificate.getKeyUsage();
    boolean maySign = keyUsage == null || keyUsage[KEY_CERT_SIGN];
    return maySign && certificate.getBasicConstraints() >= 0;
  }
}
