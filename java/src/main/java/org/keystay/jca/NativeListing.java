package org.keystay.jca;

import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** All of a token's aliases as the native core read them. */
final class NativeListing {
  private final List<NativeEntry> entries;
  private final byte[][] labels;
  private final byte[][] certificates;
  private final byte[][] unreadable;

  /** Called by the native library: labels and sentences are UTF-8, certificates DER. */
  NativeListing(
      NativeEntry[] entries, byte[][] labels, byte[][] certificates, byte[][] unreadable) {
    this.entries = List.of(entries);
    this.labels = labels;
    this.certificates = certificates;
    this.unreadable = unreadable;
  }

  List<NativeEntry> entries() {
    return entries;
  }

  /** Trusted certificates: those of no key, with an alias of their own. */
  int trustedCount() {
    return certificates.length;
  }

  String trustedLabel(int index) {
    return new String(labels[index], StandardCharsets.UTF_8);
  }

  X509Certificate trustedCertificate(int index) throws KeystayException {
    return PkixUpcalls.certificate(certificates[index]);
  }

  /** What would be here if it could be read, and why not: a sentence for each object. */
  List<String> unreadable() {
    return Arrays.stream(unreadable)
        .map(text -> new String(text, StandardCharsets.UTF_8))
        .collect(Collectors.toList());
  }
}
