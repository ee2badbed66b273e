package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.security.KeyPair;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Null where a value must be is a NullPointerException at every time, and never the end of the JVM. */
final class NullValuesTest {
  /** What a program does with an alias. */
  private interface Call {
    void on(KeyStore keyStore) throws Exception;
  }

  private static Arguments named(String name, Call call) {
    return Arguments.of(name, call);
  }

  static Stream<Arguments> callsWithANullAlias() throws Exception {
    KeyPair pair = TestToken.generate("EC", "secp256r1");
    X509Certificate certificate = TestToken.selfSigned("null", pair);
    Certificate[] chain = {certificate};
    return Stream.of(
        named("containsAlias", view -> view.containsAlias(null)),
        named("deleteEntry", view -> view.deleteEntry(null)),
        named("entryInstanceOf", view -> view.entryInstanceOf(null, KeyStore.PrivateKeyEntry.class)),
        named("getCertificate", view -> view.getCertificate(null)),
        named("getCertificateChain", view -> view.getCertificateChain(null)),
        named("getCreationDate", view -> view.getCreationDate(null)),
        named("getEntry", view -> view.getEntry(null, null)),
        named("getKey", view -> view.getKey(null, null)),
        named("isCertificateEntry", view -> view.isCertificateEntry(null)),
        named("isKeyEntry", view -> view.isKeyEntry(null)),
        named("setCertificateEntry", view -> view.setCertificateEntry(null, certificate)),
        named("setEntry", view -> view.setEntry(null, new KeyStore.TrustedCertificateEntry(certificate), null)),
        named("setKeyEntry", view -> view.setKeyEntry(null, pair.getPrivate(), null, chain)),
        named("setKeyEntry of bytes", view -> view.setKeyEntry(null, new byte[1], chain)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("callsWithANullAlias")
  void aNullAliasIsRefusedBeforeAndAfterADeletion(String name, Call call) throws Exception {
    KeyStore view = TestToken.load();
    assertThrows(NullPointerException.class, () -> call.on(view));
    int size = view.size();
    view.deleteEntry("is-nowhere");
    assertThrows(NullPointerException.class, () -> call.on(view));
    assertEquals(size, TestToken.load().size());
  }

  @Test
  void aNullAliasIsRefusedAfterAnotherNameWasFound() throws Exception {
    KeyStore view = TestToken.load();
    String alias = TestToken.newAlias(view, "EC", "secp256r1");
    view.getKey(alias.toUpperCase(java.util.Locale.ROOT), null);
    assertThrows(NullPointerException.class, () -> view.containsAlias(null));
  }

  /** The native methods that read an array, one parameter of each at a time: null, or with null in it. */
  static Stream<Arguments> nativeParameters() {
    List<Arguments> result = new ArrayList<>();
    for (Class<?> type : List.of(NativeStore.class, NativeKey.class)) {
      for (Method method : type.getDeclaredMethods()) {
        // A store may be opened without a configuration, and without a name.
        if (Modifier.isNative(method.getModifiers()) && !method.getName().equals("open")) {
          addParameters(result, method);
        }
      }
    }
    return result.stream();
  }

  private static void addParameters(List<Arguments> result, Method method) {
    for (int i = 0; i < method.getParameterCount(); i++) {
      Class<?> type = method.getParameterTypes()[i];
      if (type.isArray()) {
        result.add(Arguments.of(method, i, null));
      }
      if (type == byte[][].class) {
        result.add(Arguments.of(method, i, new byte[1][]));
      }
    }
  }

  @ParameterizedTest(name = "{0}, parameter {1}")
  @MethodSource("nativeParameters")
  void theNativeLibraryRefusesNull(Method method, int parameter, Object value) throws Exception {
    NativeKey key = ((OpaqueKey) TestToken.generate("EC", "secp256r1").getPrivate()).nativeKey();
    NativeStore store = TestToken.token();
    Object[] arguments = new Object[method.getParameterCount()];
    boolean isOfKey = method.getDeclaringClass() == NativeKey.class;
    boolean keyFollows = isOfKey;
    for (int i = 0; i < arguments.length; i++) {
      Class<?> type = method.getParameterTypes()[i];
      if (type == long.class) {
        arguments[i] = keyFollows ? key.address() : store.address();
        keyFollows = true;
      } else {
        arguments[i] = unset(type);
      }
    }
    arguments[parameter] = value;
    method.setAccessible(true);
    InvocationTargetException refused =
        assertThrows(InvocationTargetException.class, () -> method.invoke(isOfKey ? key : store, arguments));
    assertInstanceOf(NullPointerException.class, refused.getCause());
  }

  private static Object unset(Class<?> type) {
    if (type == int.class) {
      return 0;
    }
    if (type == boolean.class) {
      return false;
    }
    return type == byte[].class ? new byte[0] : new byte[0][];
  }
}
