package org.keystay.jca;

import java.security.MessageDigest;
import java.security.SignatureException;

/**
 * Collects what a signature is made over, until one call to the token signs it. A new one is made for each
 * initialisation, so that nothing is left over from the one before.
 */
interface SignatureInput {
  void update(byte[] bytes, int offset, int length) throws SignatureException;

  /** Whether something was added since the last {@link #finish}, even if it was empty. */
  boolean isStarted();

  /** Gives what was collected, and begins anew; after too much data it fails, and goes on to fail. */
  byte[] finish() throws SignatureException;

  /** Hashes: the token sees the digest only. */
  static SignatureInput hashed(Hash hash) {
    MessageDigest digest = hash.newDigest();
    return new SignatureInput() {
      private boolean started;

      @Override
      public void update(byte[] bytes, int offset, int length) {
        started = true;
        digest.update(bytes, offset, length);
      }

      @Override
      public boolean isStarted() {
        return started;
      }

      @Override
      public byte[] finish() {
        started = false;
        return digest.digest();
      }
    };
  }

  /** Keeps the message itself, at most {@code limit} bytes of it. */
  static SignatureInput whole(int limit) {
    BoundedBuffer message = new BoundedBuffer(limit);
    return new SignatureInput() {
      private boolean started;

      @Override
      public void update(byte[] bytes, int offset, int length) {
        started = true;
        message.add(bytes, offset, length);
      }

      @Override
      public boolean isStarted() {
        return started;
      }

      @Override
      public byte[] finish() throws SignatureException {
        if (message.isExceeded()) {
          throw new SignatureException(
              "the data is longer than " + limit + " bytes; initialise the signature again");
        }
        started = false;
        return message.take();
      }
    };
  }

  /** For a key whose parameters are still missing: takes nothing, and says so. */
  static SignatureInput refused(String reason) {
    return new SignatureInput() {
      @Override
      public void update(byte[] bytes, int offset, int length) throws SignatureException {
        throw new SignatureException(reason);
      }

      @Override
      public boolean isStarted() {
        return false;
      }

      @Override
      public byte[] finish() throws SignatureException {
        throw new SignatureException(reason);
      }
    };
  }
}
