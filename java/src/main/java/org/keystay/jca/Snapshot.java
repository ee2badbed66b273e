package org.keystay.jca;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
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

  private final Map<String, TokenEntry> entries;

  /** By the alias in lower case, where no two are equal but for case. */
  private final Map<String, TokenEntry> folded = new HashMap<>();

  private Snapshot(Map<String, TokenEntry> entries) {
    this.entries = entries;
    Map<String, Integer> uses = new HashMap<>();
    for (String alias : entries.keySet()) {
      uses.merge(fold(alias), 1, Integer::sum);
    }
    for (TokenEntry entry : entries.values()) {
      if (uses.get(fold(entry.alias())) == 1) {
        folded.put(fold(entry.alias()), entry);
      }
    }
  }

  /** Of the aliases that {@code shown} accepts. */
  static Snapshot of(List<NativeEntry> all, Predicate<String> shown) {
    Map<String, TokenEntry> entries = new LinkedHashMap<>();
    for (NativeEntry entry : all) {
      if (!shown.test(entry.alias())) {
        continue;
      }
      try {
        entries.put(entry.alias(), new TokenEntry(entry));
      } catch (KeystayException e) {
        // One key of a kind that this JDK lacks must not hide the others.
        LOGGER.log(Level.WARNING, "alias \"" + entry.alias() + "\" is left out: " + e.getMessage());
      }
    }
    return new Snapshot(entries);
  }

  /** The alias exactly, else the one that differs in letter case only; null if there is none. */
  TokenEntry find(String alias) {
    TokenEntry exact = entries.get(alias);
    return exact != null ? exact : folded.get(fold(alias));
  }

  Snapshot with(TokenEntry entry) {
    Map<String, TokenEntry> changed = new LinkedHashMap<>(entries);
    changed.put(entry.alias(), entry);
    return new Snapshot(changed);
  }

  Snapshot without(String alias) {
    Map<String, TokenEntry> changed = new LinkedHashMap<>(entries);
    changed.remove(alias);
    return new Snapshot(changed);
  }

  Collection<TokenEntry> entries() {
    return Collections.unmodifiableCollection(entries.values());
  }

  List<String> aliases() {
    return new ArrayList<>(entries.keySet());
  }

  int size() {
    return entries.size();
  }

  private static String fold(String alias) {
    return alias.toLowerCase(Locale.ROOT);
  }
}
