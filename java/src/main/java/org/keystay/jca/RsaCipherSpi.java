package org.keystay.jca;

import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.InvalidKeyException;
import java.security.Key;
import java.security.NoSuchAlgorithmException;
import java.security.ProviderException;
import java.security.SecureRandom;
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
import javax.crypto.ShortBufferException;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * RSA decryption on the token: RSAES-PKCS1-v1_5 and RSAES-OAEP (RFC 8017, section 7). What needs a public
 * key, or a key that is not ours, is left to the next provider.
 *
 * <p>States are those of the JDK's own cipher: a ciphertext that is too long fails at {@code doFinal}, and
 * goes on to fail until the next initialisation; one that is too short is a number like any other; an output
 * array that is too short changes nothing. Nothing that a peer can send is an unchecked exception.
 */
final class RsaCipherSpi extends CipherSpi {
  private String mode = "ECB";

  /** The padding that the transformation names. */
  private RsaPadding named = RsaPadding.pkcs1();

  /** The same with the parameters of the initialisation. */
  private RsaPadding padding = named;

  /** The key that decrypts; null unless initialised with one of ours. */
  private OpaqueKey key;

  private BoundedBuffer input;

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
    named = RsaPadding.byName(name);
    padding = named;
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
    if (!(newKey instanceof OpaqueKey)) {
      next = nextProvider(operation, newKey, parameters, random);
      key = null;
      return;
    }
    if (!KeyType.RSA.isTypeOf(newKey)) {
      throw new InvalidKeyException("RSA needs a key of RSA, got " + newKey);
    }
    if (operation != Cipher.DECRYPT_MODE && operation != Cipher.UNWRAP_MODE) {
      throw new InvalidKeyException("a private key decrypts and unwraps only; use the public key");
    }
    padding = named.with(parameters);
    key = (OpaqueKey) newKey;
    next = null;
    input = new BoundedBuffer(blockSize());
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
    String transformation = "RSA/" + mode + "/" + named.name();
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
    input.add(bytes, offset, length);
    return new byte[0];
  }

  @Override
  protected int engineUpdate(byte[] bytes, int offset, int length, byte[] output, int outputOffset)
      throws ShortBufferException {
    if (next != null) {
      return next.update(bytes, offset, length, output, outputOffset);
    }
    return engineUpdate(bytes, offset, length).length;
  }

  @Override
  protected byte[] engineDoFinal(byte[] bytes, int offset, int length)
      throws IllegalBlockSizeException, BadPaddingException {
    if (next != null) {
      return bytes == null ? next.doFinal() : next.doFinal(bytes, offset, length);
    }
    if (length > 0) {
      input.add(bytes, offset, length);
    }
    if (input.isExceeded()) {
      throw new IllegalBlockSizeException(
          "the ciphertext is longer than " + input.limit() + " bytes; initialise the cipher again");
    }
    return decrypt(input.take());
  }

  @Override
  protected int engineDoFinal(byte[] bytes, int offset, int length, byte[] output, int outputOffset)
      throws ShortBufferException, IllegalBlockSizeException, BadPaddingException {
    if (next != null) {
      return bytes == null
          ? next.doFinal(output, outputOffset)
          : next.doFinal(bytes, offset, length, output, outputOffset);
    }
    if (output.length - outputOffset < blockSize()) {
      throw new ShortBufferException("the output needs room for " + blockSize() + " bytes");
    }
    byte[] result = engineDoFinal(bytes, offset, length);
    System.arraycopy(result, 0, output, outputOffset, result.length);
    Arrays.fill(result, (byte) 0);
    return result.length;
  }

  /** A ciphertext is a number: octets that are missing in front are zeros. */
  private byte[] decrypt(byte[] ciphertext) throws BadPaddingException {
    byte[] block = new byte[blockSize()];
    System.arraycopy(ciphertext, 0, block, block.length - ciphertext.length, ciphertext.length);
    try {
      return padding.decrypt(key.nativeKey(), block);
    } catch (KeystayException e) {
      // One error for all faults of the padding: a distinction would be an oracle.
      if (e.kind() == KeystayException.Kind.CLIENT && !e.isRefusal()) {
        throw new BadPaddingException("decryption failed");
      }
      throw new ProviderException(e.getMessage(), e);
    }
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
    if (wrapped.length > blockSize()) {
      throw new InvalidKeyException("the wrapped key is longer than " + blockSize() + " bytes");
    }
    byte[] encoded;
    try {
      encoded = engineDoFinal(wrapped, 0, wrapped.length);
    } catch (BadPaddingException | IllegalBlockSizeException e) {
      throw new InvalidKeyException("unwrapping failed", e);
    }
    try {
      return decoded(encoded, algorithm, type);
    } catch (NoSuchAlgorithmException e) {
      throw e;
    } catch (GeneralSecurityException | IllegalArgumentException e) { // an empty secret key
      throw new InvalidKeyException("what was unwrapped is no key of " + algorithm, e);
    } finally {
      Arrays.fill(encoded, (byte) 0);
    }
  }

  private static Key decoded(byte[] encoded, String algorithm, int type)
      throws GeneralSecurityException {
    switch (type) {
      case Cipher.SECRET_KEY:
        return new SecretKeySpec(encoded, algorithm);
      case Cipher.PRIVATE_KEY:
        return JdkService.keyFactory(algorithm).generatePrivate(new PKCS8EncodedKeySpec(encoded));
      default:
        return JdkService.keyFactory(algorithm).generatePublic(new X509EncodedKeySpec(encoded));
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
  protected int engineGetKeySize(Key sized) throws InvalidKeyException {
    if (!(sized instanceof RSAKey)) {
      throw new InvalidKeyException("RSA needs a key of RSA, got " + sized);
    }
    return ((RSAKey) sized).getModulus().bitLength();
  }

  /** k of RFC 8017: the octets of the modulus. */
  private int blockSize() {
    return (((RSAKey) key).getModulus().bitLength() + Byte.SIZE - 1) / Byte.SIZE;
  }
}
