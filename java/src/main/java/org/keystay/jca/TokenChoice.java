package org.keystay.jca;

/** Which token a provider's key stores and key pair generators mean. */
final class TokenChoice {
  private static final String URI_SCHEME = "pkcs11:";

  /** Null: KEYSTAY_CONF or the default path. */
  private volatile String configurationFile;

  /** Null: the default of the configuration. */
  private volatile String defaultToken;

  /** The key store that was loaded last. */
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

  /**
   * What a key store file, by its content, shows of its token; without a file all of the default token.
   *
   * @param file null if there is none
   */
  NativeStore open(byte[] file) throws KeystayException {
    NativeStore store = NativeStore.open(configurationFile, defaultToken, file);
    current = store;
    return store;
  }

  /**
   * The token that new keys belong on: that of the key store that was loaded last, because keytool
   * loads the key store before it generates the key and says nothing else that connects the two.
   */
  NativeStore forNewKeys() throws KeystayException {
    NativeStore store = current;
    return store == null ? open(null) : store;
  }
}
