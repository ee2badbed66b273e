package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.util.Collections;
import java.util.Locale;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Entries of a token: what keytool and servers do with them. */
class KeyStoreTest {
  private KeyStore keyStore;

  @BeforeEach
  void load() throws Exception {
    keyStore = TestToken.load();
  }

  @Test
  void aNewEntryIsThereAtOnceAndForOthers() throws Exception {
    String alias = TestToken.newAlias(keyStore, "EC", "secp256r1");
    for (KeyStore view : new KeyStore[] {keyStore, TestToken.load()}) {
      assertTrue(view.containsAlias(alias));
      assertTrue(view.isKeyEntry(alias));
      assertFalse(view.isCertificateEntry(alias));
      assertTrue(Collections.list(view.aliases()).contains(alias));
      assertInstanceOf(OpaqueEcKey.class, view.getKey(alias, null));
      assertEquals(1, view.getCertificateChain(alias).length);
      assertEquals(view.getCertificate(alias), view.getCertificateChain(alias)[0]);
      assertEquals(alias, view.getCertificateAlias(view.getCertificate(alias)));
      assertEquals(
          ((X509Certificate) view.getCertificate(alias)).getNotBefore(),
          view.getCreationDate(alias));
    }
  }

  /** The recipe outlives the key store it came from, as SunX509 keeps keys for a server's life. */
  @Test
  void aKeySignsAfterItsKeyStoreWasLoadedAgain() throws Exception {
    String alias = TestToken.newAlias(keyStore, "RSA", "2048");
    PrivateKey key = (PrivateKey) keyStore.getKey(alias, "ignored".toCharArray());
    keyStore.load(null, TestToken.PIN);
    Signature signature = Signature.getInstance("SHA256withRSA");
    signature.initSign(key);
    signature.update((byte) 1);
    byte[] value = signature.sign();
    signature.initVerify(keyStore.getCertificate(alias));
    signature.update((byte) 1);
    assertTrue(signature.verify(value));
  }

  @Test
  void aChainIsStoredAndReadBackInOrder() throws Exception {
    KeyPair root = TestToken.generate("RSA", "2048");
    KeyPair intermediate = TestToken.generate("EC", "secp256r1");
    String stem = TestToken.unusedAlias("ca");
    X509Certificate rootCertificate = TestToken.selfSigned(stem + "-root", root);
    X509Certificate intermediateCertificate =
        TestToken.certificate(
            stem + "-sub", intermediate.getPublic(), stem + "-root", root.getPrivate());
    String alias = TestToken.newAlias(keyStore, "EC", "secp256r1");
    PrivateKey key = (PrivateKey) keyStore.getKey(alias, null);
    X509Certificate leaf =
        TestToken.certificate(
            alias,
            keyStore.getCertificate(alias).getPublicKey(),
            stem + "-sub",
            intermediate.getPrivate());

    Certificate[] chain = {leaf, intermediateCertificate, rootCertificate};
    keyStore.setKeyEntry(alias, key, null, chain);
    assertArrayEquals(chain, keyStore.getCertificateChain(alias));
    assertArrayEquals(chain, TestToken.load().getCertificateChain(alias));
  }

  @Test
  void aCertificateOfAnotherKeyIsRefusedAndChangesNothing() throws Exception {
    String alias = TestToken.newAlias(keyStore, "EC", "secp256r1");
    Certificate[] before = keyStore.getCertificateChain(alias);
    X509Certificate other = TestToken.selfSigned(alias, TestToken.generate("EC", "secp256r1"));
    KeyStoreException refused =
        assertThrows(
            KeyStoreException.class,
            () ->
                keyStore.setKeyEntry(
                    alias, keyStore.getKey(alias, null), null, new Certificate[] {other}));
    assertTrue(refused.getMessage().contains("of another key"), refused.getMessage());
    assertArrayEquals(before, TestToken.load().getCertificateChain(alias));
  }

  /** What keytool hands over without -providername; the message says what to type. */
  @Test
  void aKeyMadeInSoftwareIsRefusedWithTheRemedy() throws Exception {
    KeyPair software = KeyPairGenerator.getInstance("EC").generateKeyPair();
    KeyPair onToken = TestToken.generate("EC", "secp256r1");
    KeyStoreException refused =
        assertThrows(
            KeyStoreException.class,
            () ->
                keyStore.setKeyEntry(
                    "software",
                    software.getPrivate(),
                    null,
                    new Certificate[] {TestToken.selfSigned("software", onToken)}));
    assertTrue(refused.getMessage().contains("-providername Keystay"), refused.getMessage());
    assertFalse(TestToken.load().containsAlias("software"));
    assertThrows(
        KeyStoreException.class, () -> keyStore.setKeyEntry("software", new byte[1], null));
  }

  @Test
  void anAliasOfAnotherKeyIsNotOverwritten() throws Exception {
    String alias = TestToken.newAlias(keyStore, "EC", "secp256r1");
    KeyPair other = TestToken.generate("EC", "secp256r1");
    assertThrows(
        KeyStoreException.class,
        () ->
            keyStore.setKeyEntry(
                alias,
                other.getPrivate(),
                null,
                new Certificate[] {TestToken.selfSigned(alias, other)}));
    assertNotNull(TestToken.load().getKey(alias, null));
  }

  /** keytool -changealias: setEntry under the new name, then deleteEntry if the old one is there. */
  @Test
  void theSameKeyUnderAnotherAliasIsARename() throws Exception {
    String source = TestToken.newAlias(keyStore, "EC", "secp256r1");
    String destination = TestToken.unusedAlias("renamed");
    keyStore.setEntry(
        destination,
        keyStore.getEntry(source, null),
        new KeyStore.PasswordProtection(TestToken.PIN));
    for (KeyStore view : new KeyStore[] {keyStore, TestToken.load()}) {
      assertFalse(view.containsAlias(source));
      assertInstanceOf(OpaqueEcKey.class, view.getKey(destination, null));
      assertEquals(1, view.getCertificateChain(destination).length);
    }
  }

  @Test
  void deletingDestroysTheKeyAndIsIdempotent() throws Exception {
    String alias = TestToken.newAlias(keyStore, "EC", "secp256r1");
    keyStore.deleteEntry(alias);
    assertFalse(keyStore.containsAlias(alias));
    assertFalse(TestToken.load().containsAlias(alias));
    assertNull(keyStore.getKey(alias, null));
    keyStore.deleteEntry(alias);
  }

  @Test
  void anAliasIsFoundInAnyLetterCaseIfThatIsUnambiguous() throws Exception {
    String alias = TestToken.newAlias(keyStore, "EC", "secp256r1");
    assertTrue(keyStore.containsAlias(alias.toUpperCase(Locale.ROOT)));
    assertEquals(
        keyStore.getKey(alias, null), keyStore.getKey(alias.toUpperCase(Locale.ROOT), null));
  }

  /** An alias that came after this view was loaded is found when somebody asks for it. */
  @Test
  void anUnknownAliasIsLookedForOnTheToken() throws Exception {
    KeyStore older = TestToken.load();
    String alias = TestToken.newAlias(keyStore, "EC", "secp256r1");
    assertTrue(older.containsAlias(alias));
    assertNotNull(older.getKey(alias, null));
    assertFalse(older.containsAlias(alias + "-is-nowhere"));
  }

  @Test
  void entriesNeedNoPasswordAndAreTheSameObjectEachTime() throws Exception {
    String alias = TestToken.newAlias(keyStore, "EC", "secp256r1");
    KeyStore.Entry entry = keyStore.getEntry(alias, null);
    assertInstanceOf(KeyStore.PrivateKeyEntry.class, entry);
    assertSame(
        entry, keyStore.getEntry(alias, new KeyStore.PasswordProtection("x".toCharArray())));
    assertTrue(keyStore.entryInstanceOf(alias, KeyStore.PrivateKeyEntry.class));
    assertFalse(keyStore.entryInstanceOf(alias, KeyStore.TrustedCertificateEntry.class));
    assertFalse(keyStore.entryInstanceOf(alias, KeyStore.SecretKeyEntry.class));
  }

  /** Between generateKeyPair and setKeyEntry a key has no alias, and nobody sees it. */
  @Test
  void aKeyWithoutAnAliasIsNotListed() throws Exception {
    int before = keyStore.size();
    TestToken.generate("EC", "secp256r1");
    assertEquals(before, TestToken.load().size());
  }

  @Test
  void aKeyWithoutACertificateIsListedWithAPlaceholder() throws Exception {
    NativeStore token = TestToken.token();
    String alias = TestToken.unusedAlias("bare");
    NativeEntry bare = TestToken.makeBareKey(token, alias, KeySpec.ofGroup("EC", "secp256r1"));
    KeyStore view = TestToken.load();
    X509Certificate placeholder = (X509Certificate) view.getCertificate(alias);
    assertEquals(bare.publicKey(), placeholder.getPublicKey());
    assertEquals("CN=" + alias, placeholder.getSubjectX500Principal().getName());
    assertEquals(0, view.getCreationDate(alias).getTime());
    assertTrue(placeholder.getIssuerX500Principal().getName().contains("placeholder"));

    // Renaming such a key does not make the placeholder a certificate of the token.
    String renamed = TestToken.unusedAlias("bare");
    view.setEntry(renamed, view.getEntry(alias, null), null);
    assertEquals(0, token.resolve(renamed).entry().chain().length);
  }

  /** By whatever program, after this one has read the old name. */
  @Test
  void aKeyThatGotAnotherNameSinceItWasReadIsNotDestroyed() throws Exception {
    NativeStore token = TestToken.token();
    String old = TestToken.unusedAlias("old");
    NativeEntry read = TestToken.makeBareKey(token, old, KeySpec.ofGroup("EC", "secp256r1"));
    String alias = TestToken.unusedAlias("named");
    NativeEntry named = token.setKey(alias, read.key(), new X509Certificate[0]);
    assertThrows(KeystayException.class, () -> token.remove(old, read.key()));
    assertThrows(KeystayException.class, () -> token.remove(alias, read.key()));
    assertThrows(KeystayException.class, () -> token.withdraw(read.key()));
    assertEquals(read.publicKey(), token.resolve(alias).entry().publicKey());
    token.remove(alias, named.key());
    assertNull(token.resolve(alias));
  }

  @Test
  void aTrustedCertificateIsStoredAndDeleted() throws Exception {
    String label = TestToken.unusedAlias("root");
    X509Certificate root =
        TestToken.selfSigned(label, KeyPairGenerator.getInstance("RSA").generateKeyPair());
    keyStore.setCertificateEntry(label, root);
    assertTrue(keyStore.isCertificateEntry(label));
    assertFalse(keyStore.isKeyEntry(label));
    KeyStore view = TestToken.load();
    assertEquals(root, view.getCertificate(label));
    assertTrue(Collections.list(view.aliases()).contains(label), "it is listed, as keytool expects");
    assertEquals(label, view.getCertificateAlias(root));
    assertInstanceOf(KeyStore.TrustedCertificateEntry.class, view.getEntry(label, null));
    keyStore.deleteEntry(label);
    assertFalse(keyStore.containsAlias(label));
    assertNull(TestToken.load().getCertificate(label));
  }

  /** The alias model gives these a meaning of their own: an "issuer-…" would be deleted with a chain. */
  @Test
  void aReservedNameIsNoAlias() throws Exception {
    KeyPair pair = TestToken.generate("EC", "secp256r1");
    X509Certificate certificate = TestToken.selfSigned("reserved", pair);
    for (String name : new String[] {"issuer-1", "unfinished-1", "id:01", "a\nb", ""}) {
      KeyStoreException refused =
          assertThrows(
              KeyStoreException.class,
              () ->
                  keyStore.setKeyEntry(
                      name, pair.getPrivate(), null, new Certificate[] {certificate}));
      assertTrue(refused.getMessage().contains("cannot be an alias"), refused.getMessage());
      assertThrows(
          KeyStoreException.class, () -> keyStore.setCertificateEntry(name, certificate));
      assertFalse(keyStore.containsAlias(name));
    }
  }

  @Test
  void aCurveMayBeDescribedInsteadOfNamed() throws Exception {
    for (String curve : new String[] {"secp256r1", "secp384r1", "secp521r1"}) {
      KeyPairGenerator software = KeyPairGenerator.getInstance("EC", "SunEC");
      software.initialize(new ECGenParameterSpec(curve));
      ECParameterSpec described = ((ECKey) software.generateKeyPair().getPublic()).getParams();
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", TestToken.provider());
      generator.initialize(described);
      assertEquals(described, ((ECKey) generator.generateKeyPair().getPublic()).getParams());
    }
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", TestToken.provider());
    generator.initialize(new ECGenParameterSpec("1.3.132.0.34")); // as the JDK's takes it
    assertEquals(
        384, ((ECKey) generator.generateKeyPair().getPublic()).getParams().getOrder().bitLength());
  }
}
