package org.keystay.jca;

import java.security.ProviderException;
import java.security.SecureRandomSpi;

/** The token's own source of randomness (C_GenerateRandom). It is never given a seed. */
final class TokenSecureRandomSpi extends SecureRandomSpi {
  private static final long serialVersionUID = 1L;

  /** What a token may be asked for at once: PKCS #11 sets no limit, modules do. */
  private static final int LARGEST_REQUEST = 1024;

  private final transient TokenChoice tokens;

  TokenSecureRandomSpi(TokenChoice tokens) {
    this.tokens = tokens;
  }

  /** Ignored: PKCS #11 does not say what C_SeedRandom does to the token's generator. */
  @Override
  protected void engineSetSeed(byte[] seed) {}

  @Override
  protected void engineNextBytes(byte[] bytes) {
    try {
      NativeStore store = tokens.forNewKeys();
      store.requireUnlocked();
      for (int offset = 0; offset < bytes.length; offset += LARGEST_REQUEST) {
        int length = Math.min(LARGEST_REQUEST, bytes.length - offset);
        System.arraycopy(store.random(length), 0, bytes, offset, length);
      }
    } catch (KeystayException e) {
      throw new ProviderException(e.getMessage(), e);
    }
  }

  @Override
  protected byte[] engineGenerateSeed(int length) {
    byte[] seed = new byte[length];
    engineNextBytes(seed);
    return seed;
  }
}
