package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What keytool is about to do with a key store file, by its command line. */
class KeytoolCommandTest {
  private static final String MAIN = "java.base/sun.security.tools.keytool.Main ";

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"-keystore %s/nodir/x -alias a", "-alias a -keystore %s/nodir/x", "-KeyStore %s/no dir/x -v"})
  void aFileInADirectoryThatIsMissingCannotBeWritten(String options) {
    KeytoolCommand command = KeytoolCommand.of(MAIN + "-genkeypair " + String.format(options, directory));
    KeystayException refused =
        assertThrows(KeystayException.class, command::requireWritableFile);
    assertTrue(refused.getMessage().contains("/x afterwards"), refused.getMessage());
  }

  @Test
  void aFileThatCanBeWrittenMayHaveBlanksInItsName() throws Exception {
    Path blanks = Files.createDirectory(directory.resolve("a  b"));
    Files.writeString(blanks.resolve("there is"), "");
    for (String name : new String[] {blanks + "/new", blanks + "/there is", "NONE", "new.keystore"}) {
      KeytoolCommand.of(MAIN + "-genkeypair -keystore " + name + " -alias a").requireWritableFile();
    }
  }

  @Test
  void otherProgramsAreNotKeytool() throws Exception {
    for (String command :
        new String[] {"", "server.jar -keystore /nodir/x/y", "org.example.Main -importkeystore"}) {
      KeytoolCommand.of(command).requireWritableFile();
      assertEquals(false, KeytoolCommand.of(command).isExport());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "-importkeystore -srckeystore a -destkeystore b, true",
    "-importkeystore -srcstoretype Keystay -deststoretype PKCS12, true",
    "-importkeystore -srcstoretype PKCS12 -deststoretype keystay, false",
    "-importkeystore -destprovidername Keystay, false",
    "-list -v, false"
  })
  void anExportGoesToAKeyStoreOfAnotherKind(String options, boolean isExport) {
    assertEquals(isExport, KeytoolCommand.of(MAIN + options).isExport());
  }
}
