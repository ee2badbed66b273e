package org.keystay.jca;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A signature of a token's key has the states of the JDK's own. Every sequence of two or three steps, between
 * an initialisation and a last signature, is made with both: each step ends the same way, by the same
 * exception or none, and each signature is over the same data.
 */
class SignatureStatesTest {
  /** What can be done to a signature; each {@code update} adds bytes of its own. */
  private enum Step {
    INIT_SIGN,
    INIT_SIGN_WITH_A_WRONG_KEY,
    INIT_VERIFY,
    UPDATE,
    UPDATE_BEYOND_THE_LIMIT,
    SIGN,
    SIGN_INTO_A_SHORT_ARRAY,
    VERIFY_NONSENSE,
    SET_NO_PARAMETERS,
    SET_WRONG_PARAMETERS,
    SET_OTHER_PARAMETERS
  }

  private static final Step[] ALL = Step.values();

  private static final PSSParameterSpec PSS = pss(32);
  private static final PSSParameterSpec OTHER_PSS = pss(20);

  /** The rows of the table. */
  private enum Row {
    RSA("SHA256withRSA", "RSA", "SunRsaSign", 300, 2),
    RSA_OF_DIGEST_INFO("NONEwithRSA", "RSA", "SunJCE", 246, 3),
    PSS("RSASSA-PSS", "RSA", "SunRsaSign", 300, 3),
    ECDSA("SHA256withECDSA", "EC", "SunEC", 300, 2),
    ECDSA_OF_DIGEST("NONEwithECDSA", "EC", "SunEC", 65, 3),
    EDWARDS("Ed25519", "EdDSA", "SunEC", 300, 3);

    final String algorithm;
    final String keyAlgorithm;
    final String software;

    /** Bytes that are one too many, where there is a limit that the JDK has too. */
    final int beyond;

    /** Steps between the first and the last: two where nothing but a hash is kept. */
    final int length;

    Row(String algorithm, String keyAlgorithm, String software, int beyond, int length) {
      this.algorithm = algorithm;
      this.keyAlgorithm = keyAlgorithm;
      this.software = software;
      this.beyond = beyond;
      this.length = length;
    }
  }

  private static final Map<String, KeyPair> SOFTWARE = new HashMap<>();
  private static final Map<String, KeyPair> TOKEN = new HashMap<>();

  @BeforeAll
  static void generateKeys() throws Exception {
    for (String algorithm : new String[] {"RSA", "EC", "EdDSA"}) {
      KeyPairGenerator generator =
          KeyPairGenerator.getInstance(algorithm, algorithm.equals("RSA") ? "SunRsaSign" : "SunEC");
      if (algorithm.equals("RSA")) {
        generator.initialize(2048);
      } else if (algorithm.equals("EC")) {
        generator.initialize(new ECGenParameterSpec("secp256r1"));
      }
      SOFTWARE.put(algorithm, generator.generateKeyPair());
    }
    TOKEN.put("RSA", TestToken.generate("RSA", "2048"));
    TOKEN.put("EC", TestToken.generate("EC", "secp256r1"));
    TOKEN.put("EdDSA", TestToken.generate("EdDSA", ""));
  }

  @ParameterizedTest
  @EnumSource
  void everySequenceOfStepsEndsAsInTheJdk(Row row) throws Exception {
    for (int number = 0; number < Math.pow(ALL.length, row.length); number++) {
      List<Step> steps = new ArrayList<>(List.of(Step.INIT_SIGN));
      for (int i = 0, rest = number; i < row.length; i++, rest /= ALL.length) {
        steps.add(ALL[rest % ALL.length]);
      }
      steps.add(Step.SIGN);
      if (row == Row.RSA_OF_DIGEST_INFO && areOfTheAdapter(steps)) {
        continue;
      }
      String expected = new Run(row, SOFTWARE, Security.getProvider(row.software)).take(steps);
      String actual = new Run(row, TOKEN, TestToken.provider()).take(steps);
      assertEquals(expected, actual, row.algorithm + " " + steps);
    }
  }

  /** The JDK makes NONEwithRSA of a Cipher, which shows, in each release otherwise, and in these steps. */
  private static boolean areOfTheAdapter(List<Step> steps) {
    return steps.stream()
        .anyMatch(s -> s.name().startsWith("SET_") || s == Step.INIT_SIGN_WITH_A_WRONG_KEY);
  }

  /** One signature object, and what became of it. */
  private static final class Run {
    private final Row row;
    private final Map<String, KeyPair> pairs;
    private final Signature signature;
    private final List<byte[]> updates = new ArrayList<>();
    private final StringBuilder record = new StringBuilder();

    Run(Row row, Map<String, KeyPair> pairs, Provider provider) throws Exception {
      this.row = row;
      this.pairs = pairs;
      this.signature = Signature.getInstance(row.algorithm, provider);
      if (row == Row.PSS) {
        signature.setParameter(PSS);
      }
    }

    String take(List<Step> steps) {
      for (Step step : steps) {
        try {
          record.append(take(step));
        } catch (GeneralSecurityException | RuntimeException e) {
          record.append(name(e));
        }
        record.append(' ');
      }
      return record.toString();
    }

    /** Unchecked exceptions may be of a more special class than the JDK's. */
    private static String name(Exception e) {
      return e instanceof GeneralSecurityException ? e.getClass().getSimpleName() : "unchecked";
    }

    private String take(Step step) throws GeneralSecurityException {
      switch (step) {
        case INIT_SIGN:
          signature.initSign(pairs.get(row.keyAlgorithm).getPrivate());
          return "initialised";
        case INIT_SIGN_WITH_A_WRONG_KEY:
          signature.initSign(pairs.get(row.keyAlgorithm.equals("RSA") ? "EC" : "RSA").getPrivate());
          return "initialised";
        case INIT_VERIFY:
          signature.initVerify(pairs.get(row.keyAlgorithm).getPublic());
          return "initialised";
        case UPDATE:
          byte[] piece = next(10);
          if (updates.size() % 2 == 0) {
            signature.update(ByteBuffer.wrap(piece));
          } else {
            signature.update(piece);
          }
          return "updated";
        case UPDATE_BEYOND_THE_LIMIT:
          for (byte b : next(row.beyond)) { // the JDK's NONEwithECDSA takes no larger piece than fits
            signature.update(b);
          }
          return "updated";
        case SIGN:
          return signed(signature.sign());
        case SIGN_INTO_A_SHORT_ARRAY:
          return "into " + signature.sign(new byte[3], 0, 3);
        case VERIFY_NONSENSE:
          return "verified " + signature.verify(new byte[256]);
        case SET_NO_PARAMETERS:
          signature.setParameter((AlgorithmParameterSpec) null);
          return "set";
        case SET_WRONG_PARAMETERS:
          signature.setParameter(new ECGenParameterSpec("secp256r1"));
          return "set";
        default:
          signature.setParameter(row == Row.PSS ? OTHER_PSS : null);
          return "set";
      }
    }

    private byte[] next(int length) {
      byte[] bytes = new byte[length];
      Arrays.fill(bytes, (byte) (updates.size() + 1));
      updates.add(bytes);
      return bytes;
    }

    /** Which of the updates, one after the other, the signature is over. */
    private String signed(byte[] value) throws GeneralSecurityException {
      for (int from = 0; from <= updates.size(); from++) {
        for (int to = from; to <= updates.size(); to++) {
          if (isOver(updates.subList(from, to), value)) {
            return "signed" + (from == to ? "[]" : "[" + from + ".." + to + "]");
          }
        }
      }
      return "signed nonsense";
    }

    private boolean isOver(List<byte[]> message, byte[] value) throws GeneralSecurityException {
      PSSParameterSpec[] parameters =
          row == Row.PSS ? new PSSParameterSpec[] {PSS, OTHER_PSS} : new PSSParameterSpec[1];
      for (PSSParameterSpec each : parameters) {
        Signature verifier = Signature.getInstance(row.algorithm, row.software);
        if (each != null) {
          verifier.setParameter(each);
        }
        verifier.initVerify(pairs.get(row.keyAlgorithm).getPublic());
        verifier.update(new byte[0]); // or the JDK 17 finds that Ed25519 has no message
        for (byte[] piece : message) {
          for (byte b : piece) {
            verifier.update(b);
          }
        }
        try {
          if (verifier.verify(value)) {
            return true;
          }
        } catch (GeneralSecurityException e) {
          continue; // more than its limit: not over that
        }
      }
      return false;
    }
  }

  private static PSSParameterSpec pss(int salt) {
    return new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, salt, 1);
  }
}
