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

  /** SHA-1 signatures are deprecated (NIST SP 800-131A), and offered for callers that name them. */
  private static final String SHA1 = "org.keystay.sha1";

  static List<Provider.Service> of(Provider provider) {
    Signatures signatures = new Signatures(provider);
    // sha*WithRSAEncryption (RFC 8017, appendix A.2.4) and ecdsa-with-SHA* (RFC 5758, section 3.2)
    signatures.addHash(Hash.SHA224, "1.2.840.113549.1.1.14", "1.2.840.10045.4.3.1");
    signatures.addHash(Hash.SHA256, "1.2.840.113549.1.1.11", "1.2.840.10045.4.3.2");
    signatures.addHash(Hash.SHA384, "1.2.840.113549.1.1.12", "1.2.840.10045.4.3.3");
    signatures.addHash(Hash.SHA512, "1.2.840.113549.1.1.13", "1.2.840.10045.4.3.4");
    // Both with SHA-3: NIST's registry, 2.16.840.1.101.3.4.3
    signatures.addHash(Hash.SHA3_224, "2.16.840.1.101.3.4.3.13", "2.16.840.1.101.3.4.3.9");
    signatures.addHash(Hash.SHA3_256, "2.16.840.1.101.3.4.3.14", "2.16.840.1.101.3.4.3.10");
    signatures.addHash(Hash.SHA3_384, "2.16.840.1.101.3.4.3.15", "2.16.840.1.101.3.4.3.11");
    signatures.addHash(Hash.SHA3_512, "2.16.840.1.101.3.4.3.16", "2.16.840.1.101.3.4.3.12");
    signatures.addRsa(Hash.SHA512_224, "1.2.840.113549.1.1.15");
    signatures.addRsa(Hash.SHA512_256, "1.2.840.113549.1.1.16");
    if (Boolean.getBoolean(SHA1)) {
      signatures.addHash(Hash.SHA1, "1.2.840.113549.1.1.5", "1.2.840.10045.4.1");
    }
    signatures.addWithoutHash();
    signatures.addEdwards();
    return signatures.services;
  }

  private void addHash(Hash hash, String rsaIdentifier, String ecdsaIdentifier) {
    addRsa(hash, rsaIdentifier);
    String ecdsa = hash.signaturePrefix() + "withECDSA";
    add(ecdsa, KeyType.EC, EcdsaSignatureSpi.class, names(ecdsaIdentifier),
        () -> new EcdsaSignatureSpi(ecdsa, hash, EcdsaSignatureSpi.Format.DER));
    String p1363 = ecdsa + "inP1363Format";
    add(p1363, KeyType.EC, EcdsaSignatureSpi.class, List.of(),
        () -> new EcdsaSignatureSpi(p1363, hash, EcdsaSignatureSpi.Format.P1363));
  }

  private void addRsa(Hash hash, String identifier) {
    String rsa = hash.signaturePrefix() + "withRSA";
    add(rsa, KeyType.RSA, RsaPkcs1SignatureSpi.class, names(identifier),
        () -> new RsaPkcs1SignatureSpi(rsa, hash));
    String pss = rsa + "andMGF1";
    add(pss, KeyType.RSA, RsaPssSignatureSpi.class, List.of(rsa + "SSA-PSS"),
        () -> new RsaPssSignatureSpi(pss, hash));
  }

  private void addWithoutHash() {
    add("RSASSA-PSS", KeyType.RSA, RsaPssSignatureSpi.class, names("1.2.840.113549.1.1.10"),
        () -> new RsaPssSignatureSpi("RSASSA-PSS", null));
    add("NONEwithRSA", KeyType.RSA, RsaPkcs1SignatureSpi.class, List.of(),
        () -> new RsaPkcs1SignatureSpi("NONEwithRSA", null));
    add("NONEwithECDSA", KeyType.EC, EcdsaSignatureSpi.class, List.of(),
        () -> new EcdsaSignatureSpi("NONEwithECDSA", null, EcdsaSignatureSpi.Format.DER));
    add("NONEwithECDSAinP1363Format", KeyType.EC, EcdsaSignatureSpi.class, List.of(),
        () -> new EcdsaSignatureSpi(
            "NONEwithECDSAinP1363Format", null, EcdsaSignatureSpi.Format.P1363));
  }

  private void addEdwards() {
    add("EdDSA", KeyType.EDWARDS, EdDsaSignatureSpi.class, List.of(),
        () -> new EdDsaSignatureSpi("EdDSA", null));
    add("Ed25519", KeyType.EDWARDS, EdDsaSignatureSpi.class, names("1.3.101.112"),
        () -> new EdDsaSignatureSpi("Ed25519", EdwardsCurve.ED25519));
    add("Ed448", KeyType.EDWARDS, EdDsaSignatureSpi.class, names("1.3.101.113"),
        () -> new EdDsaSignatureSpi("Ed448", EdwardsCurve.ED448));
  }

  private void add(
      String algorithm,
      KeyType keyType,
      Class<?> implementation,
      List<String> aliases,
      KeystayService.Factory factory) {
    services.add(
        new KeystayService.ForKeys(
            provider, TYPE, algorithm, keyType, implementation, aliases, factory));
  }

  private static List<String> names(String identifier) {
    return List.of(identifier, "OID." + identifier);
  }
}
