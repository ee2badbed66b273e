package org.keystay.jca;

import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.InvalidKeyException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;
import java.security.ProviderException;
import java.security.SecureRandom;
import java.security.SignatureException;
import java.security.interfaces.RSAKey;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.InvalidParameterSpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import javax.crypto.BadPaddingException;
import javax.crypto.Cipher;
import javax.crypto.CipherSpi;
import javax.crypto.IllegalBlockSizeException;
import javax.crypto.NoSuchPaddingException;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * RSA decryption on the token: RSAES-PKCS1-v1_5 and RSAES-OAEP (RFC 8017, section 7). What needs a public
 * key, or a key that is not ours, is left to the next provider.
 */
final class RsaCipherSpi extends CipherSpi {
  private String mode = "ECB";
  private RsaPadding padding = RsaPadding.pkcs1();

  /** The key that decrypts; null unless initialised with one of ours. */
  private OpaqueKey key;

  private SignatureInput input;

  /** The next provider's cipher; null unless initialised for it. */
  private Cipher next;

  @Override
  protected void engineSetMode(String name) throws NoSuchAlgorithmException {
    if (!name.equalsIgnoreCase("ECB") && !name.equalsIgnoreCase("NONE")) {
      throw new NoSuchAlgorithmException("RSA has the mode ECB only, not " + name);
    }
    mode = name;
  }

  @Override
  protected void engineSetPadding(String name) throws NoSuchPaddingException {
    padding = RsaPadding.byName(name);
  }

  @Override
  protected void engineInit(int operation, Key newKey, SecureRandom random)
      throws InvalidKeyException {
    try {
      engineInit(operation, newKey, (AlgorithmParameterSpec) null, random);
    } catch (InvalidAlgorithmParameterException e) {
      throw new InvalidKeyException(e.getMessage(), e); // not thrown without parameters
    }
  }

  @Override
  protected void engineInit(
      int operation, Key newKey, AlgorithmParameterSpec parameters, SecureRandom random)
      throws InvalidKeyException, InvalidAlgorithmParameterException {
    key = null;
    next = null;
    if (!(newKey instanceof OpaqueKey)) {
      next = nextProvider(operation, newKey, parameters, random);
      return;
    }
    if (!(newKey instanceof RSAKey)) {
      throw new InvalidKeyException("RSA needs a key of RSA, got " + newKey);
    }
    if (operation != Cipher.DECRYPT_MODE && operation != Cipher.UNWRAP_MODE) {
      throw new InvalidKeyException("a private key decrypts and unwraps only; use the public key");
    }
    padding = padding.with(parameters);
    key = (OpaqueKey) newKey;
    input = SignatureInput.whole(blockSize());
  }

  @Override
  protected void engineInit(
      int operation, Key newKey, AlgorithmParameters parameters, SecureRandom random)
      throws InvalidKeyException, InvalidAlgorithmParameterException {
    try {
      engineInit(
          operation,
          newKey,
          parameters == null ? null : parameters.getParameterSpec(OAEPParameterSpec.class),
          random);
    } catch (InvalidParameterSpecException e) {
      throw new InvalidAlgorithmParameterException("RSA takes OAEPParameterSpec only", e);
    }
  }

  private Cipher nextProvider(
      int operation, Key newKey, AlgorithmParameterSpec parameters, SecureRandom random)
      throws InvalidKeyException {
    String transformation = "RSA/" + mode + "/" + padding.name();
    return NextProvider.find(
        "Cipher",
        "RSA",
        provider -> {
          Cipher cipher = Cipher.getInstance(transformation, provider);
          if (parameters == null) {
            cipher.init(operation, newKey, random);
          } else {
            cipher.init(operation, newKey, parameters, random);
          }
          return cipher;
        });
  }

  @Override
  protected byte[] engineUpdate(byte[] bytes, int offset, int length) {
    if (next != null) {
      return next.update(bytes, offset, length);
    }
    try {
      input.update(bytes, offset, length);
      return new byte[0];
    } catch (SignatureException e) {
      input.reset(); // what comes next is another ciphertext
      throw new ProviderException("RSA decrypts one block: " + e.getMessage(), e);
    }
  }

  @Override
  protected int engineUpdate(byte[] bytes, int offset, int length, byte[] output, int outputOffset) {
    byte[] result = engineUpdate(bytes, offset, length);
    System.arraycopy(result, 0, output, outputOffset, result.length);
    return result.length;
  }

  @Override
  protected byte[] engineDoFinal(byte[] bytes, int offset, int length)
      throws IllegalBlockSizeException, BadPaddingException {
    if (next != null) {
      return next.doFinal(bytes == null ? new byte[0] : bytes, offset, length);
    }
    if (length > 0) {
      engineUpdate(bytes, offset, length);
    }
    byte[] ciphertext = input.finish();
    if (ciphertext.length != blockSize()) {
      throw new IllegalBlockSizeException(
          "the ciphertext has " + ciphertext.length + " bytes, expected " + blockSize());
    }
    try {
      return padding.decrypt(key.nativeKey(), ciphertext);
    } catch (KeystayException e) {
      // Which kind of wrong a plaintext is, is nobody's business: it would be an oracle.
      if (e.kind() == KeystayException.Kind.CLIENT && !e.isRefusal()) {
        throw new BadPaddingException("decryption failed");
      }
      throw new ProviderException(e.getMessage(), e);
    }
  }

  @Override
  protected int engineDoFinal(byte[] bytes, int offset, int length, byte[] output, int outputOffset)
      throws IllegalBlockSizeException, BadPaddingException {
    byte[] result = engineDoFinal(bytes, offset, length);
    System.arraycopy(result, 0, output, outputOffset, result.length);
    Arrays.fill(result, (byte) 0);
    return result.length;
  }

  @Override
  protected byte[] engineWrap(Key wrapped) throws IllegalBlockSizeException, InvalidKeyException {
    if (next == null) {
      throw new InvalidKeyException("a private key unwraps only");
    }
    return next.wrap(wrapped);
  }

  @Override
  protected Key engineUnwrap(byte[] wrapped, String algorithm, int type)
      throws InvalidKeyException, NoSuchAlgorithmException {
    if (next != null) {
      return next.unwrap(wrapped, algorithm, type);
    }
    try {
      byte[] encoded = engineDoFinal(wrapped, 0, wrapped.length);
      try {
        return decoded(encoded, algorithm, type);
      } finally {
        Arrays.fill(encoded, (byte) 0);
      }
    } catch (BadPaddingException | IllegalBlockSizeException e) {
      throw new InvalidKeyException("unwrapping failed", e);
    } catch (NoSuchAlgorithmException e) {
      throw e;
    } catch (GeneralSecurityException e) {
      throw new InvalidKeyException("what was unwrapped is no key of " + algorithm, e);
    }
  }

  private static Key decoded(byte[] encoded, String algorithm, int type)
      throws GeneralSecurityException {
    switch (type) {
      case Cipher.SECRET_KEY:
        return new SecretKeySpec(encoded, algorithm);
      case Cipher.PRIVATE_KEY:
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(encoded));
      default:
        return KeyFactory.getInstance(algorithm).generatePublic(new X509EncodedKeySpec(encoded));
    }
  }

  @Override
  protected int engineGetBlockSize() {
    return 0; // RSA is no block cipher to the JCA
  }

  @Override
  protected int engineGetOutputSize(int length) {
    return next != null ? next.getOutputSize(length) : blockSize();
  }

  @Override
  protected byte[] engineGetIV() {
    return null;
  }

  @Override
  protected AlgorithmParameters engineGetParameters() {
    return next != null ? next.getParameters() : padding.parameters();
  }

  @Override
  protected int engineGetKeySize(Key sized) {
    return ((RSAKey) sized).getModulus().bitLength();
  }

  /** k of RFC 8017: the octets of the modulus. */
  private int blockSize() {
    return (engineGetKeySize(key) + Byte.SIZE - 1) / Byte.SIZE;
  }
}
