package org.keystay.jca;

import java.io.IOException;
import java.security.KeyStore;
import java.util.Arrays;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import javax.security.auth.callback.PasswordCallback;
import javax.security.auth.callback.UnsupportedCallbackException;

/**
 * The store password of one {@code load}: the token's PIN, a handler that may be asked for it, or
 * nothing. An empty password is none, because keytool and servers say so by it. Wiped when closed.
 */
final class StorePassword implements AutoCloseable {
  private char[] characters;
  private final CallbackHandler handler;

  private StorePassword(char[] characters, CallbackHandler handler) {
    this.characters = characters == null || characters.length == 0 ? null : characters.clone();
    this.handler = handler;
  }

  static StorePassword of(char[] password) {
    return new StorePassword(password, null);
  }

  static StorePassword of(KeyStore.ProtectionParameter protection) throws IOException {
    if (protection == null) {
      return new StorePassword(null, null);
    }
    if (protection instanceof KeyStore.PasswordProtection) {
      return new StorePassword(((KeyStore.PasswordProtection) protection).getPassword(), null);
    }
    if (protection instanceof KeyStore.CallbackHandlerProtection) {
      return new StorePassword(
          null, ((KeyStore.CallbackHandlerProtection) protection).getCallbackHandler());
    }
    throw new IOException("the token's PIN cannot come from " + protection.getClass().getName());
  }

  boolean isGiven() {
    return characters != null;
  }

  /** Asks the handler, if there is one and the password is not known yet. */
  void ask(String prompt) throws KeystayException {
    if (isGiven() || handler == null) {
      return;
    }
    PasswordCallback callback = new PasswordCallback(prompt, false);
    try {
      handler.handle(new Callback[] {callback});
      characters = callback.getPassword();
    } catch (IOException | UnsupportedCallbackException e) {
      throw new KeystayException(
          "the callback handler gave no PIN: " + e.getMessage(),
          KeystayException.Kind.AUTHENTICATION,
          e);
    } finally {
      callback.clearPassword();
    }
  }

  /** Not a copy: wiped by {@link #close}. */
  char[] characters() {
    return characters;
  }

  @Override
  public void close() {
    if (characters != null) {
      Arrays.fill(characters, '\0');
    }
  }
}
