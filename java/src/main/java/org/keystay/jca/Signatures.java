package org.keystay.jca;

import java.security.Provider;
import java.util.ArrayList;
import java.util.List;

/** The table of signature algorithms: standard names, the names others use, and object identifiers. */
final class Signatures {
  private static final String TYPE = "Signature";

  private final Provider provider;
  private final List<Provider.Service> services = new ArrayList<>();

  private Signatures(Provider provider) {
    this.provider = provider;
  }

  static List<Provider.Service> of(Provider provider) {
    Signatures signatures = new Signatures(provider);
    // sha*WithRSAEncryption (RFC 8017, appendix A.2.4) and ecdsa-with-SHA* (RFC 5758, section 3.2)
    signatures.addHash(Hash.SHA224, "1.2.840.113549.1.1.14", "1.2.840.10045.4.3.1");
    signatures.addHash(Hash.SHA256, "1.2.840.113549.1.1.11", "1.2.840.10045.4.3.2");
    signatures.addHash(Hash.SHA384, "1.2.840.113549.1.1.12", "1.2.840.10045.4.3.3");
    signatures.addHash(Hash.SHA512, "1.2.840.113549.1.1.13", "1.2.840.10045.4.3.4");
    signatures.addWithoutHash();
    signatures.addEdwards();
    return signatures.services;
  }

  private void addHash(Hash hash, String rsaIdentifier, String ecdsaIdentifier) {
    String rsa = hash.name() + "withRSA";
    add(rsa, "RSA", RsaPkcs1SignatureSpi.class, names(rsaIdentifier),
        () -> new RsaPkcs1SignatureSpi(rsa, hash));
    String pss = rsa + "andMGF1";
    add(pss, "RSA", RsaPssSignatureSpi.class, List.of(hash.name() + "withRSASSA-PSS"),
        () -> new RsaPssSignatureSpi(pss, hash));
    String ecdsa = hash.name() + "withECDSA";
    add(ecdsa, "EC", EcdsaSignatureSpi.class, names(ecdsaIdentifier),
        () -> new EcdsaSignatureSpi(ecdsa, hash, EcdsaSignatureSpi.Format.DER));
    String p1363 = ecdsa + "inP1363Format";
    add(p1363, "EC", EcdsaSignatureSpi.class, List.of(),
        () -> new EcdsaSignatureSpi(p1363, hash, EcdsaSignatureSpi.Format.P1363));
  }

  private void addWithoutHash() {
    add("RSASSA-PSS", "RSA", RsaPssSignatureSpi.class, names("1.2.840.113549.1.1.10"),
        () -> new RsaPssSignatureSpi("RSASSA-PSS", null));
    add("NONEwithRSA", "RSA", RsaPkcs1SignatureSpi.class, List.of(),
        () -> new RsaPkcs1SignatureSpi("NONEwithRSA", null));
    add("NONEwithECDSA", "EC", EcdsaSignatureSpi.class, List.of(),
        () -> new EcdsaSignatureSpi("NONEwithECDSA", null, EcdsaSignatureSpi.Format.DER));
    add("NONEwithECDSAinP1363Format", "EC", EcdsaSignatureSpi.class, List.of(),
        () -> new EcdsaSignatureSpi(
            "NONEwithECDSAinP1363Format", null, EcdsaSignatureSpi.Format.P1363));
  }

  private void addEdwards() {
    add("EdDSA", "EdDSA", EdDsaSignatureSpi.class, List.of(),
        () -> new EdDsaSignatureSpi("EdDSA", null));
    add("Ed25519", "EdDSA", EdDsaSignatureSpi.class, names("1.3.101.112"),
        () -> new EdDsaSignatureSpi("Ed25519", EdwardsCurve.ED25519));
    add("Ed448", "EdDSA", EdDsaSignatureSpi.class, names("1.3.101.113"),
        () -> new EdDsaSignatureSpi("Ed448", EdwardsCurve.ED448));
  }

  private void add(
      String algorithm,
      String keyAlgorithm,
      Class<?> implementation,
      List<String> aliases,
      KeystayService.Factory factory) {
    services.add(
        new KeystayService.ForKeys(
            provider, TYPE, algorithm, keyAlgorithm, implementation, aliases, factory));
  }

  private static List<String> names(String identifier) {
    return List.of(identifier, "OID." + identifier);
  }
}
