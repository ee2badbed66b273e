package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.ProviderException;
import java.security.UnrecoverableKeyException;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.PasswordCallback;
import org.junit.jupiter.api.Test;

/**
 * Where the PIN comes from. Each test has a token of its own, because a process logs in to a token once.
 * The tokens are named by the driver's keystay.toml; "filed" has pin = "file:…", the others have none.
 */
class PinTest {
  private static final char[] WRONG = "999999".toCharArray();

  /** keytool loads without a password, asks for it, and loads again. */
  @Test
  void loadingWithoutAPasswordIsPutOffUntilItIsKnown() throws Exception {
    KeyStore locked = load("late", null);
    ProviderException refused = assertThrows(ProviderException.class, locked::size);
    assertTrue(refused.getMessage().contains("wants its PIN"), refused.getMessage());

    KeyStore unlocked = load("late", TestToken.PIN);
    assertEquals(0, unlocked.size());
    assertEquals(0, locked.size(), "the token is unlocked for all that use it");
    assertEquals(0, load("late", null).size());
  }

  /** And does not disturb the one who gives the PIN next. */
  @Test
  void noKeyIsGeneratedOnALockedToken() throws Exception {
    KeystayProvider provider = new KeystayProvider();
    provider.configure("keyless");
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", provider);
    ProviderException refused =
        assertThrows(ProviderException.class, generator::generateKeyPair);
    assertTrue(refused.getMessage().contains("wants its PIN"), refused.getMessage());
    KeyStore.getInstance("Keystay", provider).load(null, TestToken.PIN);
    assertNotNull(generator.generateKeyPair());
  }

  @Test
  void aWrongPasswordIsToldByTheCause() throws Exception {
    IOException refused = assertThrows(IOException.class, () -> load("guessed", WRONG));
    UnrecoverableKeyException cause =
        assertInstanceOf(UnrecoverableKeyException.class, refused.getCause());
    KeystayException failure = assertInstanceOf(KeystayException.class, cause.getCause());
    assertEquals(KeystayException.Kind.AUTHENTICATION, failure.kind());
    assertEquals(0xA0, failure.returnValue().getAsLong()); // CKR_PIN_INCORRECT
    assertFalse(refused.getMessage().contains(new String(WRONG)), refused.getMessage());
    assertTrue(
        refused.getMessage().contains("the password of the key store"), refused.getMessage());
  }

  /** The token would count an attempt. */
  @Test
  void aPasswordThatCannotBeThePinIsNotTried() throws Exception {
    for (String pin : new String[] {"123456\u00A0", "\uFEFF123456", "123456 ", "123456\uD800"}) {
      IOException refused = assertThrows(IOException.class, () -> load("odd", pin.toCharArray()));
      assertTrue(refused.getMessage().contains("C_Login is not tried"), refused.getMessage());
      assertFalse(refused.getMessage().contains("123456"), refused.getMessage());
    }
    assertEquals(0, load("odd", TestToken.PIN).size());
  }

  @Test
  void aPasswordIsComparedWithTheOneThatUnlockedTheToken() throws Exception {
    load("compared", TestToken.PIN);
    IOException refused = assertThrows(IOException.class, () -> load("compared", WRONG));
    assertTrue(refused.getMessage().contains("the token was not asked"), refused.getMessage());
    assertNotNull(load("compared", TestToken.PIN));
  }

  @Test
  void aConfiguredPinNeedsNoPasswordAndRefusesAnother() throws Exception {
    assertEquals(0, load("filed", null).size());
    assertEquals(0, load("filed", new char[0]).size(), "an empty password is none");
    assertEquals(0, load("filed", TestToken.PIN).size());
    IOException refused = assertThrows(IOException.class, () -> load("filed", WRONG));
    assertTrue(refused.getMessage().contains("the token was not asked"), refused.getMessage());
  }

  /** keytool says "keystore password was incorrect" of what has this cause, and of nothing else. */
  @Test
  void aPinFileThatOthersMayReadIsNoWrongPassword() throws Exception {
    for (char[] password : new char[][] {null, TestToken.PIN}) {
      IOException refused = assertThrows(IOException.class, () -> load("open", password));
      assertFalse(refused.getCause() instanceof UnrecoverableKeyException, refused.getMessage());
      assertFalse(refused.getMessage().contains("password was incorrect"), refused.getMessage());
      assertTrue(refused.getMessage().contains("chmod"), refused.getMessage());
    }
  }

  @Test
  void aConfiguredPinThatIsWrongIsNoWrongPassword() throws Exception {
    IOException refused = assertThrows(IOException.class, () -> load("mistaken", null));
    assertFalse(refused.getCause() instanceof UnrecoverableKeyException, refused.getMessage());
    assertTrue(refused.getMessage().contains("wrong.pin"), refused.getMessage());
  }

  @Test
  void aCallbackHandlerIsAskedOnce() throws Exception {
    KeystayProvider provider = new KeystayProvider();
    provider.configure("called");
    KeyStore keyStore = KeyStore.getInstance("Keystay", provider);
    int[] asked = {0};
    KeyStore.CallbackHandlerProtection protection =
        new KeyStore.CallbackHandlerProtection(
            callbacks -> {
              for (Callback callback : callbacks) {
                asked[0]++;
                ((PasswordCallback) callback).setPassword(TestToken.PIN);
              }
            });
    keyStore.load(() -> protection);
    assertEquals(0, keyStore.size());
    keyStore.load(() -> protection);
    assertEquals(1, asked[0]);
  }

  /** A URI names the token a second time, and brings the PIN that the first did not. */
  @Test
  void aUriWithThePinUnlocksATokenThatWasOpenedWithout() throws Exception {
    String uri = "pkcs11:token=stated?module-path=" + System.getenv("KEYSTAY_TEST_MODULE");
    NativeStore locked = NativeStore.open(null, uri, null);
    assertTrue(locked.isLocked());
    assertFalse(NativeStore.open(null, uri + "&pin-value=123456", null).isLocked());
    assertFalse(locked.isLocked(), "the token is unlocked for all that use it");
    assertTrue(locked.list().entries().isEmpty());
    KeystayException refused =
        assertThrows(
            KeystayException.class, () -> NativeStore.open(null, uri + "&pin-value=999999", null));
    assertTrue(refused.getMessage().contains("the token was not asked"), refused.getMessage());
  }

  private static KeyStore load(String token, char[] password) throws Exception {
    KeyStore keyStore = KeyStore.getInstance("Keystay", TestToken.provider());
    String file = "# Keystay key store, version 1\ntoken = \"" + token + "\"\n";
    keyStore.load(
        new ByteArrayInputStream(file.getBytes(StandardCharsets.UTF_8)), password);
    return keyStore;
  }
}
