package org.keystay.jca;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/**
 * The aliases of a key store at one time. Immutable: whoever reads it needs no lock and asks no token.
 */
final class Snapshot {
  private static final Logger LOGGER = System.getLogger(Snapshot.class.getName());

  private final Map<String, TokenEntry> keys;
  private final Map<String, X509Certificate> trusted;

  /** Aliases by their lower case: several where they are equal but for case. */
  private final Map<String, List<String>> folded = new HashMap<>();

  private Snapshot(Map<String, TokenEntry> keys, Map<String, X509Certificate> trusted) {
    this.keys = keys;
    this.trusted = trusted;
    for (String alias : aliases()) {
      folded.computeIfAbsent(fold(alias), name -> new ArrayList<>(1)).add(alias);
    }
  }

  /** The aliases that {@code shown} accepts. */
  static Snapshot of(NativeListing listing, Predicate<String> shown) {
    listing.unreadable().forEach(text -> LOGGER.log(Level.WARNING, text));
    Map<String, TokenEntry> keys = new LinkedHashMap<>();
    for (NativeEntry entry : listing.entries()) {
      if (shown.test(entry.alias())) {
        putReadable(entry.alias(), () -> keys.put(entry.alias(), new TokenEntry(entry.alias(), entry)));
      }
    }
    Map<String, X509Certificate> trusted = new LinkedHashMap<>();
    for (int i = 0; i < listing.trustedCount(); i++) {
      int index = i;
      String label = listing.trustedLabel(index);
      if (shown.test(label) && !keys.containsKey(label)) {
        putReadable(label, () -> trusted.put(label, listing.trustedCertificate(index)));
      }
    }
    return new Snapshot(keys, trusted);
  }

  private interface Put {
    void run() throws KeystayException;
  }

  /** One entry of a kind that this JDK lacks, such as a key on an unknown curve, must not hide the others. */
  private static void putReadable(String alias, Put put) {
    try {
      put.run();
    } catch (KeystayException | RuntimeException e) {
      LOGGER.log(Level.WARNING, "alias \"" + alias + "\" is left out: " + e.getMessage());
    }
  }

  /**
   * The key of this alias exactly, else of the one that differs in letter case only; null if there is
   * none. Never one of several.
   */
  TokenEntry find(String alias) throws KeystayException {
    String name = resolve(alias);
    return name == null ? null : keys.get(name);
  }

  /** Likewise the trusted certificate. */
  X509Certificate findTrusted(String alias) throws KeystayException {
    String name = resolve(alias);
    return name == null ? null : trusted.get(name);
  }

  /** The alias as it is written here; null if there is none. */
  String resolve(String alias) throws KeystayException {
    if (keys.containsKey(alias) || trusted.containsKey(alias)) {
      return alias;
    }
    List<String> similar = folded.getOrDefault(fold(alias), List.of());
    if (similar.size() > 1) {
      throw new KeystayException(
          "alias \"" + alias + "\" matches several aliases that differ only in letter case; write the"
              + " one exactly: " + String.join(", ", similar),
          KeystayException.Kind.CLIENT);
    }
    return similar.isEmpty() ? null : similar.get(0);
  }

  Snapshot with(TokenEntry entry) {
    Map<String, TokenEntry> changed = new LinkedHashMap<>(keys);
    changed.put(entry.alias(), entry);
    return new Snapshot(changed, trusted);
  }

  Snapshot withTrusted(String alias, X509Certificate certificate) {
    Map<String, X509Certificate> changed = new LinkedHashMap<>(trusted);
    changed.put(alias, certificate);
    return new Snapshot(keys, changed);
  }

  /** Without the key or the trusted certificate of this name. */
  Snapshot without(String alias) {
    Map<String, TokenEntry> changedKeys = new LinkedHashMap<>(keys);
    Map<String, X509Certificate> changedTrusted = new LinkedHashMap<>(trusted);
    changedKeys.remove(alias);
    changedTrusted.remove(alias);
    return new Snapshot(changedKeys, changedTrusted);
  }

  Collection<TokenEntry> keys() {
    return Collections.unmodifiableCollection(keys.values());
  }

  Map<String, X509Certificate> trusted() {
    return Collections.unmodifiableMap(trusted);
  }

  List<String> aliases() {
    List<String> aliases = new ArrayList<>(keys.keySet());
    aliases.addAll(trusted.keySet());
    return aliases;
  }

  int size() {
    return keys.size() + trusted.size();
  }

  private static String fold(String alias) {
    return alias.toLowerCase(Locale.ROOT);
  }
}
