package org.keystay.jca;

import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.Provider;
import java.security.ProviderException;
import java.security.Security;
import java.security.Signature;
import java.security.spec.AlgorithmParameterSpec;

/**
 * The installed providers after Keystay. They verify, and they sign with keys that are not ours, so
 * that Keystay may stand anywhere in the list, first included.
 */
final class NextProvider {
  /** Initialises a signature with a key. */
  interface Initialization {
    void apply(Signature signature) throws InvalidKeyException;
  }

  private NextProvider() {}

  /** Makes something with a provider and initialises it. */
  interface Attempt<T> {
    T with(Provider provider) throws GeneralSecurityException;
  }

  /**
   * The first other provider's signature that takes the parameters and the key.
   *
   * @param parameters null for an algorithm without any
   */
  static Signature signature(
      String algorithm, AlgorithmParameterSpec parameters, Initialization initialization)
      throws InvalidKeyException {
    return find(
        "Signature",
        algorithm,
        provider -> {
          Signature signature = Signature.getInstance(algorithm, provider);
          if (parameters != null) {
            signature.setParameter(parameters);
          }
          initialization.apply(signature);
          return signature;
        });
  }

  /** What the first other provider makes that has such a service and does not refuse the key. */
  static <T> T find(String type, String algorithm, Attempt<T> attempt) throws InvalidKeyException {
    Exception first = null;
    for (Provider provider : Security.getProviders()) {
      if (provider instanceof KeystayProvider || provider.getService(type, algorithm) == null) {
        continue;
      }
      try {
        return attempt.with(provider);
      } catch (GeneralSecurityException | ProviderException e) {
        first = first == null ? e : first;
      }
    }
    throw new InvalidKeyException(
        "no installed provider but Keystay has " + algorithm + " for this key", first);
  }
}
