package org.keystay.jca;

import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;

/** What a name means on the token, by the native core's rules: a key, a trusted certificate, or neither. */
final class NativeNamed {
  private final String alias;
  private final NativeEntry entry;
  private final byte[] certificate;
  private final String reason;

  /** Called by the native library: text is UTF-8; of the last three, one is not null. */
  NativeNamed(byte[] alias, NativeEntry entry, byte[] certificate, byte[] reason) {
    this.alias = new String(alias, StandardCharsets.UTF_8);
    this.entry = entry;
    this.certificate = certificate;
    this.reason = reason == null ? null : new String(reason, StandardCharsets.UTF_8);
  }

  /** As a listing shows it, whatever name it was looked up by. */
  String alias() {
    return alias;
  }

  /** Null unless it is a key that can be used. */
  NativeEntry entry() {
    return entry;
  }

  /** Null unless it is a trusted certificate. */
  X509Certificate certificate() throws KeystayException {
    return certificate == null ? null : PkixUpcalls.certificate(certificate);
  }

  /** Why the key or certificate of this name cannot be used; null if it can. */
  String whyUnusable() {
    return reason;
  }
}
