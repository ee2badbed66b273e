package org.keystay.jca;

/** Which token a provider's key stores and key pair generators mean. */
final class TokenChoice {
  private static final String URI_SCHEME = "pkcs11:";

  /** Null: KEYSTAY_CONF or the default path. */
  private volatile String configurationFile;

  /** Null: the default of the configuration. */
  private volatile String defaultToken;

  /** The token of the key store that was loaded last. */
  private volatile NativeStore current;

  void configure(String argument) {
    if (argument.regionMatches(true, 0, URI_SCHEME, 0, URI_SCHEME.length())) {
      defaultToken = argument;
    } else if (argument.contains("/") || argument.endsWith(".toml")) {
      configurationFile = argument;
    } else {
      defaultToken = argument;
    }
    current = null;
  }

  /** Whether the provider's argument names the default token. */
  boolean isNamed() {
    return defaultToken != null;
  }

  /** The token of a key store file; an empty name is the default. */
  NativeStore open(String token) throws KeystayException {
    NativeStore store =
        NativeStore.open(configurationFile, token.isEmpty() ? defaultToken : token);
    current = store;
    return store;
  }

  /**
   * The token that new keys belong on: that of the key store that was loaded last, because keytool
   * loads the key store before it generates the key and says nothing else that connects the two.
   */
  NativeStore forNewKeys() throws KeystayException {
    NativeStore store = current;
    return store == null ? open("") : store;
  }
}
