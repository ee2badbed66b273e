package org.keystay.jca;

import java.security.InvalidKeyException;
import java.security.interfaces.RSAKey;

/** RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2): the token pads and signs a DER DigestInfo. */
final class RsaPkcs1SignatureSpi extends TokenSignatureSpi {
  private static final int PADDING = 11; // bytes at least: RFC 8017, section 9.2

  private final String algorithm;

  /** Null for NONEwithRSA, whose caller has made the DigestInfo. */
  private final Hash hash;

  RsaPkcs1SignatureSpi(String algorithm, Hash hash) {
    super(algorithm, KeyType.RSA);
    this.algorithm = algorithm;
    this.hash = hash;
  }

  @Override
  SignatureInput newInput(OpaqueKey key) throws InvalidKeyException {
    int limit = (((RSAKey) key).getModulus().bitLength() + 7) / 8 - PADDING;
    if (hash == null) {
      return SignatureInput.whole(limit);
    }
    if (hash.digestInfoSize() > limit) {
      throw new InvalidKeyException(key + " is too short for " + algorithm);
    }
    return SignatureInput.hashed(hash);
  }

  @Override
  byte[] sign(OpaqueKey key, byte[] collected) throws KeystayException {
    byte[] data = hash == null ? collected : hash.digestInfo(collected);
    return key.nativeKey().sign(NativeKey.Mechanism.RSA_PKCS, data);
  }
}
