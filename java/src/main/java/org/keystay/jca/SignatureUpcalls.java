package org.keystay.jca;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;

/**
 * What the native library asks the JDK about signatures of a group with {@code verify = true}: it calls these
 * methods on the thread that asked the token, which may be one of its own, and knows no cryptographic library.
 */
final class SignatureUpcalls {
  private SignatureUpcalls() {}

  /**
   * Whether the token's signature is right. All numbers are of {@link NativeCodes}; hashes and salt, in bytes,
   * are those of PSS.
   */
  static boolean isSignature(
      int keyType,
      byte[] first,
      byte[] second,
      int mechanism,
      int hash,
      int mgf1Hash,
      int saltLength,
      byte[] data,
      byte[] signature)
      throws GeneralSecurityException {
    RawSignature raw = new RawSignature(new PublicKeyParts(keyType, first, second), data, signature);
    switch (mechanism) {
      case NativeCodes.RSA_PKCS:
        return raw.isRsaPkcs1();
      case NativeCodes.RSA_X509:
        return raw.isRsaX509();
      case NativeCodes.RSA_PSS:
        return raw.isRsaPss(
            new PssEncoding(Hash.byNativeCode(hash), Hash.byNativeCode(mgf1Hash), saltLength));
      case NativeCodes.ECDSA:
        return raw.isEcdsa();
      case NativeCodes.EDDSA:
        return raw.isEdDsa();
      default:
        throw new IllegalArgumentException("no mechanism to sign with has the number " + mechanism);
    }
  }

  /** What an exception says, in UTF-8. */
  static byte[] description(Throwable exception) {
    String text =
        exception instanceof KeystayException ? exception.getMessage() : exception.toString();
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
