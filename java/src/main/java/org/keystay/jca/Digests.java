package org.keystay.jca;

import java.security.MessageDigest;
import java.security.Provider;
import java.util.ArrayList;
import java.util.List;

/**
 * Hashes for those who ask one provider for everything, and name Keystay: software's, which are no secret of
 * the token. To all others the provider has none (see {@link KeystayProvider#getService}).
 */
final class Digests {
  static final String TYPE = "MessageDigest";

  private Digests() {}

  static List<Provider.Service> of(Provider provider) {
    List<Provider.Service> services = new ArrayList<>();
    for (Hash hash : Hash.values()) {
      services.add(
          new KeystayService(
              provider, TYPE, hash.jcaName(), MessageDigest.class, aliases(hash), hash::newDigest));
    }
    return services;
  }

  /** The identifiers of RFC 3279, section 2.2.1, and of NIST's registry, 2.16.840.1.101.3.4.2. */
  private static List<String> aliases(Hash hash) {
    if (hash == Hash.SHA1) {
      return List.of("SHA", "SHA1", "1.3.14.3.2.26", "OID.1.3.14.3.2.26");
    }
    String identifier = "2.16.840.1.101.3.4.2." + hash.nistNumber();
    return List.of(identifier, "OID." + identifier);
  }
}
