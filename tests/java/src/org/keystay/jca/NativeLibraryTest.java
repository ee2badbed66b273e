package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.ProviderException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the native library comes from; each test is a process of its own, which loads it once. */
class NativeLibraryTest {
  @TempDir Path directory;

  @Test
  void makingAProviderLoadsNothing() throws Exception {
    Result result = run("provider", "-Dorg.keystay.library=/nowhere/libkeystay-jni.so");
    assertEquals(0, result.status, result.output);
    assertTrue(result.output.contains("made Keystay"), result.output);
  }

  @Test
  void aConfiguredPathThatIsWrongIsToldAndNothingElseIsTried() throws Exception {
    Result result = run("load", "-Dorg.keystay.library=/nowhere/libkeystay-jni.so");
    assertEquals(1, result.status, result.output);
    assertTrue(result.output.contains("the property org.keystay.library"), result.output);
    assertTrue(result.output.contains("/nowhere/libkeystay-jni.so"), result.output);
  }

  @Test
  void aConfiguredPathIsUsed() throws Exception {
    Path library = jar().resolveSibling("libkeystay-jni.so");
    Result result = run("load", "-Dorg.keystay.library=" + library);
    assertEquals(0, result.status, result.output);
  }

  /** What a server's log shows: a checked exception, not an Error that ends a thread. */
  @Test
  void whatNeedsTheLibraryFailsAsItsInterfacePromises() throws Exception {
    Result result = run("server", "-Dorg.keystay.library=/nowhere/libkeystay-jni.so");
    assertEquals(1, result.status, result.output);
    assertTrue(result.output.contains("java.io.IOException: cannot load"), result.output);
    assertTrue(result.output.contains("java.security.ProviderException: cannot load"), result.output);
  }

  /** The jar alone, as in a server's lib directory: nothing is left in the temporary directory. */
  @Test
  void aJarAloneBringsItsLibrary() throws Exception {
    Path alone = Files.copy(jar(), directory.resolve("keystay-jca.jar"));
    Path temporary = Files.createDirectory(directory.resolve("tmp"));
    Result result = runWith(alone.toString(), "load", "-Dorg.keystay.tmpdir=" + temporary);
    assertEquals(0, result.status, result.output);
    assertEquals(0, temporary.toFile().list().length);
  }

  @Test
  void aMissingTemporaryDirectoryIsNamed() throws Exception {
    Path alone = Files.copy(jar(), directory.resolve("keystay-jca.jar"));
    Result result = runWith(alone.toString(), "load", "-Dorg.keystay.tmpdir=/nowhere/tmp");
    assertEquals(1, result.status, result.output);
    assertTrue(result.output.contains("/nowhere/tmp"), result.output);
  }

  /** A file that is no library at all stands for every one that the system cannot map. */
  @Test
  void aLibraryThatCannotBeMappedSaysSo() throws Exception {
    Path broken = directory.resolve("libkeystay-jni.so");
    Files.write(broken, new byte[] {1, 2, 3});
    Result result = run("load", "-Dorg.keystay.library=" + broken);
    assertEquals(1, result.status, result.output);
    assertTrue(result.output.contains("cannot load Keystay's native library"), result.output);
  }

  @Test
  void aJarOfAnotherVersionIsRefused() throws Exception {
    Path older = directory.resolve("older");
    compile(
        older,
        "package org.keystay.jca; final class Version { static final String STRING = \"0.0.9\"; }");
    Result result = runWith(older + ":" + jar(), "load");
    assertEquals(1, result.status, result.output);
    String both = "the library is version " + Version.STRING + " and the jar is version 0.0.9";
    assertTrue(result.output.contains(both), result.output);
  }

  /** Prints what the test looks for; run in a process of its own. */
  public static void main(String[] arguments) throws Exception {
    KeystayProvider provider = new KeystayProvider();
    System.out.println("made " + provider.getName() + " with " + provider.getServices().size());
    if (arguments[0].equals("provider")) {
      return;
    }
    if (arguments[0].equals("server")) {
      failWithoutLibrary(provider);
    }
    try {
      NativeStore.requireLibrary();
      System.out.println("loaded");
    } catch (KeystayException e) {
      System.out.println(e.getMessage());
      System.exit(1);
    }
  }

  private static void failWithoutLibrary(KeystayProvider provider) throws Exception {
    try {
      KeyStore.getInstance("Keystay", provider).load(null, null);
    } catch (IOException e) {
      System.out.println(e);
    }
    try {
      KeyPairGenerator.getInstance("RSA", provider).generateKeyPair();
    } catch (ProviderException e) {
      System.out.println(e);
      System.exit(1);
    }
  }

  private static final class Result {
    final int status;
    final String output;

    Result(int status, String output) {
      this.status = status;
      this.output = output;
    }
  }

  private static Result run(String what, String... options) throws Exception {
    return runWith(jar().toString(), what, options);
  }

  private static Result runWith(String classPath, String what, String... options)
      throws Exception {
    List<String> command = new ArrayList<>();
    command.add(tool("java"));
    if (Runtime.version().feature() >= 24) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.addAll(List.of(options));
    command.addAll(
        List.of("-cp", classPath + ":" + testClasses(), NativeLibraryTest.class.getName(), what));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    process.getInputStream().transferTo(output);
    return new Result(process.waitFor(), output.toString());
  }

  private static Path jar() throws Exception {
    return location(KeystayProvider.class);
  }

  private static Path testClasses() throws Exception {
    return location(NativeLibraryTest.class);
  }

  private static Path location(Class<?> type) throws Exception {
    return Paths.get(type.getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  /** The class Version, of a jar that stands before the real one. */
  private static void compile(Path classes, String source) throws Exception {
    Path file = Files.createDirectory(classes).resolve("Version.java");
    Files.writeString(file, source);
    List<String> command = List.of(tool("javac"), "-d", classes.toString(), file.toString());
    assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor());
  }

  private static String tool(String name) {
    return Paths.get(System.getProperty("java.home"), "bin", name).toString();
  }
}
