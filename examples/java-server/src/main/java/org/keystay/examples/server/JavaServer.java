package org.keystay.examples.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.ProviderException;
import java.util.Arrays;

/**
 * An FTPS and HTTPS server whose private keys stay on a token. Nothing here is about Keystay but the name
 * of a key store type: the servers would load a PKCS12 file in the same way.
 *
 * <p>Usage: {@code JavaServer server.properties}
 */
public final class JavaServer {
  private JavaServer() {}

  public static void main(String[] arguments) throws Exception {
    Settings settings;
    try {
      settings = Settings.read(Paths.get(arguments[0]));
      unlock(settings);
    } catch (IOException | GeneralSecurityException | ProviderException e) {
      System.err.println("java-server: " + e.getMessage());
      System.exit(1);
      return;
    }
    if (settings.ftpEnabled()) {
      FtpsServer.start(settings);
    }
    if (settings.httpEnabled()) {
      HttpsServer.start(settings);
    }
    System.out.println("ready");
  }

  /**
   * Opens the key store once, with the password of the settings or, if there is none and the token wants
   * one, with what somebody types. From then on the token is unlocked for this process: the servers load
   * the key store again without a password, and keep no PIN.
   */
  private static void unlock(Settings settings) throws IOException, GeneralSecurityException {
    char[] password = settings.keyStorePassword();
    try {
      if (password == null && !isReadable(settings.keyStorePath())) {
        password = PasswordPrompt.ask("HSM key store password: ", settings.promptTimeout());
      }
      KeyStore keyStore = load(settings.keyStorePath(), password);
      settings.requireAliases(keyStore);
    } finally {
      if (password != null) {
        Arrays.fill(password, '\0');
      }
    }
  }

  private static boolean isReadable(Path file) throws IOException, GeneralSecurityException {
    try {
      load(file, null).size();
      return true;
    } catch (ProviderException e) {
      return false; // the PIN is wanted
    }
  }

  private static KeyStore load(Path file, char[] password)
      throws IOException, GeneralSecurityException {
    KeyStore keyStore = KeyStore.getInstance("Keystay");
    try (var in = Files.newInputStream(file)) {
      keyStore.load(in, password);
    }
    return keyStore;
  }
}
