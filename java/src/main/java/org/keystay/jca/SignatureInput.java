package org.keystay.jca;

import java.io.ByteArrayOutputStream;
import java.security.MessageDigest;
import java.security.SignatureException;

/** Collects what a signature is made over, until one call to the token signs it. */
interface SignatureInput {
  void update(byte[] bytes, int offset, int length) throws SignatureException;

  /** Gives what was collected, and begins anew. */
  byte[] finish();

  void reset();

  /** Hashes: the token sees the digest only. */
  static SignatureInput hashed(Hash hash) {
    MessageDigest digest = hash.newDigest();
    return new SignatureInput() {
      @Override
      public void update(byte[] bytes, int offset, int length) {
        digest.update(bytes, offset, length);
      }

      @Override
      public byte[] finish() {
        return digest.digest();
      }

      @Override
      public void reset() {
        digest.reset();
      }
    };
  }

  /** Keeps the message itself, at most {@code limit} bytes of it. */
  static SignatureInput whole(int limit) {
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    return new SignatureInput() {
      @Override
      public void update(byte[] bytes, int offset, int length) throws SignatureException {
        if (length > limit - message.size()) {
          throw new SignatureException("the data is longer than " + limit + " bytes");
        }
        message.write(bytes, offset, length);
      }

      @Override
      public byte[] finish() {
        byte[] result = message.toByteArray();
        message.reset();
        return result;
      }

      @Override
      public void reset() {
        message.reset();
      }
    };
  }
}
