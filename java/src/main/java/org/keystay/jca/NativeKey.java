package org.keystay.jca;

/**
 * A private key as the native core knows it: a recipe (token, CKA_ID, public key), one C++ object for all that
 * name the same. Sessions, handles, logins and repairs are the core's.
 */
final class NativeKey extends NativeObject {
  /** The raw mechanisms of signatures. */
  enum Mechanism {
    RSA_PKCS(NativeCodes.RSA_PKCS),
    RSA_X509(NativeCodes.RSA_X509),
    RSA_PSS(NativeCodes.RSA_PSS),
    ECDSA(NativeCodes.ECDSA),
    EDDSA(NativeCodes.EDDSA);

    private final int code;

    Mechanism(int code) {
      this.code = code;
    }
  }

  /** Of what the native library counted as one more reference. */
  NativeKey(long address) {
    super(address, NativeKey::release);
  }

  /** One C_SignInit and one C_Sign with a mechanism that has no parameters. */
  byte[] sign(Mechanism mechanism, byte[] data) throws KeystayException {
    return sign(address(), mechanism.code, 0, 0, 0, data);
  }

  /** One C_SignInit and one C_Sign with CKM_RSA_PKCS_PSS. */
  byte[] signPss(Hash hash, Hash mgf1Hash, int saltLength, byte[] digest) throws KeystayException {
    return sign(
        address(),
        NativeCodes.RSA_PSS,
        hash.nativeCode(),
        mgf1Hash.nativeCode(),
        saltLength,
        digest);
  }

  /** One C_DecryptInit and one C_Decrypt with CKM_RSA_PKCS. */
  byte[] decryptPkcs1(byte[] ciphertext) throws KeystayException {
    return decrypt(address(), NativeCodes.RSA_PKCS, 0, 0, ciphertext);
  }

  /** The same with CKM_RSA_X_509: the block with its padding. */
  byte[] decryptBlock(byte[] ciphertext) throws KeystayException {
    return decrypt(address(), NativeCodes.RSA_X509, 0, 0, ciphertext);
  }

  /** The same with CKM_RSA_PKCS_OAEP and no label. */
  byte[] decryptOaep(Hash hash, Hash mgf1Hash, byte[] ciphertext)
      throws KeystayException {
    return decrypt(
        address(),
        NativeCodes.RSA_OAEP,
        hash.nativeCode(),
        mgf1Hash.nativeCode(),
        ciphertext);
  }

  /**
   * The shared x coordinate of an ECDH: C_DeriveKey, C_GetAttributeValue and C_DestroyObject.
   *
   * @param peerPoint the peer's public point, uncompressed
   * @param size of the secret: that of the curve's field in bytes
   */
  byte[] derive(byte[] peerPoint, int size) throws KeystayException {
    return derive(address(), peerPoint, size);
  }

  /** Whether the token has the mechanism; asked once per token. */
  boolean supports(Mechanism mechanism) throws KeystayException {
    return supports(address(), mechanism.code);
  }

  private native byte[] sign(
      long key, int mechanism, int hash, int mgf1Hash, int saltLength, byte[] data)
      throws KeystayException;

  private native byte[] decrypt(
      long key, int mechanism, int hash, int mgf1Hash, byte[] ciphertext)
      throws KeystayException;

  private native byte[] derive(long key, byte[] peerPoint, int size)
      throws KeystayException;

  private native boolean supports(long key, int mechanism) throws KeystayException;

  private static native void release(long key);

  /** How many keys the native library holds for Java: for tests. */
  static native int count();
}
