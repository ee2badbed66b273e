import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Security;
import java.util.Arrays;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.keystay.jca.KeystayProvider;

/**
 * Serves one page over HTTPS with the aliases of a Keystay key store. Only the first line of {@code main}
 * is about Keystay; the rest is how Java serves a PKCS12 file.
 *
 * <p>Usage: {@code HttpsServerExample KEYSTORE PORT}. The PIN comes from the environment variable
 * STORE_PASSWORD, or from keystay.toml if there is none. Port 0 takes a free one.
 */
public final class HttpsServerExample {
  private HttpsServerExample() {}

  public static void main(String[] arguments) throws Exception {
    Security.addProvider(new KeystayProvider());

    SSLContext context = sslContext(Paths.get(arguments[0]));
    InetSocketAddress address =
        new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(arguments[1]));
    HttpsServer server = HttpsServer.create(address, 0);
    server.setHttpsConfigurator(new HttpsConfigurator(context));
    server.createContext("/", HttpsServerExample::answer);
    server.start();
    System.out.println("listening on port " + server.getAddress().getPort());
  }

  private static SSLContext sslContext(Path file) throws GeneralSecurityException, IOException {
    KeyStore keyStore = KeyStore.getInstance("Keystay");
    String password = System.getenv("STORE_PASSWORD");
    char[] pin = password == null ? null : password.toCharArray();
    keyStore.load(Files.newInputStream(file), pin);

    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(keyStore, pin);
    if (pin != null) {
      Arrays.fill(pin, '\0');
    }
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    return context;
  }

  private static void answer(HttpExchange exchange) throws IOException {
    byte[] page =
        "Hello from Java, with a private key that stays on its token.\n"
            .getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
    exchange.sendResponseHeaders(200, page.length);
    exchange.getResponseBody().write(page);
    exchange.close();
  }
}
