package org.keystay.jca;

import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.ProviderException;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.NoSuchPaddingException;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;

/** How a plaintext is packed into a block: PKCS1Padding, or one of the OAEP paddings. Immutable. */
final class RsaPadding {
  /** "OAEPWithSHA-256AndMGF1Padding". */
  private static final Pattern OAEP_NAME =
      Pattern.compile("OAEPWITH(SHA[0-9/-]+)ANDMGF1PADDING", Pattern.CASE_INSENSITIVE);

  /** Of a package that the JDK keeps to itself. */
  private static final String TLS_PARAMETERS = ".TlsRsaPremasterSecretParameterSpec";

  private final String name;

  /** Null for PKCS1Padding. */
  private final OAEPParameterSpec oaep;

  private RsaPadding(String name, OAEPParameterSpec oaep) {
    this.name = name;
    this.oaep = oaep;
  }

  static RsaPadding pkcs1() {
    return new RsaPadding("PKCS1Padding", null);
  }

  /** The standard names; OAEP by its name alone means SHA-1 for MGF1, as in SunJCE. */
  static RsaPadding byName(String name) throws NoSuchPaddingException {
    if (name.equalsIgnoreCase("PKCS1Padding")) {
      return pkcs1();
    }
    if (name.equalsIgnoreCase("OAEPPadding")) {
      return new RsaPadding(name, OAEPParameterSpec.DEFAULT);
    }
    Matcher matcher = OAEP_NAME.matcher(name);
    if (!matcher.matches() || Hash.byName(matcher.group(1).toUpperCase(Locale.ROOT)) == null) {
      throw new NoSuchPaddingException("Keystay does not know the padding " + name);
    }
    Hash hash = Hash.byName(matcher.group(1).toUpperCase(Locale.ROOT));
    return new RsaPadding(
        name,
        new OAEPParameterSpec(
            hash.jcaName(), "MGF1", MGF1ParameterSpec.SHA1, PSource.PSpecified.DEFAULT));
  }

  String name() {
    return name;
  }

  /**
   * With the parameters of an initialisation; null for those of the name.
   *
   * @throws UnsupportedOperationException for JSSE's parameters of the secret of TLS_RSA_*, which it offers
   *     first: it takes this as the sign to go on without
   */
  RsaPadding with(AlgorithmParameterSpec parameters) throws InvalidAlgorithmParameterException {
    if (parameters == null) {
      return this;
    }
    if (oaep == null) {
      if (parameters.getClass().getName().endsWith(TLS_PARAMETERS)) {
        throw new UnsupportedOperationException("PKCS1Padding has no parameters");
      }
      throw new InvalidAlgorithmParameterException("PKCS1Padding has no parameters");
    }
    if (!(parameters instanceof OAEPParameterSpec)) {
      throw new InvalidAlgorithmParameterException("OAEP needs an OAEPParameterSpec");
    }
    OAEPParameterSpec given = (OAEPParameterSpec) parameters;
    if (Hash.byName(given.getDigestAlgorithm()) == null
        || mgf1Hash(given) == null
        || !(given.getPSource() instanceof PSource.PSpecified)) {
      throw new InvalidAlgorithmParameterException(
          "Keystay does not know OAEP with " + given.getDigestAlgorithm() + " and "
              + given.getMGFAlgorithm());
    }
    return new RsaPadding(name, given);
  }

  /** Null for a padding without parameters. */
  AlgorithmParameters parameters() {
    if (oaep == null) {
      return null;
    }
    try {
      AlgorithmParameters result = JdkService.algorithmParameters("OAEP");
      result.init(oaep);
      return result;
    } catch (GeneralSecurityException e) {
      throw new ProviderException("no security provider encodes OAEP parameters", e);
    }
  }

  /**
   * One C_DecryptInit and one C_Decrypt. Where the token does not take OAEP with these hashes, and for a
   * label, it gives the bare block and the padding is taken off here.
   */
  byte[] decrypt(NativeKey key, byte[] ciphertext) throws KeystayException {
    if (oaep == null) {
      return key.decryptPkcs1(ciphertext);
    }
    Hash hash = Hash.byName(oaep.getDigestAlgorithm());
    byte[] label = ((PSource.PSpecified) oaep.getPSource()).getValue();
    if (label.length == 0 && hash.isNative() && mgf1Hash(oaep).isNative()) { // SoftHSM takes a label and does not look at it
      try {
        return key.decryptOaep(hash, mgf1Hash(oaep), ciphertext);
      } catch (KeystayException e) {
        if (!e.isRefusal()) {
          throw e;
        }
      }
    }
    return new OaepEncoding(hash, mgf1Hash(oaep), label).decode(key.decryptBlock(ciphertext));
  }

  private static Hash mgf1Hash(OAEPParameterSpec oaep) {
    AlgorithmParameterSpec mgf = oaep.getMGFParameters();
    return oaep.getMGFAlgorithm().equalsIgnoreCase("MGF1") && mgf instanceof MGF1ParameterSpec
        ? Hash.byName(((MGF1ParameterSpec) mgf).getDigestAlgorithm())
        : null;
  }
}
