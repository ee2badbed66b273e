import java.security.Security;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.ssl.KeyStoreScanner;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.keystay.jca.KeystayProvider;

/**
 * One page over HTTPS by Jetty: {@code JettyServer KEYSTORE ALIAS}. Jetty reads the key store again when
 * its file is touched.
 */
class JettyServer {
  public static void main(String[] arguments) throws Exception {
    Security.addProvider(new KeystayProvider());
    SslContextFactory.Server ssl = new SslContextFactory.Server();
    ssl.setKeyStorePath(arguments[0]);
    ssl.setKeyStoreType("Keystay");
    ssl.setKeyStorePassword("");
    ssl.setCertAlias(arguments[1]);

    HttpConfiguration https = new HttpConfiguration();
    https.addCustomizer(new SecureRequestCustomizer());
    Server server = new Server();
    ServerConnector connector =
        new ServerConnector(
            server,
            new SslConnectionFactory(ssl, "http/1.1"),
            new HttpConnectionFactory(https));
    server.addConnector(connector);
    server.setHandler(
        new Handler.Abstract() {
          @Override
          public boolean handle(Request request, Response response, Callback callback) {
            Content.Sink.write(response, true, "The key stays on its token.\n", callback);
            return true;
          }
        });
    KeyStoreScanner scanner = new KeyStoreScanner(ssl);
    scanner.setScanInterval(1);
    server.addBean(scanner);
    server.start();
    System.out.println("listening on port " + connector.getLocalPort());
    server.join();
  }
}
