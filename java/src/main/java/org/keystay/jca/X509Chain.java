package org.keystay.jca;

import java.security.KeyStoreException;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;

/** A chain as the JCA hands it over: leaf first, of a type that says nothing. */
final class X509Chain {
  private X509Chain() {}

  static X509Certificate[] of(Certificate[] chain) throws KeyStoreException {
    if (chain == null || chain.length == 0) {
      throw new KeyStoreException("a private key entry needs a certificate");
    }
    X509Certificate[] certificates = new X509Certificate[chain.length];
    for (int i = 0; i < chain.length; i++) {
      if (!(chain[i] instanceof X509Certificate)) {
        throw new KeyStoreException("not an X.509 certificate: " + chain[i]);
      }
      certificates[i] = (X509Certificate) chain[i];
    }
    return certificates;
  }
}
