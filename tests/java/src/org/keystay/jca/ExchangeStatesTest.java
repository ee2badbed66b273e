package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.Security;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.crypto.BadPaddingException;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A cipher and a key agreement of a token's key have the states of the JDK's own, as in {@link
 * SignatureStatesTest}: every sequence of steps ends the same way with both.
 */
class ExchangeStatesTest {
  private static final byte[] SECRET = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  private static final int BLOCK = 256;
  private static final Map<String, KeyPair> SOFTWARE = new HashMap<>();
  private static final Map<String, KeyPair> TOKEN = new HashMap<>();
  private static KeyPair peer;
  private static KeyPair peerOfAnotherCurve;
  private static boolean tokenRejectsImplicitly;

  /** What can be done to a cipher; "good" is a whole ciphertext. */
  private enum CipherStep {
    INIT,
    INIT_WITH_A_WRONG_KEY,
    INIT_WITH_WRONG_PARAMETERS,
    UPDATE_HALF_OF_A_GOOD_ONE,
    UPDATE_TOO_MUCH,
    FINISH_NOTHING,
    FINISH_THE_OTHER_HALF,
    FINISH_A_GOOD_ONE,
    FINISH_A_SHORT_ONE,
    FINISH_A_LONG_ONE,
    FINISH_INTO_A_SHORT_ARRAY,
    UNWRAP_A_GOOD_ONE,
    UNWRAP_A_SHORT_ONE,
    UNWRAP_A_LONG_ONE
  }

  /** What can be done to a key agreement. */
  private enum AgreementStep {
    INIT,
    INIT_WITH_A_WRONG_KEY,
    INIT_WITH_PARAMETERS,
    MEET_THE_PEER,
    MEET_THE_PEER_IN_A_FIRST_OF_TWO_PHASES,
    MEET_A_PEER_OF_ANOTHER_CURVE,
    GENERATE,
    GENERATE_INTO_AN_ARRAY,
    GENERATE_INTO_A_SHORT_ARRAY,
    GENERATE_A_PREMASTER_SECRET,
    GENERATE_A_KEY_OF_NO_KIND
  }

  /** One thing that is done to an object, and its result in a word. */
  private interface Action<S> {
    String take(S step) throws GeneralSecurityException;
  }

  @BeforeAll
  static void generateKeys() throws Exception {
    KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA", "SunRsaSign");
    rsa.initialize(8 * BLOCK);
    SOFTWARE.put("RSA", rsa.generateKeyPair());
    SOFTWARE.put("EC", software("secp256r1"));
    peer = software("secp256r1");
    peerOfAnotherCurve = software("secp384r1");
    System.setProperty("org.keystay.exchange", "true");
    try {
      TOKEN.put("RSA", TestToken.generate("RSA", Integer.toString(8 * BLOCK)));
      TOKEN.put("EC", TestToken.generate("EC", "secp256r1"));
    } finally {
      System.clearProperty("org.keystay.exchange");
    }
    tokenRejectsImplicitly = rejectsImplicitly(TOKEN.get("RSA"));
  }

  @ParameterizedTest
  @CsvSource({
    "RSA/ECB/PKCS1Padding, 2", "RSA/ECB/PKCS1Padding, 4", "RSA/ECB/OAEPWithSHA-1AndMGF1Padding, 2",
    "RSA/ECB/OAEPWithSHA-256AndMGF1Padding, 2", "RSA/ECB/OAEPWithSHA-256AndMGF1Padding, 4"
  })
  void everySequenceOfACipherEndsAsInTheJdk(String transformation, int mode) throws Exception {
    for (List<CipherStep> steps : sequences(CipherStep.values(), 2)) {
      steps.add(0, CipherStep.INIT);
      steps.add(mode == Cipher.DECRYPT_MODE ? CipherStep.FINISH_A_GOOD_ONE : CipherStep.UNWRAP_A_GOOD_ONE);
      assertEquals(
          record(cipher(transformation, mode, SOFTWARE, Security.getProvider("SunJCE")), steps),
          record(cipher(transformation, mode, TOKEN, TestToken.provider()), steps),
          transformation + " " + steps);
    }
  }

  @Test
  void everySequenceOfAnAgreementEndsAsInTheJdk() throws Exception {
    for (List<AgreementStep> steps : sequences(AgreementStep.values(), 3)) {
      steps.add(0, AgreementStep.INIT);
      steps.add(AgreementStep.GENERATE);
      if (Runtime.version().feature() < 25
          && (steps.contains(AgreementStep.MEET_A_PEER_OF_ANOTHER_CURVE)
              || steps.contains(AgreementStep.INIT_WITH_A_WRONG_KEY))) {
        continue; // earlier JDKs agree with a peer that they refused, and by the key of before
      }
      assertEquals(
          record(agreement(SOFTWARE, Security.getProvider("SunEC")), steps),
          record(agreement(TOKEN, TestToken.provider()), steps),
          steps.toString());
    }
  }

  private static Action<CipherStep> cipher(
      String transformation, int mode, Map<String, KeyPair> pairs, Provider provider)
      throws GeneralSecurityException {
    Cipher encryption = Cipher.getInstance(transformation, "SunJCE");
    encryption.init(Cipher.ENCRYPT_MODE, pairs.get("RSA").getPublic());
    byte[] good = encryption.doFinal(SECRET);
    Cipher cipher = Cipher.getInstance(transformation, provider);
    PrivateKey key = pairs.get("RSA").getPrivate();
    PrivateKey wrong = pairs.get("EC").getPrivate();
    return step -> {
      switch (step) {
        case INIT:
          cipher.init(mode, key);
          return "initialised";
        case INIT_WITH_A_WRONG_KEY:
          cipher.init(mode, wrong);
          return "initialised";
        case INIT_WITH_WRONG_PARAMETERS:
          cipher.init(mode, key, new IvParameterSpec(new byte[16]));
          return "initialised";
        case UPDATE_HALF_OF_A_GOOD_ONE:
          return text(cipher.update(good, 0, BLOCK / 2));
        case UPDATE_TOO_MUCH:
          return text(cipher.update(new byte[BLOCK + 1]));
        case FINISH_NOTHING:
          return finished(transformation, cipher.doFinal());
        case FINISH_THE_OTHER_HALF:
          return finished(transformation, cipher.doFinal(good, BLOCK / 2, BLOCK / 2));
        case FINISH_A_GOOD_ONE:
          return finished(transformation, cipher.doFinal(good));
        case FINISH_A_SHORT_ONE:
          return finished(transformation, cipher.doFinal(new byte[10]));
        case FINISH_A_LONG_ONE:
          return finished(transformation, cipher.doFinal(Arrays.copyOf(good, BLOCK + 1)));
        case FINISH_INTO_A_SHORT_ARRAY:
          return "into " + cipher.doFinal(good, 0, BLOCK, new byte[BLOCK - 1], 0);
        case UNWRAP_A_GOOD_ONE:
          return unwrapped(transformation, cipher.unwrap(good, "AES", Cipher.SECRET_KEY));
        case UNWRAP_A_SHORT_ONE:
          return unwrapped(transformation, cipher.unwrap(new byte[10], "AES", Cipher.SECRET_KEY));
        default:
          return unwrapped(transformation, cipher.unwrap(new byte[BLOCK + 1], "AES", Cipher.SECRET_KEY));
      }
    };
  }

  /** Throws for random bytes what the JDK throws, which does not reject implicitly. */
  private static String finished(String transformation, byte[] plaintext) throws BadPaddingException {
    if (isImplicitRejection(transformation, plaintext)) throw new BadPaddingException();
    return text(plaintext);
  }

  private static String unwrapped(String transformation, Key key) throws InvalidKeyException {
    if (isImplicitRejection(transformation, key.getEncoded())) throw new InvalidKeyException();
    return text(key.getEncoded());
  }

  /** A token whose libcrypto is OpenSSL 3.2 or later gives random bytes for what PKCS #1 v1.5 does not pad. */
  private static boolean isImplicitRejection(String transformation, byte[] plaintext) {
    return tokenRejectsImplicitly && transformation.contains("PKCS1") && !Arrays.equals(SECRET, plaintext);
  }

  private static boolean rejectsImplicitly(KeyPair pair) throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("RSA/ECB/PKCS1Padding", TestToken.provider());
    cipher.init(Cipher.DECRYPT_MODE, pair.getPrivate());
    try {
      cipher.doFinal(new byte[BLOCK]); // zero to any power is zero: no padding
      return true;
    } catch (BadPaddingException error) {
      return false;
    }
  }

  private static Action<AgreementStep> agreement(Map<String, KeyPair> pairs, Provider provider)
      throws GeneralSecurityException {
    KeyAgreement agreement = KeyAgreement.getInstance("ECDH", provider);
    KeyAgreement other = KeyAgreement.getInstance("ECDH", "SunEC");
    other.init(peer.getPrivate());
    other.doPhase(pairs.get("EC").getPublic(), true);
    byte[] secret = other.generateSecret();
    PrivateKey key = pairs.get("EC").getPrivate();
    byte[] output = new byte[100];
    return step -> {
      switch (step) {
        case INIT:
          agreement.init(key);
          return "initialised";
        case INIT_WITH_A_WRONG_KEY:
          agreement.init(pairs.get("RSA").getPrivate());
          return "initialised";
        case INIT_WITH_PARAMETERS:
          agreement.init(key, new ECGenParameterSpec("secp256r1"));
          return "initialised";
        case MEET_THE_PEER:
          return "met " + agreement.doPhase(peer.getPublic(), true);
        case MEET_THE_PEER_IN_A_FIRST_OF_TWO_PHASES:
          return "met " + agreement.doPhase(peer.getPublic(), false);
        case MEET_A_PEER_OF_ANOTHER_CURVE:
          return "met " + agreement.doPhase(peerOfAnotherCurve.getPublic(), true);
        case GENERATE:
          return "secret " + Arrays.equals(secret, agreement.generateSecret());
        case GENERATE_INTO_AN_ARRAY:
          int size = agreement.generateSecret(output, 1);
          return "secret " + Arrays.equals(secret, Arrays.copyOfRange(output, 1, 1 + size));
        case GENERATE_INTO_A_SHORT_ARRAY:
          return "secret " + agreement.generateSecret(new byte[31], 0);
        case GENERATE_A_PREMASTER_SECRET:
          return "secret "
              + agreement
                  .generateSecret("TlsPremasterSecret")
                  .equals(new SecretKeySpec(secret, "TlsPremasterSecret"));
        default:
          return "key " + agreement.generateSecret("no kind").getAlgorithm();
      }
    };
  }

  private static <S> String record(Action<S> action, List<S> steps) {
    StringBuilder record = new StringBuilder();
    for (S step : steps) {
      try {
        record.append(action.take(step));
      } catch (GeneralSecurityException e) {
        record.append(e.getClass().getSimpleName());
      } catch (IllegalStateException e) {
        record.append("wrong state");
      } catch (RuntimeException e) {
        record.append("unchecked");
      }
      record.append(' ');
    }
    return record.toString();
  }

  private static String text(byte[] bytes) {
    return bytes == null || bytes.length == 0 ? "nothing" : Arrays.toString(bytes);
  }

  /** All sequences of this many steps. */
  private static <S> List<List<S>> sequences(S[] steps, int length) {
    List<List<S>> sequences = new ArrayList<>(List.of(new ArrayList<>()));
    for (int i = 0; i < length; i++) {
      List<List<S>> longer = new ArrayList<>();
      for (List<S> sequence : sequences) {
        for (S step : steps) {
          List<S> next = new ArrayList<>(sequence);
          next.add(step);
          longer.add(next);
        }
      }
      sequences = longer;
    }
    return sequences;
  }

  private static KeyPair software(String curve) throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "SunEC");
    generator.initialize(new ECGenParameterSpec(curve));
    return generator.generateKeyPair();
  }
}
