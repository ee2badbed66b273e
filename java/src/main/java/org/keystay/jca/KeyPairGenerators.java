package org.keystay.jca;

import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import java.util.List;

/** The key pair generators: they answer only those who ask for Keystay by name. */
final class KeyPairGenerators {
  private static final String TYPE = "KeyPairGenerator";

  private KeyPairGenerators() {}

  static List<Provider.Service> of(Provider provider, TokenChoice tokens) {
    return List.of(
        new OnRequest(provider, tokens, "RSA", List.of()),
        new OnRequest(provider, tokens, "EC", List.of("ECDSA")),
        new OnRequest(provider, tokens, "EdDSA", List.of()),
        new OnRequest(provider, tokens, "Ed25519", List.of()));
  }

  /**
   * {@code KeyPairGenerator.getInstance("EC")} asks the first provider of the list, and TLS does so for
   * each handshake's ephemeral key. A key pair is generated on the token for those only who name the
   * provider; all others go on to the next one.
   */
  private static final class OnRequest extends KeystayService {
    OnRequest(Provider provider, TokenChoice tokens, String algorithm, List<String> aliases) {
      super(
          provider,
          TYPE,
          algorithm,
          TokenKeyPairGeneratorSpi.class,
          aliases,
          () -> new TokenKeyPairGeneratorSpi(tokens, algorithm));
    }

    @Override
    public Object newInstance(Object constructorParameter) throws NoSuchAlgorithmException {
      if (!isRequestedByName(KeyPairGenerator.class)) {
        throw new NoSuchAlgorithmException(
            "key pairs are generated on the token only for those who name the provider Keystay");
      }
      return super.newInstance(constructorParameter);
    }
  }
}
