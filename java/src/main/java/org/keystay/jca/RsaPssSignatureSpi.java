package org.keystay.jca;

import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.ProviderException;
import java.security.interfaces.RSAKey;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.InvalidParameterSpecException;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;

/**
 * RSASSA-PSS (RFC 8017, section 8.1). JSSE sets and reads the parameters before there is a key, and
 * BCJSSE gives a key before there are parameters: both work.
 */
final class RsaPssSignatureSpi extends TokenSignatureSpi {
  private static final String NAME = "RSASSA-PSS";
  private static final int TRAILER_FIELD = 1; // RFC 8017, appendix A.2.3

  /** That of the algorithm's name; null for RSASSA-PSS, whose hash is a parameter. */
  private final Hash fixedHash;

  private PSSParameterSpec parameters;

  /** RSASSA-PSS if {@code hash} is null, else the form with this hash and its length of salt. */
  RsaPssSignatureSpi(String algorithm, Hash hash) {
    super(algorithm, KeyType.RSA);
    fixedHash = hash;
    if (hash != null) {
      parameters =
          new PSSParameterSpec(
              hash.jcaName(),
              "MGF1",
              new MGF1ParameterSpec(hash.jcaName()),
              hash.size(),
              TRAILER_FIELD);
    }
  }

  /** Others have the forms with a hash in their name not at all, or by another name. */
  @Override
  String nextAlgorithm() {
    return NAME;
  }

  @Override
  SignatureInput newInput(OpaqueKey key) throws InvalidKeyException {
    if (parameters == null) {
      return SignatureInput.refused("RSASSA-PSS needs parameters: call setParameter first");
    }
    requireFit(key, parameters);
    return SignatureInput.hashed(Hash.byName(parameters.getDigestAlgorithm()));
  }

  @Override
  byte[] sign(OpaqueKey key, byte[] collected) throws KeystayException {
    Hash hash = Hash.byName(parameters.getDigestAlgorithm());
    Hash mgf1Hash = mgf1Hash(parameters);
    int saltLength = parameters.getSaltLength();
    NativeKey nativeKey = key.nativeKey();
    if (!needsRawRsa(hash, mgf1Hash) && nativeKey.supports(NativeKey.Mechanism.RSA_PSS)) {
      return nativeKey.signPss(hash, mgf1Hash, saltLength, collected);
    }
    return nativeKey.sign(
        NativeKey.Mechanism.RSA_X509,
        new PssEncoding(hash, mgf1Hash, saltLength).encode(collected, modulusBits(key)));
  }

  /**
   * Tokens have their own PSS for the hashes of SHA-1 and SHA-2, and most refuse two different ones at C_Sign
   * only, with CKR_ARGUMENTS_BAD. What Java encodes is signed as a bare block.
   */
  private static boolean needsRawRsa(Hash hash, Hash mgf1Hash) {
    return hash != mgf1Hash || !hash.isNative();
  }

  /** Whether the token will sign so, as far as that can be known before. */
  private static void requireFit(OpaqueKey key, PSSParameterSpec pss) throws InvalidKeyException {
    Hash hash = Hash.byName(pss.getDigestAlgorithm());
    Hash mgf1Hash = mgf1Hash(pss);
    if (hash == null || mgf1Hash == null) {
      throw new InvalidKeyException("Keystay does not sign with " + description(pss) + ", as for " + key);
    }
    if (PssEncoding.size(modulusBits(key)) < hash.size() + pss.getSaltLength() + 2) {
      throw new InvalidKeyException(
          "a key of " + modulusBits(key) + " bits is too short for " + hash.jcaName() + " with a salt of "
              + pss.getSaltLength() + " bytes");
    }
    try {
      if (needsRawRsa(hash, mgf1Hash) && !key.nativeKey().supports(NativeKey.Mechanism.RSA_X509)) {
        throw new InvalidKeyException(
            "the token of " + key + " has no CKM_RSA_X_509, by which Keystay makes RSASSA-PSS with "
                + description(pss) + "; use one hash of SHA-2 for both");
      }
    } catch (KeystayException e) {
      throw new InvalidKeyException(e.getMessage(), e);
    }
  }

  @Override
  AlgorithmParameterSpec parameters() {
    return parameters;
  }

  @Override
  void checkParameters(AlgorithmParameterSpec spec, OpaqueKey key)
      throws InvalidAlgorithmParameterException {
    if (!(spec instanceof PSSParameterSpec)) {
      throw new InvalidAlgorithmParameterException("RSASSA-PSS needs a PSSParameterSpec");
    }
    PSSParameterSpec pss = (PSSParameterSpec) spec;
    if (!pss.getMGFAlgorithm().equalsIgnoreCase("MGF1") || pss.getTrailerField() != TRAILER_FIELD) {
      throw new InvalidAlgorithmParameterException("Keystay knows MGF1 and trailer field 1 only");
    }
    if (fixedHash != null && Hash.byName(pss.getDigestAlgorithm()) != fixedHash) {
      throw new InvalidAlgorithmParameterException("the algorithm's name says " + fixedHash.jcaName());
    }
    try {
      MessageDigest.getInstance(pss.getDigestAlgorithm());
      if (key != null) {
        requireFit(key, pss);
      }
    } catch (NoSuchAlgorithmException | InvalidKeyException e) {
      throw new InvalidAlgorithmParameterException(e.getMessage(), e);
    }
  }

  @Override
  boolean takeParameters(AlgorithmParameterSpec spec) {
    parameters = (PSSParameterSpec) spec;
    return true;
  }

  @Override
  RuntimeException tooLate(AlgorithmParameterSpec spec) {
    return new ProviderException("parameters cannot be changed after the first update");
  }

  @Override
  protected AlgorithmParameters engineGetParameters() {
    if (parameters == null) {
      return null;
    }
    try {
      AlgorithmParameters result = JdkService.algorithmParameters(NAME);
      result.init(parameters);
      return result;
    } catch (InvalidParameterSpecException e) {
      throw new ProviderException("the JDK refuses these PSS parameters: " + parameters, e);
    } catch (GeneralSecurityException e) {
      throw new ProviderException("no security provider encodes PSS parameters", e);
    }
  }

  private static int modulusBits(OpaqueKey key) {
    return ((RSAKey) key).getModulus().bitLength();
  }

  /** Without parameters of its own MGF1 has the hash of the message, as in the JDK; null if it is unknown. */
  private static Hash mgf1Hash(PSSParameterSpec pss) {
    AlgorithmParameterSpec mgf1 = pss.getMGFParameters();
    if (mgf1 == null) {
      return Hash.byName(pss.getDigestAlgorithm());
    }
    return mgf1 instanceof MGF1ParameterSpec
        ? Hash.byName(((MGF1ParameterSpec) mgf1).getDigestAlgorithm())
        : null;
  }

  private static String description(PSSParameterSpec pss) {
    AlgorithmParameterSpec mgf1 = pss.getMGFParameters();
    return pss.getDigestAlgorithm() + " and MGF1 with "
        + (mgf1 instanceof MGF1ParameterSpec
            ? ((MGF1ParameterSpec) mgf1).getDigestAlgorithm()
            : String.valueOf(mgf1));
  }
}
