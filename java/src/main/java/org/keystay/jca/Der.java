package org.keystay.jca;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;

/** Writes the few DER values (ITU-T X.690) that Keystay puts together itself. It reads none. */
final class Der {
  private static final int INTEGER = 0x02;
  private static final int BIT_STRING = 0x03;
  private static final int UTF8_STRING = 0x0c;
  private static final int GENERALIZED_TIME = 0x18;
  private static final int SEQUENCE = 0x30;
  private static final int SET = 0x31;
  private static final int CONTEXT_CONSTRUCTED = 0xa0;

  private Der() {}

  static byte[] integer(BigInteger value) {
    return value(INTEGER, value.toByteArray());
  }

  static byte[] bitString(byte[] bytes) {
    return value(BIT_STRING, concatenate(new byte[] {0}, bytes));
  }

  static byte[] utf8String(String text) {
    return value(UTF8_STRING, text.getBytes(StandardCharsets.UTF_8));
  }

  /** "19700101000000Z". */
  static byte[] generalizedTime(String time) {
    return value(GENERALIZED_TIME, time.getBytes(StandardCharsets.US_ASCII));
  }

  static byte[] sequence(byte[]... elements) {
    return value(SEQUENCE, concatenate(elements));
  }

  static byte[] set(byte[] element) {
    return value(SET, element);
  }

  /** [number] EXPLICIT. */
  static byte[] explicit(int number, byte[] element) {
    return value(CONTEXT_CONSTRUCTED | number, element);
  }

  static byte[] concatenate(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.write(part, 0, part.length);
    }
    return out.toByteArray();
  }

  /** A constant of this source, written in hexadecimal. */
  static byte[] fromHex(String text) {
    byte[] bytes = new byte[text.length() / 2];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) Integer.parseInt(text.substring(2 * i, 2 * i + 2), 16);
    }
    return bytes;
  }

  private static byte[] value(int tag, byte[] content) {
    return concatenate(new byte[] {(byte) tag}, length(content.length), content);
  }

  /** X.690, sections 8.1.3.4 and 8.1.3.5. */
  private static byte[] length(int length) {
    if (length < 0x80) {
      return new byte[] {(byte) length};
    }
    byte[] digits = BigInteger.valueOf(length).toByteArray();
    int zeros = digits[0] == 0 ? 1 : 0;
    byte[] result = new byte[1 + digits.length - zeros];
    result[0] = (byte) (0x80 | (digits.length - zeros));
    System.arraycopy(digits, zeros, result, 1, digits.length - zeros);
    return result;
  }
}
