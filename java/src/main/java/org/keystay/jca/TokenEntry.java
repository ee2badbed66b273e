package org.keystay.jca;

import java.security.KeyStore;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.util.Date;

/** One alias as the JCA sees it: an opaque key and its chain. Immutable. */
final class TokenEntry {
  private final String alias;
  private final NativeEntry nativeEntry;
  private final KeyStore.PrivateKeyEntry keyEntry;
  private final X509Certificate[] chain;
  private final boolean certified;

  TokenEntry(String alias, NativeEntry entry) throws KeystayException {
    this.alias = alias;
    nativeEntry = entry;
    PublicKey publicKey = entry.publicKey();
    X509Certificate[] certificates = entry.chain();
    certified = certificates.length > 0;
    chain =
        certified
            ? certificates
            : new X509Certificate[] {PlaceholderCertificate.of(alias, publicKey)};
    // The JCA wants one name for the algorithm on both sides, and that of the certificate decides: it is
    // "RSASSA-PSS" for an RSA key that is certified so (RFC 4055), and what the first provider calls it.
    PublicKey certifiedKey = chain[0].getPublicKey();
    if (!PublicKeyParts.areSame(publicKey, certifiedKey)) {
      throw new KeystayException("its certificate is of another key", KeystayException.Kind.CLIENT);
    }
    keyEntry = new KeyStore.PrivateKeyEntry(entry.opaqueKey(certifiedKey), chain);
  }

  String alias() {
    return alias;
  }

  NativeEntry nativeEntry() {
    return nativeEntry;
  }

  KeyStore.PrivateKeyEntry keyEntry() {
    return keyEntry;
  }

  OpaqueKey key() {
    return (OpaqueKey) keyEntry.getPrivateKey();
  }

  /** Whether the chain is the token's, and not a placeholder. */
  boolean isCertified() {
    return certified;
  }

  X509Certificate[] chain() {
    return chain.clone();
  }

  X509Certificate leaf() {
    return chain[0];
  }

  /** PKCS #11 knows no time of creation: that of the certificate's validity stands for it. */
  Date creationDate() {
    return certified ? chain[0].getNotBefore() : new Date(0);
  }
}
