import java.security.KeyStore;
import java.security.Security;
import java.security.cert.X509Certificate;
import org.keystay.jca.KeystayProvider;
import sun.security.tools.keytool.CertAndKeyGen;
import sun.security.x509.X500Name;

/** Puts many aliases on the default token, as keytool -genkeypair would one by one: {@code Fill NUMBER}. */
class Fill {
  private static final long VALIDITY = 90 * 24 * 3600;

  public static void main(String[] arguments) throws Exception {
    Security.addProvider(new KeystayProvider());
    KeyStore keyStore = KeyStore.getInstance("Keystay");
    keyStore.load(null, null);
    for (int i = 1; i <= Integer.parseInt(arguments[0]); i++) {
      CertAndKeyGen pair = new CertAndKeyGen("EC", "SHA256withECDSA", KeystayProvider.NAME);
      pair.generate(256);
      X509Certificate certificate = pair.getSelfCertificate(new X500Name("CN=" + i), VALIDITY);
      keyStore.setKeyEntry(
          "filler-" + i, pair.getPrivateKey(), null, new X509Certificate[] {certificate});
    }
  }
}
