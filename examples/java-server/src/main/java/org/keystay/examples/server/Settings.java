package org.keystay.examples.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.time.Duration;
import java.util.Properties;

/** server.properties; README.md lists the keys. */
final class Settings {
  private final Path directory;
  private final Properties properties;

  private Settings(Path directory, Properties properties) {
    this.directory = directory;
    this.properties = properties;
  }

  static Settings read(Path file) throws IOException {
    Properties properties = new Properties();
    try (var in = Files.newBufferedReader(file)) {
      properties.load(in);
    }
    return new Settings(file.toAbsolutePath().getParent(), properties);
  }

  /** Relative to the directory of the settings. */
  Path keyStorePath() throws IOException {
    return directory.resolve(required("Hsm.keystorePath"));
  }

  /** Where Tomcat keeps its files: beside the settings. */
  Path workDirectory() {
    return directory.resolve("work");
  }

  /** Null if it is to be asked for. */
  char[] keyStorePassword() {
    String password = properties.getProperty("Hsm.keystorePassword");
    return password == null ? null : password.toCharArray();
  }

  Duration promptTimeout() throws IOException {
    return Duration.ofSeconds(number("Hsm.promptTimeout", 30));
  }

  boolean ftpEnabled() {
    return Boolean.parseBoolean(properties.getProperty("Ftp.Hsm.enabled"));
  }

  boolean httpEnabled() {
    return Boolean.parseBoolean(properties.getProperty("Http.Hsm.enabled"));
  }

  String ftpKeyAlias() throws IOException {
    return required("Ftp.Hsm.keyAlias");
  }

  String httpKeyAlias() throws IOException {
    return required("Http.Hsm.keyAlias");
  }

  int ftpPort() throws IOException {
    return number("Ftp.port", 2121);
  }

  int ftpImplicitPort() throws IOException {
    return number("Ftp.implicitPort", 9990);
  }

  Path ftpHome() throws IOException {
    return directory.resolve(required("Ftp.home"));
  }

  String ftpUser() throws IOException {
    return required("Ftp.user");
  }

  String ftpPassword() throws IOException {
    return required("Ftp.password");
  }

  int httpPort() throws IOException {
    return number("Http.port", 8443);
  }

  /** A missing alias is told at start, not by the first client. */
  void requireAliases(KeyStore keyStore) throws IOException, KeyStoreException {
    if (ftpEnabled()) {
      requireAlias(keyStore, ftpKeyAlias());
    }
    if (httpEnabled()) {
      requireAlias(keyStore, httpKeyAlias());
    }
  }

  private void requireAlias(KeyStore keyStore, String alias) throws IOException, KeyStoreException {
    if (!keyStore.isKeyEntry(alias)) {
      throw new IOException("no key \"" + alias + "\" in " + keyStorePath());
    }
  }

  private String required(String key) throws IOException {
    String value = properties.getProperty(key);
    if (value == null || value.isBlank()) {
      throw new IOException("the settings have no " + key);
    }
    return value.trim();
  }

  private int number(String key, int standard) throws IOException {
    String value = properties.getProperty(key);
    try {
      return value == null ? standard : Integer.parseInt(value.trim());
    } catch (NumberFormatException e) {
      throw new IOException(key + ": not a number: " + value);
    }
  }
}
