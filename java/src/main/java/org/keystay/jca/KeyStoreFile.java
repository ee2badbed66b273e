package org.keystay.jca;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The file that {@code -keystore} names: which token, and which of its aliases. Immutable. What was
 * read is written again byte for byte, comments included, unless its list of aliases changed.
 */
final class KeyStoreFile {
  private static final String MAGIC = "# Keystay key store, version 1";

  private final byte[] content;
  private final String token;
  private final boolean listed;
  private final boolean forgetting;
  private final List<String> aliases;

  /** Called by the native library, which reads and writes the format: text is UTF-8. */
  KeyStoreFile(
      byte[] content, byte[] token, boolean listed, boolean forgetting, byte[][] aliases) {
    this.content = content;
    this.token = new String(token, StandardCharsets.UTF_8);
    this.listed = listed;
    this.forgetting = forgetting;
    List<String> names = new ArrayList<>();
    for (byte[] alias : aliases) {
      names.add(new String(alias, StandardCharsets.UTF_8));
    }
    this.aliases = List.copyOf(names);
  }

  /** Whether a stream begins like a key store file: reads the first line, and no more. */
  static boolean probe(InputStream in) throws IOException {
    byte[] magic = MAGIC.getBytes(StandardCharsets.UTF_8);
    return Arrays.equals(in.readNBytes(magic.length), magic);
  }

  static KeyStoreFile parse(byte[] content) throws KeystayException {
    NativeStore.requireLibrary();
    return parseContent(content);
  }

  /** All aliases of a token. */
  static KeyStoreFile of(String token) throws KeystayException {
    NativeStore.requireLibrary();
    return format(token.getBytes(StandardCharsets.UTF_8), false, false, new byte[0][]);
  }

  byte[] content() {
    return content.clone();
  }

  /** A name in keystay.toml, or a URI; empty for the default token. */
  String token() {
    return token;
  }

  /** Whether the key store shows this alias of its token. */
  boolean shows(String alias) {
    return !listed || aliases.contains(alias);
  }

  /** Whether -delete takes an alias off the list, instead of destroying the key. */
  boolean isForgetting() {
    return forgetting;
  }

  KeyStoreFile with(String alias) throws KeystayException {
    if (shows(alias)) {
      return this;
    }
    List<String> names = new ArrayList<>(aliases);
    names.add(alias);
    return withAliases(names);
  }

  KeyStoreFile without(String alias) throws KeystayException {
    if (!listed || !aliases.contains(alias)) {
      return this;
    }
    List<String> names = new ArrayList<>(aliases);
    names.remove(alias);
    return withAliases(names);
  }

  private KeyStoreFile withAliases(List<String> names) throws KeystayException {
    byte[][] encoded = new byte[names.size()][];
    for (int i = 0; i < encoded.length; i++) {
      encoded[i] = names.get(i).getBytes(StandardCharsets.UTF_8);
    }
    return format(token.getBytes(StandardCharsets.UTF_8), listed, forgetting, encoded);
  }

  private static native KeyStoreFile parseContent(byte[] content) throws KeystayException;

  private static native KeyStoreFile format(
      byte[] token, boolean listed, boolean forgetting, byte[][] aliases) throws KeystayException;
}
