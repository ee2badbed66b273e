package org.keystay.jca;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.ProviderException;
import java.security.cert.X509Certificate;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.StandardConstants;
import javax.net.ssl.X509ExtendedKeyManager;

/**
 * Serves the aliases of a key store by key type and server name, and sees renewed certificates without a
 * restart: when the listing is older than the interval, the next handshake has it read again in the
 * background, and goes on with the one it has.
 */
final class TokenKeyManager extends X509ExtendedKeyManager {
  private static final Logger LOGGER = System.getLogger(TokenKeyManager.class.getName());

  private final TokenKeyStore keyStore;
  private final long refreshNanos;
  private final AtomicBoolean refreshing = new AtomicBoolean();
  private final AtomicLong refreshedAt = new AtomicLong(System.nanoTime());
  private volatile AliasChoice choice;

  TokenKeyManager(TokenKeyStore keyStore, long refreshNanos) throws KeystayException {
    this.keyStore = keyStore;
    this.refreshNanos = refreshNanos;
    this.choice = new AliasChoice(keyStore.snapshot());
  }

  @Override
  public String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
    SSLSession session =
        socket instanceof SSLSocket ? ((SSLSocket) socket).getHandshakeSession() : null;
    return choice().server(keyType, hostName(session));
  }

  @Override
  public String chooseEngineServerAlias(String keyType, Principal[] issuers, SSLEngine engine) {
    return choice().server(keyType, hostName(engine == null ? null : engine.getHandshakeSession()));
  }

  @Override
  public String chooseClientAlias(String[] keyTypes, Principal[] issuers, Socket socket) {
    return client(keyTypes, issuers);
  }

  @Override
  public String chooseEngineClientAlias(
      String[] keyTypes, Principal[] issuers, SSLEngine engine) {
    return client(keyTypes, issuers);
  }

  @Override
  public String[] getServerAliases(String keyType, Principal[] issuers) {
    return choice().all(keyType, issuers);
  }

  @Override
  public String[] getClientAliases(String keyType, Principal[] issuers) {
    return choice().all(keyType, issuers);
  }

  @Override
  public X509Certificate[] getCertificateChain(String alias) {
    TokenEntry entry = find(alias);
    return entry == null ? null : entry.chain();
  }

  @Override
  public PrivateKey getPrivateKey(String alias) {
    TokenEntry entry = find(alias);
    return entry == null ? null : entry.key();
  }

  private TokenEntry find(String alias) {
    TokenEntry known = alias == null ? null : choice.snapshot().find(alias);
    if (known != null || alias == null) {
      return known;
    }
    try {
      return keyStore.meaning(alias).key; // an alias that a server was configured with, in its own spelling
    } catch (KeystayException e) {
      throw new ProviderException(e.getMessage(), e); // all that X509KeyManager allows here
    }
  }

  private String client(String[] keyTypes, Principal[] issuers) {
    AliasChoice current = choice();
    for (String keyType : keyTypes) {
      String[] aliases = current.all(keyType, issuers);
      if (aliases != null) {
        return aliases[0];
      }
    }
    return null;
  }

  private AliasChoice choice() {
    if (System.nanoTime() - refreshedAt.get() > refreshNanos
        && refreshing.compareAndSet(false, true)) {
      Thread thread = new Thread(this::refresh, "keystay-refresh");
      thread.setDaemon(true);
      thread.start();
    }
    return choice;
  }

  private void refresh() {
    try {
      choice = new AliasChoice(keyStore.refresh());
    } catch (KeystayException | RuntimeException e) {
      LOGGER.log(Level.WARNING, "the aliases stay as they were: " + e.getMessage());
    } finally {
      refreshedAt.set(System.nanoTime());
      refreshing.set(false);
    }
  }

  private static String hostName(SSLSession session) {
    if (!(session instanceof ExtendedSSLSession)) {
      return null;
    }
    for (SNIServerName name : ((ExtendedSSLSession) session).getRequestedServerNames()) {
      if (name.getType() == StandardConstants.SNI_HOST_NAME) {
        return new SNIHostName(name.getEncoded()).getAsciiName();
      }
    }
    return null;
  }
}
