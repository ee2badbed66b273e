package org.keystay.jca;

import java.io.IOException;
import java.security.InvalidAlgorithmParameterException;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.NoSuchAlgorithmException;
import java.security.UnrecoverableKeyException;
import java.security.cert.CertificateException;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactorySpi;
import javax.net.ssl.ManagerFactoryParameters;

/**
 * The key manager factory {@code Keystay}, for key stores of that type. The JDK's factories work on them
 * as well; this one follows renewed certificates and chooses by server name.
 */
final class TokenKeyManagerFactorySpi extends KeyManagerFactorySpi {
  /** Seconds after which the aliases are read again. */
  private static final String REFRESH_PROPERTY = "org.keystay.refresh";

  private static final int DEFAULT_REFRESH = 60;

  private TokenKeyManager manager;

  @Override
  protected void engineInit(KeyStore keyStore, char[] password)
      throws KeyStoreException, NoSuchAlgorithmException, UnrecoverableKeyException {
    if (keyStore == null || !(keyStore.getProvider() instanceof KeystayProvider)) {
      throw new KeyStoreException(
          "the key manager factory Keystay works on key stores of the type Keystay; take SunX509 for"
              + " others");
    }
    LoadedStoreRequest request = new LoadedStoreRequest();
    try {
      keyStore.load(request);
      manager =
          new TokenKeyManager(
              request.store(),
              TimeUnit.SECONDS.toNanos(Integer.getInteger(REFRESH_PROPERTY, DEFAULT_REFRESH)));
    } catch (KeystayException e) {
      UnrecoverableKeyException exception = new UnrecoverableKeyException(e.getMessage());
      exception.initCause(e);
      throw exception;
    } catch (IOException | CertificateException e) {
      throw new KeyStoreException(e.getMessage(), e);
    }
  }

  @Override
  protected void engineInit(ManagerFactoryParameters parameters)
      throws InvalidAlgorithmParameterException {
    throw new InvalidAlgorithmParameterException(
        "the key manager factory Keystay is initialised with a key store");
  }

  @Override
  protected KeyManager[] engineGetKeyManagers() {
    if (manager == null) {
      throw new IllegalStateException("the key manager factory is not initialised");
    }
    return new KeyManager[] {manager};
  }
}
