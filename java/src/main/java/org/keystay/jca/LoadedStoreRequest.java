package org.keystay.jca;

import java.security.KeyStore;

/**
 * Asks a KeyStore object for what it has loaded: the only way from the JDK's class to the SPI behind it
 * that needs no reflection. Loading with it loads nothing.
 */
final class LoadedStoreRequest implements KeyStore.LoadStoreParameter {
  private TokenKeyStore store;

  void answer(TokenKeyStore loaded) {
    store = loaded;
  }

  TokenKeyStore store() {
    return store;
  }

  @Override
  public KeyStore.ProtectionParameter getProtectionParameter() {
    return null;
  }
}
