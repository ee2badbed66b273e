package org.keystay.jca;

import java.security.Principal;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Which alias of a snapshot serves a handshake. Made once for each snapshot, so that a handshake looks
 * names up instead of reading certificates.
 */
final class AliasChoice {
  private static final int DNS_NAME = 2; // GeneralName, RFC 5280, section 4.2.1.6

  private final Snapshot snapshot;
  private final List<TokenEntry> certified;

  /** By host name or "*.domain", in lower case. */
  private final Map<String, List<TokenEntry>> byName = new HashMap<>();

  AliasChoice(Snapshot snapshot) {
    this.snapshot = snapshot;
    certified =
        snapshot.keys().stream().filter(TokenEntry::isCertified).collect(Collectors.toList());
    for (TokenEntry entry : certified) {
      for (String name : names(entry.leaf())) {
        byName.computeIfAbsent(fold(name), unused -> new ArrayList<>()).add(entry);
      }
    }
  }

  Snapshot snapshot() {
    return snapshot;
  }

  /**
   * Of the aliases that are certified for the host, or of all if none is, one with a key of this type:
   * the first that is valid now, else the first. Null if there is none; JSSE then asks for another type.
   *
   * @param hostName what the client asked for (RFC 6066, section 3); null if it did not say
   */
  String server(String keyType, String hostName) {
    List<TokenEntry> named = hostName == null ? List.of() : forHost(fold(hostName));
    TokenEntry entry = best(keyType, named.isEmpty() ? certified : named);
    return entry == null ? null : entry.alias();
  }

  /** All aliases with a key of this type whose chain leads to one of the issuers; null for none. */
  String[] all(String keyType, Principal[] issuers) {
    String[] aliases =
        certified.stream()
            .filter(entry -> isOfType(entry, keyType) && leadsTo(entry, issuers))
            .map(TokenEntry::alias)
            .toArray(String[]::new);
    return aliases.length == 0 ? null : aliases;
  }

  private List<TokenEntry> forHost(String host) {
    List<TokenEntry> exact = byName.get(host);
    if (exact != null) {
      return exact;
    }
    // RFC 6125, section 6.4.3: a wildcard stands for the whole left-most label.
    int dot = host.indexOf('.');
    return dot < 0 ? List.of() : byName.getOrDefault("*" + host.substring(dot), List.of());
  }

  private static TokenEntry best(String keyType, List<TokenEntry> entries) {
    Date now = new Date();
    TokenEntry first = null;
    for (TokenEntry entry : entries) {
      if (!isOfType(entry, keyType)) {
        continue;
      }
      if (!now.before(entry.leaf().getNotBefore()) && !now.after(entry.leaf().getNotAfter())) {
        return entry;
      }
      first = first == null ? entry : first;
    }
    return first;
  }

  /** JSSE's names of key types are those of the keys, and RSASSA-PSS, which no token's key has. */
  private static boolean isOfType(TokenEntry entry, String keyType) {
    return entry.key().getAlgorithm().equals(keyType);
  }

  private static boolean leadsTo(TokenEntry entry, Principal[] issuers) {
    if (issuers == null || issuers.length == 0) {
      return true;
    }
    return Arrays.stream(entry.chain())
        .anyMatch(c -> Arrays.asList(issuers).contains(c.getIssuerX500Principal()));
  }

  private static List<String> names(X509Certificate certificate) {
    try {
      Collection<List<?>> alternatives = certificate.getSubjectAlternativeNames();
      if (alternatives == null) {
        return List.of();
      }
      return alternatives.stream()
          .filter(name -> name.get(0).equals(DNS_NAME))
          .map(name -> (String) name.get(1))
          .collect(Collectors.toList());
    } catch (CertificateParsingException e) {
      return List.of(); // it can be served still, to those who ask for no name
    }
  }

  private static String fold(String name) {
    return name.toLowerCase(Locale.ROOT);
  }
}
