package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.InetAddress;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** JSSE with keys of the token, through the JDK's key managers and through Keystay's own. */
class TlsTest {
  private static KeyPair ca;
  private static String rsa;
  private static String ec;

  @BeforeAll
  static void makeAliases() throws Exception {
    ca = KeyPairGenerator.getInstance("EC").generateKeyPair();
    KeyStore keyStore = TestToken.load();
    rsa = TestToken.newAlias(keyStore, "RSA", "2048");
    ec = TestToken.newAlias(keyStore, "EC", "secp256r1");
    certify(keyStore, rsa, "rsa.example.org");
    certify(keyStore, ec, "*.ec.example.org");
  }

  @ParameterizedTest
  @CsvSource({
    "SunX509, TLSv1.2", "SunX509, TLSv1.3", "PKIX, TLSv1.3", "Keystay, TLSv1.2", "Keystay, TLSv1.3"
  })
  void bothSidesAuthenticateWithKeysOfTheToken(String factory, String protocol) throws Exception {
    for (String alias : new String[] {rsa, ec}) {
      SSLContext context = context(keyManagers(factory, alias));
      assertEquals(certificate(alias), handshake(context, context, protocol, "none.example.org"));
    }
  }

  /** A cipher suite without forward secrecy: the token decrypts the premaster secret. */
  @Test
  void aHandshakeOfTlsRsaDecryptsOnTheToken() throws Exception {
    String suite = "TLS_RSA_WITH_AES_128_GCM_SHA256";
    List<String> supported =
        List.of(SSLContext.getDefault().getSupportedSSLParameters().getCipherSuites());
    assumeTrue(supported.contains(suite), "this JDK has no " + suite);
    KeyStore keyStore = TestToken.load();
    System.setProperty("org.keystay.exchange", "true");
    String alias;
    try {
      alias = TestToken.newAlias(keyStore, "RSA", "2048");
    } finally {
      System.clearProperty("org.keystay.exchange");
    }
    certify(keyStore, alias, "rsa.example.org");
    SSLContext server = context(keyManagers("SunX509", alias));
    assertEquals(
        certificate(alias),
        handshake(server, context(null), "TLSv1.2", "rsa.example.org", suite));
  }

  /** First in the list, the provider is asked for everything that a handshake does. */
  @ParameterizedTest
  @CsvSource({"TLSv1.2", "TLSv1.3"})
  void aHandshakeSucceedsWithTheProviderFirst(String protocol) throws Exception {
    KeystayProvider provider = TestToken.provider();
    Security.removeProvider(KeystayProvider.NAME);
    Security.insertProviderAt(provider, 1);
    try {
      for (String alias : new String[] {rsa, ec}) {
        SSLContext context = context(keyManagers("SunX509", alias));
        assertEquals(certificate(alias), handshake(context, context, protocol, "none"));
      }
    } finally {
      Security.removeProvider(KeystayProvider.NAME);
      Security.addProvider(provider);
    }
  }

  /** JSSE asks for an EC alias first; the name decides all the same. */
  @ParameterizedTest
  @CsvSource({"rsa.example.org, RSA", "RSA.example.ORG, RSA", "a.ec.example.org, EC"})
  void theServerNameChoosesTheKeyType(String name, String keyType) throws Exception {
    SSLContext server = context(keyManagers("Keystay", rsa, ec));
    for (String protocol : new String[] {"TLSv1.2", "TLSv1.3"}) {
      assertEquals(
          keyType, handshake(server, context(null), protocol, name).getPublicKey().getAlgorithm());
    }
  }

  @Test
  void ofSeveralAliasesOneForTheNameIsServed() throws Exception {
    KeyStore keyStore = TestToken.load();
    String[] aliases = new String[3];
    for (int i = 0; i < aliases.length; i++) {
      aliases[i] = TestToken.newAlias(keyStore, "EC", "secp256r1");
      certify(keyStore, aliases[i], "host" + i + ".example.org");
    }
    SSLContext server = context(keyManagers("Keystay", aliases));
    SSLContext client = context(null);
    for (int i = 0; i < aliases.length; i++) {
      assertEquals(
          certificate(aliases[i]), handshake(server, client, "TLSv1.3", "host" + i + ".example.org"));
      assertEquals(
          certificate(aliases[i]), handshake(server, client, "TLSv1.2", "HOST" + i + ".example.org"));
    }
  }

  @Test
  void aRenewedCertificateIsServedWithoutARestart() throws Exception {
    KeyStore keyStore = TestToken.load();
    String alias = TestToken.newAlias(keyStore, "EC", "secp256r1");
    certify(keyStore, alias, "before.example.org");
    X509ExtendedKeyManager manager =
        new TokenKeyManager(loaded(TestToken.load(listed(alias))), 0);
    X509Certificate before = manager.getCertificateChain(alias)[0];
    certify(keyStore, alias, "after.example.org");
    X509Certificate after = certificate(alias);

    // Each choice has the token read again in the background.
    long deadline = System.nanoTime() + 60_000_000_000L;
    while (manager.getCertificateChain(alias)[0].equals(before) && System.nanoTime() < deadline) {
      assertEquals(alias, manager.chooseEngineServerAlias("EC", null, null));
      Thread.onSpinWait();
    }
    assertEquals(after, manager.getCertificateChain(alias)[0]);
    assertEquals(keyStore.getKey(alias, null), manager.getPrivateKey(alias));
  }

  @Test
  void aliasesWithoutACertificateAreNotServed() throws Exception {
    NativeStore token = TestToken.token();
    String bare = TestToken.unusedAlias("bare");
    TestToken.makeBareKey(token, bare, KeySpec.ofGroup("EC", "secp256r1"));
    X509ExtendedKeyManager manager = manager(bare);
    assertNull(manager.chooseEngineServerAlias("EC", null, null));
    assertNull(manager.getServerAliases("EC", null));
    assertNull(manager.getPrivateKey(null));
  }

  @Test
  void clientsChooseByTheIssuersThatTheServerNames() throws Exception {
    X509ExtendedKeyManager manager = manager(rsa, ec);
    Certificate[] chain = manager.getCertificateChain(ec);
    java.security.Principal issuer = ((X509Certificate) chain[0]).getIssuerX500Principal();
    assertEquals(
        ec,
        manager.chooseClientAlias(
            new String[] {"EdDSA", "EC", "RSA"}, new java.security.Principal[] {issuer}, null));
    java.security.Principal other =
        new javax.security.auth.x500.X500Principal("CN=nobody's CA");
    assertNull(
        manager.chooseClientAlias(
            new String[] {"EC"}, new java.security.Principal[] {other}, null));
    assertArrayEquals(new String[] {rsa}, manager.getClientAliases("RSA", null));
  }

  @Test
  void theFactoryWantsAKeyStoreOfKeystay() throws Exception {
    KeyManagerFactory factory = KeyManagerFactory.getInstance("Keystay", TestToken.provider());
    KeyStore other = KeyStore.getInstance("PKCS12");
    other.load(null, null);
    assertThrows(KeyStoreException.class, () -> factory.init(other, null));
    assertThrows(IllegalStateException.class, factory::getKeyManagers);
  }

  private static X509ExtendedKeyManager manager(String... aliases) throws Exception {
    return assertInstanceOf(X509ExtendedKeyManager.class, keyManagers("Keystay", aliases)[0]);
  }

  private static KeyManager[] keyManagers(String algorithm, String... aliases) throws Exception {
    TestToken.provider();
    KeyManagerFactory factory = KeyManagerFactory.getInstance(algorithm);
    factory.init(TestToken.load(listed(aliases)), null);
    return factory.getKeyManagers();
  }

  private static TokenKeyStore loaded(KeyStore keyStore) throws Exception {
    LoadedStoreRequest request = new LoadedStoreRequest();
    keyStore.load(request);
    return request.store();
  }

  private static String listed(String... aliases) {
    return "# Keystay key store, version 1\ntoken = \"web\"\nscope = \"listed\"\naliases = [\""
        + String.join("\", \"", aliases)
        + "\"]\n";
  }

  private static void certify(KeyStore keyStore, String alias, String dnsName) throws Exception {
    X509Certificate leaf =
        TestToken.certificate(
            alias, keyStore.getCertificate(alias).getPublicKey(), "TLS test CA", ca.getPrivate(),
            dnsName);
    keyStore.setKeyEntry(
        alias, (PrivateKey) keyStore.getKey(alias, null), null, new Certificate[] {leaf});
  }

  private static X509Certificate certificate(String alias) throws Exception {
    return (X509Certificate) TestToken.load().getCertificate(alias);
  }

  /** Both sides trust what the test's CA signed. */
  private static SSLContext context(KeyManager[] keyManagers) throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keyManagers, new TrustManager[] {new TestCaTrust()}, null);
    return context;
  }

  private static final class TestCaTrust implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws java.security.cert.CertificateException {
      checkServerTrusted(chain, type);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws java.security.cert.CertificateException {
      try {
        chain[0].verify(ca.getPublic());
      } catch (java.security.GeneralSecurityException e) {
        throw new java.security.cert.CertificateException(e);
      }
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }

  /** A handshake with client authentication if the client has a key; returns the server's leaf. */
  private static X509Certificate handshake(
      SSLContext server, SSLContext client, String protocol, String name, String... cipherSuites)
      throws Exception {
    ExecutorService executor = Executors.newSingleThreadExecutor();
    InetAddress loopback = InetAddress.getLoopbackAddress();
    try (SSLServerSocket listener =
        (SSLServerSocket) server.getServerSocketFactory().createServerSocket(0, 1, loopback)) {
      listener.setWantClientAuth(server == client);
      Future<Integer> served =
          executor.submit(
              () -> {
                try (SSLSocket socket = (SSLSocket) listener.accept()) {
                  socket.startHandshake();
                  if (server == client) {
                    assertTrue(socket.getSession().getPeerCertificates().length > 0);
                  }
                  socket.getOutputStream().write(42);
                  return socket.getInputStream().read();
                }
              });
      try (SSLSocket socket =
          (SSLSocket)
              client.getSocketFactory().createSocket(loopback, listener.getLocalPort())) {
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setProtocols(new String[] {protocol});
        parameters.setServerNames(List.of(new SNIHostName(name)));
        if (cipherSuites.length > 0) {
          parameters.setCipherSuites(cipherSuites);
        }
        socket.setSSLParameters(parameters);
        assertEquals(42, socket.getInputStream().read());
        assertEquals(protocol, socket.getSession().getProtocol());
        socket.getOutputStream().write(7);
        assertEquals(7, served.get());
        return (X509Certificate) socket.getSession().getPeerCertificates()[0];
      }
    } finally {
      executor.shutdownNow();
    }
  }
}
