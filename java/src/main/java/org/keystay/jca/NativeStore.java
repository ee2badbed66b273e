package org.keystay.jca;

import java.nio.ByteBuffer;
import java.lang.ref.Reference;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.Arrays;

/**
 * The aliases of one token, as far as a key store file shows them, by the rules that the native core keeps for
 * all its users. Each is one loaded key store; those of one token share its login, sessions and PIN.
 */
final class NativeStore extends NativeObject {
  private NativeStore(long address) {
    super(address, NativeStore::close);
  }

  /**
   * Finds the token; its module is not touched yet.
   *
   * @param configuration the path of keystay.toml; null for KEYSTAY_CONF or the default path
   * @param token a name in the configuration, or a {@code pkcs11:} URI, where the file names none; null for the
   *     default token
   * @param file the content of a key store file; null for all aliases of the token
   */
  static NativeStore open(String configuration, String token, byte[] file) throws KeystayException {
    requireLibrary();
    byte[] name = utf8(token); // a URI may hold a PIN
    try {
      return new NativeStore(open(utf8(configuration), name, file));
    } finally {
      if (name != null) {
        Arrays.fill(name, (byte) 0);
      }
    }
  }

  /** As {@link NativeLibrary#require}, for callers that must tell their own callers what failed. */
  static void requireLibrary() throws KeystayException {
    try {
      NativeLibrary.require();
    } catch (UnsatisfiedLinkError e) {
      throw new KeystayException(e.getMessage(), KeystayException.Kind.HOST, e);
    }
  }

  /** What a key store file says to mean this token: its name in keystay.toml, or a URI. */
  String reference() {
    return new String(reference(address()), StandardCharsets.UTF_8);
  }

  /** The key store file as it is now: what was read, byte for byte, unless its list of aliases changed. */
  byte[] file() {
    return file(address());
  }

  /** Whether the token wants a PIN that was not given yet and that no configured source holds. */
  boolean isLocked() throws KeystayException {
    return isLocked(address());
  }

  /** Before a login that cannot succeed is tried. */
  void requireUnlocked() throws KeystayException {
    if (isLocked()) {
      throw new KeystayException(
          "token \"" + reference() + "\" wants its PIN: give it as the password of the key store, or"
              + " say where it is with pin = \"file:/path\" in keystay.toml",
          KeystayException.Kind.AUTHENTICATION);
    }
  }

  /**
   * Logs in with this PIN, or compares it with the one that is known. It is tried at most once.
   *
   * @param pin is not changed, and not kept by Java
   */
  void unlock(char[] pin) throws KeystayException {
    byte[] bytes = utf8(pin);
    try {
      unlock(address(), bytes);
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  /** All aliases that the file shows: a few searches and one batched read per object. */
  NativeListing list() throws KeystayException {
    return list(address());
  }

  /**
   * What a name means on the token now, by the rules of the core: null if there is nothing that the file
   * shows. A label that is written exactly reads only its own objects.
   */
  NativeNamed resolve(String name) throws KeystayException {
    return resolve(address(), utf8(name));
  }

  /** Random bytes of the token. */
  byte[] random(int length) throws KeystayException {
    return random(address(), length);
  }

  /**
   * Generates a key pair on the token. It is unfinished, and listed as nothing, until {@link #setKey} gives
   * it an alias or {@link #withdraw} destroys it.
   */
  NativeEntry generate(KeySpec spec) throws KeystayException {
    return generate(
        address(),
        utf8(spec.algorithm()),
        spec.size(),
        utf8(spec.groupName()),
        KeyUse.configured().code());
  }

  /** Whether keystay.toml lets keys that were made elsewhere come to the token. */
  boolean takesKeys() throws KeystayException {
    return takesKeys(address());
  }

  /** Brings a key pair to the token that was made in software; it is unfinished as a generated one. */
  NativeEntry importKey(SoftwareKey key) throws KeystayException {
    PublicKeyParts publicHalf = key.publicHalf();
    return importKey(
        address(),
        publicHalf.type(),
        new byte[][] {publicHalf.first(), publicHalf.second()},
        key.privateHalf(),
        KeyUse.configured().code());
  }

  /**
   * What {@link java.security.KeyStore#setKeyEntry} asks for: an unfinished key gets the alias, a key that has
   * it another chain, any other key the alias instead of its own.
   *
   * @param chain leaf first; empty to leave the one that the key has
   */
  NativeEntry setKey(String alias, NativeKey key, X509Certificate[] chain) throws KeystayException {
    byte[][] encoded = new byte[chain.length][];
    for (int i = 0; i < chain.length; i++) {
      encoded[i] = encoded(chain[i]);
    }
    try {
      return setKey(address(), key.address(), utf8(alias), encoded);
    } finally {
      Reference.reachabilityFence(key);
    }
  }

  /** Destroys an unfinished key, and its certificates. */
  void withdraw(NativeKey key) throws KeystayException {
    try {
      withdraw(address(), key.address());
    } finally {
      Reference.reachabilityFence(key);
    }
  }

  /** Stores a certificate that belongs to no key, unless the alias is this one already. */
  void setCertificate(String alias, X509Certificate certificate) throws KeystayException {
    setCertificate(address(), utf8(alias), encoded(certificate));
  }

  /**
   * Destroys what has this alias, or takes it off the list, as the file wants it; not what is no more as it was
   * read, or is one of several. Ends a deletion that was interrupted.
   *
   * @param key that was read under this alias; null for what is no key that can be used
   */
  void remove(String alias, NativeKey key) throws KeystayException {
    try {
      remove(address(), key == null ? 0 : key.address(), utf8(alias));
    } finally {
      Reference.reachabilityFence(key);
    }
  }

  private static byte[] encoded(X509Certificate certificate) throws KeystayException {
    try {
      return certificate.getEncoded();
    } catch (CertificateEncodingException e) {
      throw new KeystayException(
          "the certificate of " + certificate.getSubjectX500Principal() + " has no encoding",
          KeystayException.Kind.CLIENT);
    }
  }

  private static byte[] utf8(String text) {
    return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
  }

  /** Reports what is no text: an encoder that put a "?" there would spend an attempt of the token. */
  private static byte[] utf8(char[] pin) throws KeystayException {
    ByteBuffer encoded;
    try {
      encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(pin));
    } catch (CharacterCodingException e) {
      throw new KeystayException(
          "C_Login is not tried: the password of the key store has half a surrogate pair, which is no"
              + " character",
          KeystayException.Kind.AUTHENTICATION);
    }
    byte[] bytes = new byte[encoded.remaining()];
    encoded.get(bytes);
    Arrays.fill(encoded.array(), (byte) 0);
    return bytes;
  }

  private static native long open(byte[] configuration, byte[] token, byte[] file)
      throws KeystayException;

  private static native void close(long store);

  private native byte[] reference(long store);

  private native byte[] file(long store);

  private native boolean isLocked(long store) throws KeystayException;

  private native void unlock(long store, byte[] pin) throws KeystayException;

  private native NativeListing list(long store) throws KeystayException;

  private native NativeNamed resolve(long store, byte[] name) throws KeystayException;

  private native byte[] random(long store, int length) throws KeystayException;

  private native NativeEntry generate(
      long store, byte[] algorithm, int size, byte[] groupName, int use) throws KeystayException;

  private native boolean takesKeys(long store) throws KeystayException;

  private native NativeEntry importKey(
      long store, int type, byte[][] publicHalf, byte[][] privateHalf, int use)
      throws KeystayException;

  private native NativeEntry setKey(long store, long key, byte[] alias, byte[][] chain)
      throws KeystayException;

  private native void withdraw(long store, long key) throws KeystayException;

  private native void setCertificate(long store, byte[] alias, byte[] certificate)
      throws KeystayException;

  private native void remove(long store, long key, byte[] alias) throws KeystayException;
}
