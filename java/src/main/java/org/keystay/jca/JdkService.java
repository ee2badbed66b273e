package org.keystay.jca;

import java.io.IOException;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import java.security.PublicKey;
import java.security.Security;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.spec.ECParameterSpec;
import java.security.spec.KeySpec;
import java.util.ArrayList;
import java.util.List;
import javax.crypto.Cipher;

/**
 * Services of the JDK's own providers, wherever those stand in the list: key factories, parameters and
 * certificates, whose classes Keystay compares, casts and shows and which a provider in front may name and
 * compare in another way; and the verification of a token's signatures, which must not go to a token
 * again. What the JDK lacks, such as a curve, the other providers are asked for, and Keystay never.
 */
final class JdkService {
  private static final List<String> JDK = List.of("SUN", "SunRsaSign", "SunEC", "SunJCE");

  private JdkService() {}

  /** Makes something by a provider. */
  private interface Attempt<T> {
    T by(Provider provider) throws GeneralSecurityException;
  }

  /** A public key, by the first key factory that takes its description. */
  static PublicKey publicKey(String algorithm, KeySpec spec) throws GeneralSecurityException {
    return first(
        "KeyFactory", algorithm, p -> KeyFactory.getInstance(algorithm, p).generatePublic(spec));
  }

  /** CKA_EC_PARAMS of a curve: its DER object identifier. */
  static byte[] encodedCurve(ECParameterSpec curve) throws GeneralSecurityException {
    return first("AlgorithmParameters", "EC", provider -> {
      AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC", provider);
      parameters.init(curve);
      try {
        return parameters.getEncoded();
      } catch (IOException e) {
        throw new GeneralSecurityException("the curve has no encoding", e);
      }
    });
  }

  /** The curve that CKA_EC_PARAMS names. */
  static ECParameterSpec curve(byte[] encoded) throws GeneralSecurityException {
    return first("AlgorithmParameters", "EC", provider -> {
      AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC", provider);
      try {
        parameters.init(encoded);
      } catch (IOException e) {
        throw new GeneralSecurityException("no curve is known by these parameters", e);
      }
      return parameters.getParameterSpec(ECParameterSpec.class);
    });
  }

  static KeyFactory keyFactory(String algorithm) throws NoSuchAlgorithmException {
    return KeyFactory.getInstance(algorithm, owner("KeyFactory", algorithm));
  }

  static AlgorithmParameters algorithmParameters(String algorithm) throws NoSuchAlgorithmException {
    return AlgorithmParameters.getInstance(algorithm, owner("AlgorithmParameters", algorithm));
  }

  static CertificateFactory certificateFactory() throws CertificateException {
    try {
      return CertificateFactory.getInstance("X.509", owner("CertificateFactory", "X.509"));
    } catch (NoSuchAlgorithmException e) {
      throw new CertificateException("no security provider reads X.509 certificates", e);
    }
  }

  /** Initialised to verify. */
  static Signature verification(String algorithm, PublicKey key) throws GeneralSecurityException {
    return first("Signature", algorithm, provider -> {
      Signature signature = Signature.getInstance(algorithm, provider);
      signature.initVerify(key);
      return signature;
    });
  }

  /** RSAEP and RSAVP1 (RFC 8017, sections 5.1.1 and 5.2.2), which are one: of k octets below the modulus. */
  static byte[] rsaEncryption(PublicKey key, byte[] block) throws GeneralSecurityException {
    return first("Cipher", "RSA", provider -> {
      Cipher cipher = Cipher.getInstance("RSA/ECB/NoPadding", provider);
      cipher.init(Cipher.ENCRYPT_MODE, key);
      return cipher.doFinal(block);
    });
  }

  private static Provider owner(String type, String algorithm) throws NoSuchAlgorithmException {
    for (String name : JDK) {
      Provider provider = Security.getProvider(name);
      if (provider != null && provider.getService(type, algorithm) != null) {
        return provider;
      }
    }
    List<Provider> others = others(type, algorithm);
    if (others.isEmpty()) {
      throw new NoSuchAlgorithmException("no security provider has " + type + " " + algorithm);
    }
    return others.get(0);
  }

  private static List<Provider> others(String type, String algorithm) {
    List<Provider> others = new ArrayList<>();
    for (Provider provider : Security.getProviders()) {
      if (!(provider instanceof KeystayProvider)
          && !JDK.contains(provider.getName())
          && provider.getService(type, algorithm) != null) {
        others.add(provider);
      }
    }
    return others;
  }

  private static <T> T first(String type, String algorithm, Attempt<T> attempt)
      throws GeneralSecurityException {
    GeneralSecurityException refusal;
    try {
      return attempt.by(owner(type, algorithm));
    } catch (GeneralSecurityException e) {
      refusal = e;
    }
    for (Provider provider : others(type, algorithm)) {
      try {
        return attempt.by(provider);
      } catch (GeneralSecurityException e) {
        refusal.addSuppressed(e);
      }
    }
    throw refusal;
  }
}
