package org.keystay.jca;

import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.InvalidKeyException;
import java.security.ProviderException;
import java.security.SignatureException;
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
  private static final int TRAILER_FIELD = 1; // RFC 8017, appendix A.2.3

  private PSSParameterSpec parameters;
  private Hash hash;
  private Hash mgf1Hash;
  private int modulusBits;

  /** RSASSA-PSS if {@code hash} is null, else the form with this hash and its length of salt. */
  RsaPssSignatureSpi(String algorithm, Hash hash) {
    super(algorithm, "RSA");
    if (hash != null) {
      this.hash = hash;
      this.mgf1Hash = hash;
      this.parameters =
          new PSSParameterSpec(
              hash.jcaName(),
              "MGF1",
              new MGF1ParameterSpec(hash.jcaName()),
              hash.size(),
              TRAILER_FIELD);
    }
  }

  @Override
  SignatureInput newInput(OpaqueKey key) throws InvalidKeyException {
    modulusBits = ((RSAKey) key).getModulus().bitLength();
    if (parameters == null) {
      return SignatureInput.whole(0);
    }
    if (PssEncoding.size(modulusBits) < hash.size() + parameters.getSaltLength() + 2) {
      throw new InvalidKeyException(
          "a key of " + modulusBits + " bits is too short for " + hash.jcaName()
              + " with a salt of " + parameters.getSaltLength() + " bytes");
    }
    return SignatureInput.hashed(hash);
  }

  @Override
  byte[] sign(NativeKey key, byte[] collected) throws KeystayException, SignatureException {
    if (parameters == null) {
      throw new SignatureException("RSASSA-PSS needs parameters: call setParameter first");
    }
    int saltLength = parameters.getSaltLength();
    if (key.supports(NativeKey.Mechanism.RSA_PSS)) {
      return key.signPss(hash, mgf1Hash, saltLength, collected);
    }
    return key.sign(
        NativeKey.Mechanism.RSA_X509,
        new PssEncoding(hash, mgf1Hash, saltLength).encode(collected, modulusBits));
  }

  @Override
  AlgorithmParameterSpec parameters() {
    return parameters;
  }

  @Override
  void setParameters(AlgorithmParameterSpec spec) throws InvalidAlgorithmParameterException {
    if (!(spec instanceof PSSParameterSpec)) {
      throw new InvalidAlgorithmParameterException("RSASSA-PSS needs a PSSParameterSpec");
    }
    PSSParameterSpec pss = (PSSParameterSpec) spec;
    if (!(pss.getMGFParameters() instanceof MGF1ParameterSpec)
        || pss.getTrailerField() != TRAILER_FIELD) {
      throw new InvalidAlgorithmParameterException("Keystay knows MGF1 and trailer field 1 only");
    }
    Hash digest = knownHash(pss.getDigestAlgorithm());
    Hash mgf1Digest =
        knownHash(((MGF1ParameterSpec) pss.getMGFParameters()).getDigestAlgorithm());
    parameters = pss;
    hash = digest;
    mgf1Hash = mgf1Digest;
  }

  @Override
  protected AlgorithmParameters engineGetParameters() {
    if (parameters == null) {
      return null;
    }
    try {
      AlgorithmParameters result = AlgorithmParameters.getInstance("RSASSA-PSS");
      result.init(parameters);
      return result;
    } catch (InvalidParameterSpecException e) {
      throw new ProviderException("the JDK refuses these PSS parameters: " + parameters, e);
    } catch (GeneralSecurityException e) {
      throw new ProviderException("no security provider encodes PSS parameters", e);
    }
  }

  private static Hash knownHash(String name) throws InvalidAlgorithmParameterException {
    Hash hash = Hash.byName(name);
    if (hash == null) {
      throw new InvalidAlgorithmParameterException("Keystay does not sign with " + name);
    }
    return hash;
  }
}
