package org.keystay.jca;

import java.io.NotSerializableException;
import java.io.ObjectOutputStream;

/** What all private keys have in common: no encoding, no format, no way out of the process. */
abstract class AbstractOpaqueKey implements OpaqueKey {
  private static final long serialVersionUID = 1L;

  private final transient NativeEntry entry;
  private final String algorithm;

  AbstractOpaqueKey(NativeEntry entry, String algorithm) {
    this.entry = entry;
    this.algorithm = algorithm;
  }

  @Override
  public final NativeEntry entry() {
    return entry;
  }

  @Override
  public final String getAlgorithm() {
    return algorithm;
  }

  /** Null: servers that find a format copy the key into a store of their own, and fail. */
  @Override
  public final String getFormat() {
    return null;
  }

  @Override
  public final byte[] getEncoded() {
    return null;
  }

  /** Two objects are equal if they name the same key of the same token. */
  @Override
  public final boolean equals(Object other) {
    return other instanceof OpaqueKey && ((OpaqueKey) other).nativeKey().equals(nativeKey());
  }

  @Override
  public final int hashCode() {
    return nativeKey().hashCode();
  }

  @Override
  public final String toString() {
    return "Keystay " + algorithm + " private key of alias \"" + entry.alias() + "\" (on its token)";
  }

  private void writeObject(ObjectOutputStream out) throws NotSerializableException {
    throw new NotSerializableException("a private key of Keystay stays on its token");
  }
}
