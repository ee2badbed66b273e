package org.keystay.examples.server;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.List;
import org.apache.ftpserver.DataConnectionConfigurationFactory;
import org.apache.ftpserver.FtpServerFactory;
import org.apache.ftpserver.ftplet.FtpException;
import org.apache.ftpserver.listener.Listener;
import org.apache.ftpserver.listener.ListenerFactory;
import org.apache.ftpserver.ssl.SslConfiguration;
import org.apache.ftpserver.ssl.SslConfigurationFactory;
import org.apache.ftpserver.usermanager.PropertiesUserManagerFactory;
import org.apache.ftpserver.usermanager.impl.BaseUser;
import org.apache.ftpserver.usermanager.impl.WritePermission;

/** Apache FtpServer with explicit and implicit FTPS. */
final class FtpsServer {
  /**
   * Sessions that live longer than a ticket may (RFC 8446, section 4.6.1: seven days), for which JSSE sends
   * no tickets. A client that closes its socket with tickets unread, as curl does, resets the connection, and
   * the end of its upload is lost.
   */
  private static final Duration SESSIONS_WITHOUT_TICKETS = Duration.ofDays(8);

  private FtpsServer() {}

  static void start(Settings settings)
      throws IOException, FtpException, GeneralSecurityException {
    SslConfigurationFactory ssl = new SslConfigurationFactory();
    ssl.setKeystoreFile(settings.keyStorePath().toFile());
    ssl.setKeystoreType("Keystay");
    ssl.setKeystorePassword(""); // the token is unlocked already
    ssl.setKeyPassword("");
    ssl.setKeyAlias(settings.ftpKeyAlias());
    ssl.setSslProtocol("TLSv1.2", "TLSv1.3");
    SslConfiguration configuration = ssl.createSslConfiguration();
    configuration
        .getSSLContext()
        .getServerSessionContext()
        .setSessionTimeout((int) SESSIONS_WITHOUT_TICKETS.toSeconds());

    FtpServerFactory server = new FtpServerFactory();
    Listener explicit = listener(configuration, settings.ftpPort(), false);
    Listener implicit = listener(configuration, settings.ftpImplicitPort(), true);
    server.addListener("default", explicit);
    server.addListener("implicit", implicit);
    server.setUserManager(new PropertiesUserManagerFactory().createUserManager());
    server.getUserManager().save(user(settings));
    server.createServer().start();
    System.out.println("ftp on port " + explicit.getPort() + ", ftps on port " + implicit.getPort());
  }

  /** Control and data connections are protected by the same key. */
  private static Listener listener(SslConfiguration ssl, int port, boolean implicit) {
    DataConnectionConfigurationFactory data = new DataConnectionConfigurationFactory();
    data.setSslConfiguration(ssl);
    data.setImplicitSsl(implicit);
    ListenerFactory listener = new ListenerFactory();
    listener.setServerAddress("127.0.0.1");
    listener.setPort(port);
    listener.setSslConfiguration(ssl);
    listener.setImplicitSsl(implicit);
    listener.setDataConnectionConfiguration(data.createDataConnectionConfiguration());
    return listener.createListener();
  }

  private static BaseUser user(Settings settings) throws IOException {
    BaseUser user = new BaseUser();
    user.setName(settings.ftpUser());
    user.setPassword(settings.ftpPassword());
    user.setHomeDirectory(settings.ftpHome().toString());
    user.setAuthorities(List.of(new WritePermission()));
    return user;
  }
}
