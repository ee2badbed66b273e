package org.keystay.jca;

import java.security.GeneralSecurityException;
import java.security.KeyStoreException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Arrays;

/**
 * A key pair that was made in software, as PKCS #11 attributes hold it, on its way to a token. Closing
 * wipes the copy that is here; Java's own key object keeps its own, which cannot be wiped.
 */
final class SoftwareKey implements AutoCloseable {
  private final PublicKeyParts publicHalf;
  private final byte[][] privateHalf;

  private SoftwareKey(PublicKeyParts publicHalf, byte[][] privateHalf) {
    this.publicHalf = publicHalf;
    this.privateHalf = privateHalf;
  }

  /** Takes a key apart that this public key, that of its certificate, must fit. */
  static SoftwareKey of(PrivateKey key, PublicKey certified) throws KeyStoreException {
    PublicKeyParts publicHalf = PublicKeyParts.of(certified);
    byte[][] privateHalf = publicHalf == null ? null : privateHalf(key);
    if (privateHalf == null) {
      throw new KeyStoreException(
          "a key of "
              + key.getAlgorithm()
              + " in the form "
              + key.getFormat()
              + " cannot be imported; RSA, EC keys on named curves and Ed25519 keys with an encoding"
              + " can");
    }
    SoftwareKey software = new SoftwareKey(publicHalf, privateHalf);
    if (!fits(key, certified)) {
      software.close();
      throw new KeyStoreException("the certificate is of another key than the private key");
    }
    return software;
  }

  PublicKeyParts publicHalf() {
    return publicHalf;
  }

  /** In the order of the core's {@code SoftwareKey}. */
  byte[][] privateHalf() {
    return privateHalf;
  }

  @Override
  public void close() {
    for (byte[] part : privateHalf) {
      Arrays.fill(part, (byte) 0);
    }
  }

  /** Null for a key that shows no private half. */
  private static byte[][] privateHalf(PrivateKey key) {
    if (key instanceof RSAPrivateCrtKey) {
      RSAPrivateCrtKey rsa = (RSAPrivateCrtKey) key;
      return new byte[][] {
        PublicKeyParts.unsigned(rsa.getPrivateExponent()),
        PublicKeyParts.unsigned(rsa.getPrimeP()),
        PublicKeyParts.unsigned(rsa.getPrimeQ()),
        PublicKeyParts.unsigned(rsa.getPrimeExponentP()),
        PublicKeyParts.unsigned(rsa.getPrimeExponentQ()),
        PublicKeyParts.unsigned(rsa.getCrtCoefficient())
      };
    }
    if (key instanceof ECPrivateKey) {
      return new byte[][] {PublicKeyParts.unsigned(((ECPrivateKey) key).getS())};
    }
    byte[] encoded = key.getEncoded();
    byte[] value = EdwardsCurve.privateValue(encoded);
    if (encoded != null) {
      Arrays.fill(encoded, (byte) 0);
    }
    return value == null ? null : new byte[][] {value};
  }

  /** Asked of software, before the token is: what the one signs the other verifies. */
  private static boolean fits(PrivateKey key, PublicKey certified) {
    try {
      Signature signature = Signature.getInstance(signatureAlgorithm(certified));
      signature.initSign(key);
      signature.update((byte) 1);
      byte[] value = signature.sign();
      signature.initVerify(certified);
      signature.update((byte) 1);
      return signature.verify(value);
    } catch (GeneralSecurityException e) {
      return false; // the algorithms differ, or the sizes
    }
  }

  private static String signatureAlgorithm(PublicKey key) {
    if (key instanceof RSAPublicKey) {
      return "SHA256withRSA"; // also where the certificate says RSASSA-PSS
    }
    return key instanceof ECPublicKey ? "SHA256withECDSA" : "EdDSA";
  }
}
