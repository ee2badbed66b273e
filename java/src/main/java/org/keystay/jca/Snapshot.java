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
import java.util.Map;
import java.util.Objects;

/**
 * The aliases of a key store at one time. Immutable: reading it takes no lock and no call to the token.
 */
final class Snapshot {
  private static final Logger LOGGER = System.getLogger(Snapshot.class.getName());

  private final Map<String, TokenEntry> keys;
  private final Map<String, X509Certificate> trusted;

  /** Other names by which the core found an alias of these: by its id, in another letter case. */
  private final Map<String, String> otherNames;

  private Snapshot(
      Map<String, TokenEntry> keys,
      Map<String, X509Certificate> trusted,
      Map<String, String> otherNames) {
    this.keys = keys;
    this.trusted = trusted;
    this.otherNames = otherNames;
  }

  static Snapshot of(NativeListing listing) {
    listing.unreadable().forEach(text -> LOGGER.log(Level.WARNING, text));
    Map<String, TokenEntry> keys = new LinkedHashMap<>();
    for (NativeEntry entry : listing.entries()) {
      putReadable(entry.alias(), () -> keys.put(entry.alias(), new TokenEntry(entry.alias(), entry)));
    }
    Map<String, X509Certificate> trusted = new LinkedHashMap<>();
    for (int i = 0; i < listing.trustedCount(); i++) {
      int index = i;
      String label = listing.trustedLabel(index);
      if (!keys.containsKey(label)) {
        putReadable(label, () -> trusted.put(label, listing.trustedCertificate(index)));
      }
    }
    return new Snapshot(keys, trusted, Map.of());
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

  /** The key of this name; null if there is none, or if only the token can tell. */
  TokenEntry find(String name) {
    return keys.get(resolve(name));
  }

  /** Likewise the trusted certificate. */
  X509Certificate findTrusted(String name) {
    return trusted.get(resolve(name));
  }

  /** The alias as it is listed. Null is no name, whatever map there is at the time. */
  String resolve(String name) {
    Objects.requireNonNull(name, "the alias must not be null");
    return otherNames.getOrDefault(name, name);
  }

  Snapshot with(TokenEntry entry) {
    Map<String, TokenEntry> changed = new LinkedHashMap<>(keys);
    changed.put(entry.alias(), entry);
    return new Snapshot(changed, trusted, otherNames);
  }

  /** With another name of an alias that is there. */
  Snapshot withName(String name, String alias) {
    if (name.equals(alias)) {
      return this;
    }
    Map<String, String> changed = new HashMap<>(otherNames);
    changed.put(name, alias);
    return new Snapshot(keys, trusted, changed);
  }

  Snapshot withTrusted(String alias, X509Certificate certificate) {
    Map<String, X509Certificate> changed = new LinkedHashMap<>(trusted);
    changed.put(alias, certificate);
    return new Snapshot(keys, changed, otherNames);
  }

  /** Without the key or the trusted certificate of this name. */
  Snapshot without(String alias) {
    Map<String, TokenEntry> changedKeys = new LinkedHashMap<>(keys);
    Map<String, X509Certificate> changedTrusted = new LinkedHashMap<>(trusted);
    changedKeys.remove(alias);
    changedTrusted.remove(alias);
    Map<String, String> changedNames = new HashMap<>(otherNames);
    changedNames.values().removeIf(alias::equals);
    return new Snapshot(changedKeys, changedTrusted, changedNames);
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
}
