package org.keystay.jca;

import java.io.ByteArrayOutputStream;

/**
 * Bytes up to a limit. One too many is remembered until the buffer is made anew, and what was collected is
 * dropped: nothing that a caller added later may be taken for the whole.
 */
final class BoundedBuffer {
  private final int limit;
  private ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  /** Makes an empty buffer for at most {@code limit} bytes. */
  BoundedBuffer(int limit) {
    this.limit = limit;
  }

  /** Adds bytes; more than the limit is no error yet, but {@link #isExceeded} from now on. */
  void add(byte[] added, int offset, int length) {
    if (isExceeded()) {
      return;
    }
    if (length > limit - bytes.size()) {
      bytes = null;
    } else {
      bytes.write(added, offset, length);
    }
  }

  boolean isExceeded() {
    return bytes == null;
  }

  int limit() {
    return limit;
  }

  /** What was added, unless that was too much; the buffer is empty then. */
  byte[] take() {
    byte[] taken = bytes.toByteArray();
    bytes.reset();
    return taken;
  }
}
