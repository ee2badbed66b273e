package org.keystay.jca;

/** What key to generate, in keytool's words: -keyalg and -keysize or -groupname. */
final class KeySpec {
  private final String algorithm;
  private final int size;
  private final String groupName;

  private KeySpec(String algorithm, int size, String groupName) {
    this.algorithm = algorithm;
    this.size = size;
    this.groupName = groupName;
  }

  /** The algorithm with its default size or curve. */
  static KeySpec of(String algorithm) {
    return new KeySpec(algorithm, 0, "");
  }

  /** The algorithm with a size in bits. */
  static KeySpec ofSize(String algorithm, int size) {
    return new KeySpec(algorithm, size, "");
  }

  /** The algorithm with a named curve. */
  static KeySpec ofGroup(String algorithm, String groupName) {
    return new KeySpec(algorithm, 0, groupName);
  }

  String algorithm() {
    return algorithm;
  }

  /** In bits; 0 means the default. */
  int size() {
    return size;
  }

  /** Empty means the default. */
  String groupName() {
    return groupName;
  }
}
