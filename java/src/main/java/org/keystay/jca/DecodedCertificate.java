package org.keystay.jca;

import java.security.cert.X509Certificate;

/** The fields of a certificate that the alias rules join by; the native library reads them. */
final class DecodedCertificate {
  /** No key of Keystay has such a public key. */
  private static final int OTHER = -1;

  final byte[] subject;
  final byte[] issuer;
  final byte[] serialNumber;
  final long notBefore; // milliseconds since 1970
  final long notAfter;
  final int keyType;
  final byte[] first;
  final byte[] second;

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
  }
}
