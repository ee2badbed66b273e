package org.keystay.jca;

import java.lang.StackWalker.StackFrame;
import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A service of the provider, made by a constructor reference instead of by reflection. */
class KeystayService extends Provider.Service {
  /** Makes an SPI object. */
  interface Factory {
    Object create();
  }

  private final Factory factory;

  KeystayService(
      Provider provider,
      String type,
      String algorithm,
      Class<?> implementation,
      List<String> aliases,
      Factory factory) {
    this(provider, type, algorithm, implementation, aliases, Map.of(), factory);
  }

  KeystayService(
      Provider provider,
      String type,
      String algorithm,
      Class<?> implementation,
      List<String> aliases,
      Map<String, String> attributes,
      Factory factory) {
    super(provider, type, algorithm, implementation.getName(), aliases, attributes);
    this.factory = factory;
  }

  @Override
  public Object newInstance(Object constructorParameter) throws NoSuchAlgorithmException {
    return factory.create();
  }

  /**
   * Whether this call of an engine class names the provider: its two-argument getInstance does, the
   * one-argument one searches the list. Those who ask without the engine class name it anyway.
   */
  static boolean isRequestedByName(Class<?> engine) {
    Optional<StackFrame> request =
        StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE)
            .walk(
                frames ->
                    frames.filter(f -> engine.isAssignableFrom(f.getDeclaringClass())).findFirst());
    return request.isEmpty()
        || (request.get().getMethodName().equals("getInstance")
            && request.get().getMethodType().parameterCount() == 2);
  }

  /** A service that takes a key of Keystay and no other, wherever it is in the provider list. */
  static final class ForKeys extends KeystayService {
    private final KeyType keyType;

    ForKeys(
        Provider provider,
        String type,
        String algorithm,
        KeyType keyType,
        Class<?> implementation,
        List<String> aliases,
        Factory factory) {
      super(provider, type, algorithm, implementation, aliases, factory);
      this.keyType = keyType;
    }

    @Override
    public boolean supportsParameter(Object parameter) {
      return keyType.isTypeOf(parameter);
    }
  }
}
