package org.keystay.jca;

/**
 * A private key as the native core knows it: a number that names a recipe (token, CKA_ID, public key)
 * and stays valid for the life of the process. Sessions, handles, logins and repairs are the core's.
 */
final class NativeKey {
  /** The raw mechanisms, in the order of the core's {@code SignMechanism}. */
  enum Mechanism {
    RSA_PKCS,
    RSA_X509,
    RSA_PSS,
    ECDSA,
    EDDSA
  }

  private final long address;

  NativeKey(long address) {
    this.address = address;
  }

  long address() {
    return address;
  }

  /** One C_SignInit and one C_Sign with a mechanism that has no parameters. */
  byte[] sign(Mechanism mechanism, byte[] data) throws KeystayException {
    return sign(address, mechanism.ordinal(), 0, 0, 0, data);
  }

  /** One C_SignInit and one C_Sign with CKM_RSA_PKCS_PSS. */
  byte[] signPss(Hash hash, Hash mgf1Hash, int saltLength, byte[] digest) throws KeystayException {
    return sign(
        address,
        Mechanism.RSA_PSS.ordinal(),
        hash.nativeCode(),
        mgf1Hash.nativeCode(),
        saltLength,
        digest);
  }

  /** Whether the token has the mechanism; asked once per token. */
  boolean supports(Mechanism mechanism) throws KeystayException {
    return supports(address, mechanism.ordinal());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof NativeKey && ((NativeKey) other).address == address;
  }

  @Override
  public int hashCode() {
    return Long.hashCode(address);
  }

  private static native byte[] sign(
      long key, int mechanism, int hash, int mgf1Hash, int saltLength, byte[] data)
      throws KeystayException;

  private static native boolean supports(long key, int mechanism) throws KeystayException;
}
