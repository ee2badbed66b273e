package org.keystay.jca;

import java.nio.charset.StandardCharsets;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Arrays;

/** One alias as the native core read it: a snapshot that does not change when the token does. */
final class NativeEntry {
  private final NativeKey key;
  private final String alias;
  private final byte[] id;
  private final PublicKeyParts publicKeyParts;
  private final byte[][] chain;

  /** Called by the native library: text is UTF-8, the chain is DER, leaf first, and may be empty. */
  NativeEntry(
      long key,
      byte[] alias,
      byte[] id,
      int keyType,
      byte[] first,
      byte[] second,
      byte[][] chain) {
    this.key = new NativeKey(key);
    this.alias = new String(alias, StandardCharsets.UTF_8);
    this.id = id;
    this.publicKeyParts = new PublicKeyParts(keyType, first, second);
    this.chain = chain;
  }

  NativeKey key() {
    return key;
  }

  String alias() {
    return alias;
  }

  /** CKA_ID. */
  byte[] id() {
    return id.clone();
  }

  PublicKey publicKey() throws KeystayException {
    return publicKeyParts.toPublicKey();
  }

  /** The key as the JCA sees it, by its public half: under the name that this has for its algorithm. */
  OpaqueKey opaqueKey(PublicKey half) {
    if (half instanceof RSAPublicKey) {
      return new OpaqueRsaKey(this, (RSAPublicKey) half);
    }
    if (half instanceof ECPublicKey) {
      return new OpaqueEcKey(this, (ECPublicKey) half);
    }
    return new OpaqueEdwardsKey(this, publicKeyParts.edwardsCurve(), half.getAlgorithm());
  }

  /** The chain that the token has for the key; empty if there is no certificate. */
  X509Certificate[] chain() throws KeystayException {
    X509Certificate[] certificates = new X509Certificate[chain.length];
    for (int i = 0; i < chain.length; i++) {
      certificates[i] = PkixUpcalls.certificate(chain[i]);
    }
    return certificates;
  }
}
