package org.keystay.jca;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.CodeSource;
import java.util.Locale;

/**
 * Loads the native library, at the first use and once: from the path that {@value #PATH_PROPERTY}
 * names, else from beside the jar, else from the jar through a private directory. This class depends
 * on no other class of Keystay but {@link Version}, so that nothing else runs when loading fails.
 */
final class NativeLibrary {
  private static final String PATH_PROPERTY = "org.keystay.library";
  private static final String DIRECTORY_PROPERTY = "org.keystay.tmpdir";
  private static final String FILE_NAME = "libkeystay-jni.so";

  /** Why the library is not there; null if it is. */
  private static final UnsatisfiedLinkError FAILURE = load();

  private NativeLibrary() {}

  /**
   * Makes the native methods callable.
   *
   * @throws UnsatisfiedLinkError the same each time, if the library could not be loaded
   */
  static void require() {
    if (FAILURE != null) {
      UnsatisfiedLinkError error = new UnsatisfiedLinkError(FAILURE.getMessage());
      error.initCause(FAILURE);
      throw error;
    }
  }

  private static UnsatisfiedLinkError load() {
    try {
      String configured = System.getProperty(PATH_PROPERTY);
      if (configured != null) {
        load(Paths.get(configured).toAbsolutePath(), "the property " + PATH_PROPERTY);
        return null;
      }
      Path sibling = besideTheJar();
      if (sibling != null && Files.isRegularFile(sibling)) {
        load(sibling, "the directory of keystay-jca.jar");
        return null;
      }
      loadFromJar();
      return null;
    } catch (UnsatisfiedLinkError e) {
      return e;
    } catch (IOException | RuntimeException e) {
      UnsatisfiedLinkError error =
          new UnsatisfiedLinkError("cannot load Keystay's native library: " + e);
      error.initCause(e);
      return error;
    }
  }

  /** The library compares {@link Version#STRING} with its own version while it is loaded. */
  private static void load(Path library, String where) {
    try {
      System.load(library.toString());
    } catch (UnsatisfiedLinkError e) {
      UnsatisfiedLinkError error =
          new UnsatisfiedLinkError(
              "cannot load Keystay's native library from "
                  + where
                  + ": "
                  + e.getMessage()
                  + remedy(e.getMessage()));
      error.initCause(e);
      throw error;
    }
  }

  private static String remedy(String message) {
    if (message == null) {
      return "";
    }
    if (message.contains("failed to map segment") || message.contains("Operation not permitted")) {
      return "; the file system is mounted noexec: put libkeystay-jni.so elsewhere and name it with -D"
          + PATH_PROPERTY
          + "=/path/to/"
          + FILE_NAME
          + ", or name another directory with -D"
          + DIRECTORY_PROPERTY;
    }
    if (message.contains("already loaded in another classloader")) {
      return "; put keystay-jca.jar on the server's common class path, once, instead of into each"
          + " application";
    }
    return "";
  }

  private static Path besideTheJar() {
    CodeSource source = NativeLibrary.class.getProtectionDomain().getCodeSource();
    if (source == null || source.getLocation() == null) {
      return null;
    }
    try {
      URI location = source.getLocation().toURI();
      if (!"file".equals(location.getScheme())) {
        return null;
      }
      Path parent = Paths.get(location).getParent();
      return parent == null ? null : parent.resolve(FILE_NAME);
    } catch (URISyntaxException | IllegalArgumentException e) {
      return null;
    }
  }

  private static void loadFromJar() throws IOException {
    String resource = "/META-INF/native/" + platform() + "/" + FILE_NAME;
    try (InputStream content = NativeLibrary.class.getResourceAsStream(resource)) {
      if (content == null) {
        throw new IOException(
            "the jar has no "
                + resource
                + "; build Keystay on this platform, or name the library with -D"
                + PATH_PROPERTY);
      }
      extractAndLoad(content);
    }
  }

  /** The directory is this process's own (0700), and gone as soon as the library is mapped. */
  private static void extractAndLoad(InputStream content) throws IOException {
    String parent = System.getProperty(DIRECTORY_PROPERTY, System.getProperty("java.io.tmpdir"));
    Path directory =
        Files.createTempDirectory(
            Paths.get(parent),
            "keystay-",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Path library = directory.resolve(FILE_NAME);
    try {
      Files.copy(content, library);
      load(library, "the temporary directory " + parent);
    } finally {
      Files.deleteIfExists(library);
      Files.deleteIfExists(directory);
    }
  }

  private static String platform() {
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String machine = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    if (machine.equals("amd64")) {
      machine = "x86_64";
    }
    return system + "-" + machine;
  }
}
