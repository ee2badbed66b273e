/**
 * The Java Cryptography Architecture provider {@code Keystay}: a key store, signatures and key pair
 * generation with private keys that never leave their PKCS #11 token.
 */
module org.keystay.jca {
  exports org.keystay.jca;

  provides java.security.Provider with
      org.keystay.jca.KeystayProvider;
}
