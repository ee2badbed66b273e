package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.PrivateKey;
import java.security.ProviderException;
import java.security.PublicKey;
import java.security.UnrecoverableKeyException;
import java.security.cert.X509Certificate;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A name that several keys or certificates have is nobody's, and no token is guessed where one is changed. */
final class NamesTest {
  private final KeyStore keyStore;

  NamesTest() throws Exception {
    keyStore = TestToken.load();
  }

  private static final AtomicInteger ID = new AtomicInteger(0x4e00);

  private static void makeKey(String label) throws Exception {
    TestToken.makeKeyByAnotherHand(label, Integer.toHexString(ID.getAndIncrement()));
  }

  private static X509Certificate certificate(String name) throws Exception {
    return TestToken.selfSigned(name, KeyPairGenerator.getInstance("RSA").generateKeyPair());
  }

  /** Three, because of three one is left when two have annulled each other. */
  @Test
  void namesThatDifferInLetterCaseAreNeverGuessed() throws Exception {
    String stem = TestToken.unusedAlias("tri");
    String upper = stem.toUpperCase(Locale.ROOT);
    String title = "T" + stem.substring(1);
    for (String alias : new String[] {stem, title, upper}) {
      makeKey(alias);
    }
    String mixed = "tR" + stem.substring(2);
    KeyStore view = TestToken.load();
    assertThrows(ProviderException.class, () -> view.getKey(mixed, null));
    assertThrows(KeyStoreException.class, () -> view.deleteEntry(mixed));
    for (String alias : new String[] {stem, title, upper}) {
      assertNotNull(TestToken.load().getKey(alias, null));
    }
  }

  @Test
  void aTrustedCertificateIsKeptApartFromAKeyInAnotherLetterCase() throws Exception {
    String alias = TestToken.unusedAlias("web");
    keyStore.setCertificateEntry(alias, certificate(alias));
    makeKey(alias.toUpperCase(Locale.ROOT));
    KeyStore view = TestToken.load();
    assertTrue(view.isCertificateEntry(alias));
    view.deleteEntry(alias);
    assertNotNull(TestToken.load().getKey(alias.toUpperCase(Locale.ROOT), null));
  }

  /** Whatever the other program was loaded before, and by whatever hand the name came to be. */
  @Test
  void aNewNameIsUnlikeOthersInWhateverLetterCase() throws Exception {
    String alias = TestToken.unusedAlias("m\u00e4rz");
    KeyStore view = TestToken.load();
    makeKey(alias);
    String other = alias.toUpperCase(Locale.ROOT);
    java.security.KeyPair pair = TestToken.generate("EC", "secp256r1");
    X509Certificate[] chain = {TestToken.selfSigned("x", pair)};
    KeyStoreException refused =
        assertThrows(
            KeyStoreException.class, () -> view.setKeyEntry(other, pair.getPrivate(), null, chain));
    assertTrue(refused.getMessage().contains("\"" + alias + "\""), refused.getMessage());
    assertThrows(
        KeyStoreException.class, () -> view.setCertificateEntry(other, certificate(other)));
  }

  @Test
  void aNameWithACharacterThatCannotBeSeenIsRefused() throws Exception {
    java.security.KeyPair pair = TestToken.generate("EC", "secp256r1");
    X509Certificate[] chain = {TestToken.selfSigned("x", pair)};
    for (String alias : new String[] {"a\u202eb", "a\u200b", "a\u00a0b", "a\u0085"}) {
      KeyStoreException refused =
          assertThrows(
              KeyStoreException.class,
              () -> keyStore.setKeyEntry(alias, pair.getPrivate(), null, chain));
      assertTrue(refused.getMessage().contains("U+"), refused.getMessage());
      assertThrows(
          KeyStoreException.class, () -> keyStore.setCertificateEntry(alias, certificate("x")));
    }
  }

  /** Two keys of one CKA_ID, which others make: each is used, certified and deleted by itself. */
  @Test
  void keysOfOneIdAreKeptApart() throws Exception {
    String id = Integer.toHexString(ID.getAndIncrement());
    String first = TestToken.unusedAlias("first");
    String second = TestToken.unusedAlias("second");
    TestToken.makeKeyByAnotherHand(first, id);
    TestToken.makeKeyByAnotherHand(second, id);
    KeyStore view = TestToken.load();
    for (String alias : new String[] {first, second}) {
      PrivateKey key = (PrivateKey) view.getKey(alias, null);
      PublicKey half = view.getCertificate(alias).getPublicKey();
      X509Certificate own = TestToken.selfSigned(alias, new java.security.KeyPair(half, key));
      view.setKeyEntry(alias, key, null, new X509Certificate[] {own});
      assertEquals(own, TestToken.load().getCertificate(alias));
    }
    assertThrows(ProviderException.class, () -> view.getKey("id:" + id, null));
    view.deleteEntry(first);
    assertNotNull(TestToken.load().getKey(second, null));
    assertEquals(second, alias(TestToken.load(), "id:" + id));
  }

  /** The alias that a name means, as a key store without a list shows it. */
  private static String alias(KeyStore view, String name) throws Exception {
    int before = view.size();
    Object key = view.getKey(name, null);
    assertNotNull(key, name);
    assertEquals(key, view.getKey(name, null));
    assertEquals(before, view.size(), "a name by which an alias is found is no alias");
    return ((OpaqueKey) key).entry().alias();
  }

  @Test
  void anIdNamesTheKeyWhatEverElseHasIt() throws Exception {
    String alias = TestToken.newAlias(keyStore, "EC", "secp256r1");
    String id = "id:" + hex(((OpaqueKey) keyStore.getKey(alias, null)).entry().id());
    for (KeyStore view :
        new KeyStore[] {
          TestToken.load(),
          TestToken.load(
              "# Keystay key store, version 1\nscope = \"listed\"\naliases = [\"" + alias + "\"]\n")
        }) {
      assertEquals(alias, alias(view, id));
      assertEquals(alias, alias(view, id.toUpperCase(Locale.ROOT)));
      assertTrue(view.isKeyEntry(id));
      assertNotNull(view.getCertificate(id));
    }
    KeyStore hiding = TestToken.load("# Keystay key store, version 1\nscope = \"listed\"\naliases = []\n");
    assertNull(hiding.getKey(id, null));
    TestToken.load().deleteEntry(id);
    assertNull(TestToken.load().getKey(alias, null));
  }

  private static String hex(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (byte b : bytes) {
      text.append(String.format("%02x", b));
    }
    return text.toString();
  }

  /** Of which nothing shows the public half. */
  @Test
  void aKeyThatCannotBeUsedIsToldAndDestroyed() throws Exception {
    String alias = TestToken.unusedAlias("bad");
    makeKey(alias);
    TestToken.pkcs11Tool("--delete-object", "--type", "pubkey", "--label", alias);
    KeyStore view = TestToken.load();
    UnrecoverableKeyException reason =
        assertThrows(UnrecoverableKeyException.class, () -> view.getKey(alias, null));
    assertTrue(reason.getMessage().contains("cannot be used: it has neither"), reason.getMessage());
    assertTrue(view.containsAlias(alias), "keytool -delete asks");
    assertFalse(view.isKeyEntry(alias));
    KeyStoreException noEntry =
        assertThrows(KeyStoreException.class, () -> view.getEntry(alias, null));
    assertEquals(reason.getMessage(), noEntry.getMessage());
    for (Class<? extends KeyStore.Entry> type :
        java.util.List.of(KeyStore.PrivateKeyEntry.class, KeyStore.TrustedCertificateEntry.class)) {
      ProviderException noType =
          assertThrows(ProviderException.class, () -> view.entryInstanceOf(alias, type));
      assertEquals(reason.getMessage(), noType.getMessage());
    }
    view.deleteEntry(alias);
    assertFalse(TestToken.load().containsAlias(alias));
  }

  /** As a process leaves it that ends after the private key. */
  @Test
  void anInterruptedDeletionIsFinished() throws Exception {
    String alias = TestToken.newAlias(keyStore, "EC", "secp256r1");
    TestToken.pkcs11Tool("--delete-object", "--type", "privkey", "--label", alias);
    KeyStore view = TestToken.load();
    assertNull(view.getKey(alias, null));
    view.deleteEntry(alias);
    AssertionError gone =
        assertThrows(
            AssertionError.class,
            () -> TestToken.pkcs11Tool("--delete-object", "--type", "pubkey", "--label", alias));
    assertTrue(gone.getMessage().contains("not found"), gone.getMessage());
  }

  @Test
  void anEntryIsNotSetOverOneOfAnotherKind() throws Exception {
    String alias = TestToken.unusedAlias("root");
    X509Certificate root = certificate(alias);
    keyStore.setCertificateEntry(alias, root);
    keyStore.setCertificateEntry(alias, root);
    assertThrows(
        KeyStoreException.class, () -> keyStore.setCertificateEntry(alias, certificate(alias)));
    java.security.KeyPair pair = TestToken.generate("EC", "secp256r1");
    X509Certificate own = TestToken.selfSigned(alias, pair);
    assertThrows(
        KeyStoreException.class,
        () -> keyStore.setKeyEntry(alias, pair.getPrivate(), null, new X509Certificate[] {own}));
    assertEquals(root, TestToken.load().getCertificate(alias));
  }

  /** As a program does whose file is missing: load(Files.exists(file) ? stream : null). */
  @Test
  void aTokenThatNobodyNamedIsReadAndNotChanged() throws Exception {
    String alias = TestToken.newAlias(keyStore, "EC", "secp256r1");
    KeyStore guessed = KeyStore.getInstance("Keystay", new KeystayProvider());
    guessed.load(null, TestToken.PIN);
    assertTrue(guessed.containsAlias(alias));
    KeyStoreException refused =
        assertThrows(KeyStoreException.class, () -> guessed.deleteEntry(alias));
    assertTrue(refused.getMessage().contains("without a key store file"), refused.getMessage());
    String renamed = TestToken.unusedAlias("renamed");
    KeyStoreException kept =
        assertThrows(
            KeyStoreException.class,
            () -> guessed.setEntry(renamed, guessed.getEntry(alias, null), null));
    assertTrue(kept.getMessage().contains("cannot rename alias \"" + alias), kept.getMessage());
    assertFalse(TestToken.load().containsAlias(renamed));
    assertNotNull(TestToken.load().getKey(alias, null));
    guessed.deleteEntry(alias + "-is-nowhere");
    String made = TestToken.unusedAlias("made");
    java.security.KeyPair pair = TestToken.generate("EC", "secp256r1");
    guessed.setKeyEntry(
        made, pair.getPrivate(), null, new X509Certificate[] {TestToken.selfSigned(made, pair)});
    assertThrows(
        KeyStoreException.class,
        () ->
            guessed.setKeyEntry(
                renamed, pair.getPrivate(), null, new X509Certificate[] {TestToken.selfSigned("x", pair)}),
        "a key has its alias, whatever it was when it was made");
    assertNotNull(TestToken.load().getKey(made, null));

    TestToken.load("# Keystay key store, version 1\n").deleteEntry(alias);
    assertFalse(TestToken.load().containsAlias(alias));
  }
}
