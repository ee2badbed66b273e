package org.keystay.jca;

import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.List;

/** All of a token's aliases as the native core read them. */
final class NativeListing {
  private final List<NativeEntry> entries;
  private final byte[][] labels;
  private final byte[][] certificates;

  /** Called by the native library: labels are UTF-8, certificates DER. */
  NativeListing(NativeEntry[] entries, byte[][] labels, byte[][] certificates) {
    this.entries = List.of(entries);
    this.labels = labels;
    this.certificates = certificates;
  }

  List<NativeEntry> entries() {
    return entries;
  }

  /** Certificates that belong to no key and that somebody imported under a name of their own. */
  int trustedCount() {
    return certificates.length;
  }

  String trustedLabel(int index) {
    return new String(labels[index], StandardCharsets.UTF_8);
  }

  X509Certificate trustedCertificate(int index) throws KeystayException {
    return PkixUpcalls.certificate(certificates[index]);
  }
}
