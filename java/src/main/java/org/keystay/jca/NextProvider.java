package org.keystay.jca;

import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import java.security.spec.AlgorithmParameterSpec;
import java.util.function.Predicate;

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
        algorithm,
        provider -> hasSignature(provider, algorithm),
        provider -> {
          Signature signature = Signature.getInstance(algorithm, provider);
          if (parameters != null) {
            signature.setParameter(parameters);
          }
          initialization.apply(signature);
          return signature;
        });
  }

  /** The JDK makes NONEwithRSA of a provider's RSA cipher, so that such a provider has both. */
  private static boolean hasSignature(Provider provider, String algorithm) {
    return provider.getService("Signature", algorithm) != null
        || (algorithm.equalsIgnoreCase("NONEwithRSA") && provider.getService("Cipher", "RSA") != null);
  }

  /** What the first other provider makes that has such a service and does not refuse the key. */
  static <T> T find(String type, String algorithm, Attempt<T> attempt) throws InvalidKeyException {
    return find(algorithm, provider -> provider.getService(type, algorithm) != null, attempt);
  }

  private static <T> T find(String algorithm, Predicate<Provider> has, Attempt<T> attempt)
      throws InvalidKeyException {
    Exception first = null;
    for (Provider provider : Security.getProviders()) {
      if (provider instanceof KeystayProvider || !has.test(provider)) {
        continue;
      }
      try {
        return attempt.with(provider);
      } catch (GeneralSecurityException | RuntimeException e) { // as the JDK's own selection does
        first = first == null ? e : first;
      }
    }
    throw new InvalidKeyException(
        "no installed provider but Keystay has " + algorithm + " for this key", first);
  }
}
