package org.keystay.jca;

import java.lang.ref.Cleaner;
import java.util.function.LongConsumer;

/**
 * A C++ object that Java owns: it is freed some time after nothing in Java refers to this one any more. A native
 * method that uses it is an instance method, or its caller keeps this one reachable ({@link
 * java.lang.ref.Reference#reachabilityFence}), since the address alone does not.
 */
abstract class NativeObject {
  private static final Cleaner CLEANER = Cleaner.create();

  private final long address;

  /**
   * @param address of an object that nothing else frees
   * @param free must not refer to this object
   */
  NativeObject(long address, LongConsumer free) {
    this.address = address;
    CLEANER.register(this, () -> free.accept(address));
  }

  final long address() {
    return address;
  }

  @Override
  public final boolean equals(Object other) {
    return other instanceof NativeObject && ((NativeObject) other).address == address;
  }

  @Override
  public final int hashCode() {
    return Long.hashCode(address);
  }
}
