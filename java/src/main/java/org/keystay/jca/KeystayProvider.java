package org.keystay.jca;

import java.security.InvalidParameterException;
import java.security.MessageDigest;
import java.security.Provider;
import java.util.List;
import java.util.Map;

/**
 * The security provider {@code Keystay}: private keys on a PKCS #11 token, used in place.
 *
 * <p>It is registered like any other provider: in {@code java.security}, by {@code
 * Security.addProvider}, or for one run of keytool by {@code -providerclass}. Where it stands in the
 * list does not matter: it signs with its own keys and leaves all other keys to the providers after
 * it. Key pairs are generated on the token only if the caller names this provider.
 *
 * <p>Making a provider does nothing but register names: no file is read and no native code is loaded
 * before a key store is loaded or a key is used.
 */
public final class KeystayProvider extends Provider {
  private static final long serialVersionUID = 1L;

  /** The provider's name and the type of its key store. */
  public static final String NAME = "Keystay";

  /**
   * The property that asks for the token's random numbers. Without it there is no such service: new
   * SecureRandom() takes the first provider that has one.
   */
  private static final String RANDOM = "org.keystay.random";

  private final transient TokenChoice tokens = new TokenChoice();

  /** Makes a provider that works by keystay.toml: KEYSTAY_CONF, or /etc/keystay/keystay.toml. */
  public KeystayProvider() {
    super(NAME, Version.STRING, "Keystay " + Version.STRING + ": keys that stay on their token");
    putService(
        new KeystayService(
            this,
            "KeyStore",
            NAME,
            TokenKeyStoreSpi.class,
            List.of(),
            () -> new TokenKeyStoreSpi(tokens)));
    putService(
        new KeystayService(
            this,
            "KeyManagerFactory",
            NAME,
            TokenKeyManagerFactorySpi.class,
            List.of(),
            TokenKeyManagerFactorySpi::new));
    Signatures.of(this).forEach(this::putService);
    KeyPairGenerators.of(this, tokens).forEach(this::putService);
    Exchanges.of(this).forEach(this::putService);
    Digests.of(this).forEach(this::putService);
    if (Boolean.getBoolean(RANDOM)) {
      putService(
          new KeystayService(
              this,
              "SecureRandom",
              NAME,
              TokenSecureRandomSpi.class,
              List.of(),
              Map.of("ThreadSafe", "true"),
              () -> new TokenSecureRandomSpi(tokens)));
    }
  }

  /**
   * Hides the hashes from all who did not ask this provider for them: in first place it would be asked for
   * every hash of the process.
   *
   * @param type of the service, such as "Signature"
   * @param algorithm or an alias of it
   * @return the service, or null
   */
  @Override
  public Service getService(String type, String algorithm) {
    Service service = super.getService(type, algorithm);
    boolean isDigest = service != null && service.getType().equals(Digests.TYPE);
    return isDigest && !KeystayService.isRequestedByName(MessageDigest.class) ? null : service;
  }

  /**
   * Says which token is used where a key store file does not name one.
   *
   * @param argument the path of a keystay.toml, the name of a token in it, or a {@code pkcs11:} URI
   *     with a {@code module-path}
   * @return this provider
   */
  @Override
  public Provider configure(String argument) {
    if (argument == null || argument.isEmpty()) {
      throw new InvalidParameterException(
          "expected the path of keystay.toml, the name of a token in it, or a pkcs11: URI");
    }
    tokens.configure(argument);
    return this;
  }

  @Override
  public boolean isConfigured() {
    return true;
  }
}
