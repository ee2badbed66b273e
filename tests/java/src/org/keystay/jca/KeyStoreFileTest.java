package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The file that -keystore names. */
class KeyStoreFileTest {
  private static final String MAGIC = "# Keystay key store, version 1\n";

  @TempDir Path directory;

  @Test
  void aNewStoreWritesAFileThatNamesItsToken() throws Exception {
    String text = TestToken.store(TestToken.load());
    assertTrue(text.startsWith(MAGIC), text);
    assertTrue(text.contains("token = \"web\""), text);
    assertNotNull(TestToken.load(text));
  }

  @Test
  void whatWasReadIsWrittenByteForByte() throws Exception {
    String text = MAGIC + "\n# a comment of the operator\n  token   = 'web'  # here\n";
    assertEquals(text, TestToken.store(TestToken.load(text)));
  }

  @Test
  void theFileIsRecognisedWithoutItsType() throws Exception {
    TestToken.provider();
    File file = write(MAGIC + "token = \"web\"\n");
    KeyStore keyStore = KeyStore.getInstance(file, TestToken.PIN);
    assertInstanceOf(KeystayProvider.class, keyStore.getProvider());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "# Keystay", "{\"json\": true}\n", "-----BEGIN CERTIFICATE-----\n"})
  void otherFilesAreNotRecognised(String text) throws Exception {
    assertFalse(KeyStoreFile.probe(
        new java.io.ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8))));
  }

  @Test
  void probingNothingIsTheCallersFault() {
    TokenKeyStoreSpi spi = new TokenKeyStoreSpi(new TokenChoice());
    assertThrows(NullPointerException.class, () -> spi.engineProbe(null));
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "tokn = \"web\"                         | 2: ",
    "token = \"web                          | 2",
    "token = \"nowhere\"                    | nowhere",
    "scope = \"some\"                       | scope",
    "token = \"pkcs11:token=web\"           | module-path",
    "token = \"pkcs11:token=web?module-path=/none.so\" | /none.so",
    "aliases = [\"a\"]                      | scope",
  })
  void aBrokenFileSaysWhatIsWrong(String line, String expected) {
    IOException refused =
        assertThrows(IOException.class, () -> TestToken.load(MAGIC + line + "\n"));
    assertTrue(refused.getMessage().contains(expected), refused.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "token = \"web\"\n"})
  void anEmptyOrForeignFileIsRefused(String text) {
    IOException refused = assertThrows(IOException.class, () -> TestToken.load(text));
    assertTrue(refused.getMessage().contains("not a key store file"), refused.getMessage());
  }

  @Test
  void aUriWithAModulePathNeedsNoOtherConfiguration() throws Exception {
    String module = System.getenv("KEYSTAY_TEST_MODULE");
    KeyStore keyStore =
        TestToken.load(MAGIC + "token = \"pkcs11:token=web?module-path=" + module + "\"\n");
    String alias = TestToken.newAlias(keyStore, "EC", "secp256r1");
    assertTrue(TestToken.load().containsAlias(alias));
  }

  @Test
  void aListedScopeShowsItsAliasesOnly() throws Exception {
    KeyStore all = TestToken.load();
    String shown = TestToken.newAlias(all, "EC", "secp256r1");
    String hidden = TestToken.newAlias(all, "EC", "secp256r1");
    KeyStore some = TestToken.load(listed("destroy", shown));
    assertEquals(List.of(shown), Collections.list(some.aliases()));
    assertFalse(some.containsAlias(hidden));
  }

  @Test
  void aListGrowsAndShrinksWithItsEntries() throws Exception {
    KeyStore some = TestToken.load(listed("forget"));
    String alias = TestToken.newAlias(some, "EC", "secp256r1");
    String text = TestToken.store(some);
    assertTrue(text.contains("aliases = [\"" + alias + "\"]"), text);
    some.deleteEntry(alias);
    assertFalse(some.containsAlias(alias));
    assertTrue(TestToken.store(some).contains("aliases = []"));
    assertTrue(TestToken.load().containsAlias(alias), "the key was forgotten, not destroyed");
  }

  @Test
  void deletingFromADestroyingListDestroysTheKey() throws Exception {
    String alias = TestToken.newAlias(TestToken.load(), "EC", "secp256r1");
    KeyStore some = TestToken.load(listed("destroy", alias));
    some.deleteEntry(alias);
    assertFalse(TestToken.load().containsAlias(alias));
  }

  @Test
  void aHiddenAliasIsNotDeleted() throws Exception {
    String alias = TestToken.newAlias(TestToken.load(), "EC", "secp256r1");
    TestToken.load(listed("destroy")).deleteEntry(alias);
    KeyStore all = TestToken.load();
    assertNotNull(all.getKey(alias, null));
    assertEquals("CN=" + alias, ((java.security.cert.X509Certificate) all.getCertificate(alias))
        .getSubjectX500Principal().getName());
  }

  /** keytool -storepasswd and -keypasswd. */
  @Test
  void thePinIsNotChangedBySettingAnotherPassword() throws Exception {
    KeyStore keyStore = TestToken.load();
    String alias = TestToken.newAlias(keyStore, "EC", "secp256r1");
    char[] other = "654321".toCharArray();
    assertThrows(
        IOException.class, () -> keyStore.store(new java.io.ByteArrayOutputStream(), other));
    assertThrows(
        KeyStoreException.class,
        () ->
            keyStore.setKeyEntry(
                alias, keyStore.getKey(alias, null), other, keyStore.getCertificateChain(alias)));
    keyStore.store(null, TestToken.PIN);
  }

  private static String listed(String deletion, String... aliases) {
    StringBuilder text = new StringBuilder(MAGIC);
    text.append("token = \"web\"\nscope = \"listed\"\ndelete = \"").append(deletion).append("\"\n");
    text.append("aliases = [");
    for (int i = 0; i < aliases.length; i++) {
      text.append(i == 0 ? "" : ", ").append('"').append(aliases[i]).append('"');
    }
    return text.append("]\n").toString();
  }

  private File write(String text) throws IOException {
    Path file = directory.resolve("hsm.keystore");
    return Files.write(file, text.getBytes(StandardCharsets.UTF_8)).toFile();
  }
}
