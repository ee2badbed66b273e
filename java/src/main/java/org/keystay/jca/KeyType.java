package org.keystay.jca;

/**
 * The types of keys, by the class of the key and not by the name of its algorithm, which follows that of its
 * certificate, which may be "RSASSA-PSS" (RFC 4055) or, with other providers, "Ed25519".
 */
enum KeyType {
  RSA("RSA", OpaqueRsaKey.class),
  EC("EC", OpaqueEcKey.class),
  EDWARDS("EdDSA", OpaqueEdwardsKey.class);

  private final String jcaName;
  private final Class<? extends OpaqueKey> keyClass;

  KeyType(String jcaName, Class<? extends OpaqueKey> keyClass) {
    this.jcaName = jcaName;
    this.keyClass = keyClass;
  }

  boolean isTypeOf(Object key) {
    return keyClass.isInstance(key);
  }

  @Override
  public String toString() {
    return jcaName;
  }
}
