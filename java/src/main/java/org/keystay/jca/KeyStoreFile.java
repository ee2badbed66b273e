package org.keystay.jca;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The file that {@code -keystore} names: which token, and which of its aliases. Its format and its rules are
 * the native core's; here is what tells it from other files, which must need no native library.
 */
final class KeyStoreFile {
  private static final String MAGIC = "# Keystay key store, version 1";

  private KeyStoreFile() {}

  /** Whether a stream begins like a key store file: reads the first line, and no more. */
  static boolean probe(InputStream in) throws IOException {
    byte[] magic = MAGIC.getBytes(StandardCharsets.UTF_8);
    return Arrays.equals(in.readNBytes(magic.length), magic);
  }
}
