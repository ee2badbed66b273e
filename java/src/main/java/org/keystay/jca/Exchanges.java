package org.keystay.jca;

import java.security.Provider;
import java.util.List;

/** The services of keys that decrypt or derive: Cipher RSA and KeyAgreement ECDH. */
final class Exchanges {
  private Exchanges() {}

  static List<Provider.Service> of(Provider provider) {
    return List.of(
        new KeystayService.ForKeys(
            provider, "Cipher", "RSA", KeyType.RSA, RsaCipherSpi.class, List.of(), RsaCipherSpi::new),
        new KeystayService.ForKeys(
            provider,
            "KeyAgreement",
            "ECDH",
            KeyType.EC,
            EcdhKeyAgreementSpi.class,
            List.of(),
            EcdhKeyAgreementSpi::new));
  }
}
