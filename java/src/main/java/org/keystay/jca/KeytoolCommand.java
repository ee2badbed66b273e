package org.keystay.jca;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * The command line, where the program is keytool. keytool writes the key store file after the token was changed,
 * and hands any key to a key store of another type. Both fail late and with a message that does not name the
 * reason, so that they are recognised here before anything is changed.
 */
final class KeytoolCommand {
  private static final String MAIN = "sun.security.tools.keytool.Main";
  private static final String NONE = "NONE";

  private final List<String> words;

  private KeytoolCommand(List<String> words) {
    this.words = words;
  }

  /** Of this process; empty unless it is keytool, on a JVM that has sun.java.command. */
  static KeytoolCommand current() {
    return of(System.getProperty("sun.java.command", ""));
  }

  /** Of the main class and its arguments, with one blank between each two. */
  static KeytoolCommand of(String command) {
    List<String> words = List.of(command.split(" ", -1));
    return new KeytoolCommand(words.get(0).endsWith(MAIN) ? words : List.of());
  }

  /** Before something on the token is changed: the file that keytool will write afterwards can be written. */
  void requireWritableFile() throws KeystayException {
    for (String option : List.of("-keystore", "-destkeystore")) {
      String name = value(option);
      if (name != null && !name.equals(NONE)) {
        requireWritable(name);
      }
    }
  }

  private static void requireWritable(String name) throws KeystayException {
    Path file;
    try {
      file = Path.of(name).toAbsolutePath();
    } catch (InvalidPathException e) {
      return; // keytool will say so
    }
    if (canBeWritten(file)) {
      return;
    }
    throw new KeystayException(
        "keytool could not write the key store file " + name + " afterwards; nothing was changed on the"
            + " token. Name a file in a directory that exists and may be written to",
        KeystayException.Kind.CONFIGURATION);
  }

  /** Tried, not asked: what a link leads to, and what a file system takes, permissions do not tell. */
  private static boolean canBeWritten(Path file) {
    try {
      if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
        Files.newByteChannel(file, StandardOpenOption.WRITE).close(); // changes nothing
      } else {
        Files.delete(Files.createTempFile(file.getParent(), ".keystay", null));
      }
      return true;
    } catch (IOException | RuntimeException e) {
      return false;
    }
  }

  /** Whether this process is keytool. */
  boolean isKeytool() {
    return !words.isEmpty();
  }

  /** Whether entries are read to be written to a key store of another kind. */
  boolean isExport() {
    return value("-importkeystore") != null
        && !KeystayProvider.NAME.equalsIgnoreCase(value("-deststoretype"))
        && !KeystayProvider.NAME.equalsIgnoreCase(value("-destprovidername"));
  }

  /** What follows an option, up to the next one: a name may have blanks. Null without the option. */
  private String value(String option) {
    for (int i = 0; i < words.size(); i++) {
      if (words.get(i).equalsIgnoreCase(option)) {
        int end = i + 1;
        while (end < words.size() && !words.get(end).startsWith("-")) {
          end++;
        }
        return String.join(" ", words.subList(i + 1, end));
      }
    }
    return null;
  }
}
