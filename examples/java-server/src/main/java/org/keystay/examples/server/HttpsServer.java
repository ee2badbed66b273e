package org.keystay.examples.server;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.apache.catalina.Context;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.net.SSLHostConfig;
import org.apache.tomcat.util.net.SSLHostConfigCertificate;
import org.apache.tomcat.util.net.SSLHostConfigCertificate.Type;

/** An embedded Tomcat. */
final class HttpsServer {
  private HttpsServer() {}

  static void start(Settings settings) throws IOException, LifecycleException {
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(settings.workDirectory().toString());
    Connector connector = connector(settings);
    tomcat.setConnector(connector);
    Context context = tomcat.addContext("", null);
    Tomcat.addServlet(context, "page", new Page());
    context.addServletMappingDecoded("/", "page");
    tomcat.start();
    System.out.println("https on port " + connector.getLocalPort());
  }

  /** What {@code <SSLHostConfig>} and {@code <Certificate>} are in server.xml. */
  private static Connector connector(Settings settings) throws IOException {
    SSLHostConfig host = new SSLHostConfig();
    host.setProtocols("TLSv1.2+TLSv1.3");
    SSLHostConfigCertificate certificate = new SSLHostConfigCertificate(host, Type.UNDEFINED);
    certificate.setCertificateKeystoreFile(settings.keyStorePath().toString());
    certificate.setCertificateKeystoreType("Keystay");
    certificate.setCertificateKeystorePassword(""); // the token is unlocked already
    certificate.setCertificateKeyAlias(settings.httpKeyAlias());
    host.addCertificate(certificate);

    Connector connector = new Connector("org.apache.coyote.http11.Http11NioProtocol");
    connector.setProperty("address", "127.0.0.1");
    connector.setPort(settings.httpPort());
    connector.setScheme("https");
    connector.setSecure(true);
    connector.setProperty("SSLEnabled", "true");
    connector.addSslHostConfig(host);
    return connector;
  }

  private static final class Page extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
        throws IOException {
      response.setContentType("text/plain");
      response.getWriter().println("Hello from Tomcat, with a private key that stays on its token.");
    }
  }
}
