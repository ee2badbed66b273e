#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include "native/x509/error.h"
#include "native/x509/error_mark.h"
#include "native/x509/pem_reference.h"
#include "provider/dispatch.h"
#include "provider/exchange/secret_bytes.h"
#include "provider/guard.h"
#include "provider/key/key_lookup.h"
#include "provider/operations.h"
#include "provider/store/store_objects.h"

namespace keystay::provider {
namespace {

constexpr char kStructure[] = "keystay-reference";
constexpr std::size_t kLongestReference = 64 * 1024;

// Decoders return 1 for "not mine, go on", and 0 to stop everything with an error.
constexpr int kGoOn = 1;

// One PEM block. It may be a private key in the clear, so it is wiped.
struct PemBlock {
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;

  PemBlock() = default;
  PemBlock(const PemBlock&) = delete;
  PemBlock& operator=(const PemBlock&) = delete;
  ~PemBlock() {
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  }
};

// All that can be read, if it is no longer than a reference may be, in which a PIN may stand.
class Input final {
 public:
  explicit Input(BIO* input) : room_(kLongestReference) {
    const std::span<std::uint8_t> room = room_.bytes();
    std::size_t count = 0;
    while (size_ < room.size() && BIO_read_ex(input, room.data() + size_, room.size() - size_, &count) == 1) {
      size_ += count;
    }
  }

  [[nodiscard]] pkcs11::ByteView bytes() noexcept { return room_.bytes().first(size_); }

 private:
  SecretBytes room_;
  std::size_t size_ = 0;
};

bool begins_as_reference(pkcs11::ByteView pem) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  const std::string_view text(reinterpret_cast<const char*>(pem.data()), pem.size());
  const std::size_t begin = text.find(kBegin);
  return begin != text.npos && text.substr(begin + kBegin.size()).starts_with(x509::kPemReferenceLabel);
}

// False for what others may be able to read.
bool read_reference_block(BIO* input, PemBlock& block) {
  const x509::ErrorMark no_pem_is_no_error;
  const long begin = BIO_ctrl(input, BIO_C_FILE_TELL, 0, nullptr);
  if (PEM_read_bio(input, &block.label, &block.header, &block.data, &block.size) == 1) {
    return std::strcmp(block.label, x509::kPemReferenceLabel) == 0;
  }
  if (BIO_ctrl(input, BIO_C_FILE_SEEK, begin, nullptr) >= 0 && begins_as_reference(Input(input).bytes())) {
    throw Error(Reason::reference,
                "the key reference breaks off; write the file again with: keystay -exportref");
  }
  return false;
}

x509::InputOutput open(Context& context, OSSL_CORE_BIO* input) {
  x509::InputOutput bio(BIO_new_from_core_bio(context.software().libctx(), input));
  if (!bio) throw SoftwareFailure("BIO_new_from_core_bio");
  return bio;
}

// A reference while a thread decodes it. libcrypto asks the decoders of all types in turn, and OSSL_STORE, by
// which the openssl programs read files, drops their errors: so the key is looked up once, and why there is
// none is told by the decoder of PEM, whose errors are kept.
struct Decoding {
  KeyPtr key;
  std::optional<Failure> failure;
};
// Nothing that is done while it is set pauses a job: this thread's other jobs would see it.
thread_local Decoding* current_decoding = nullptr;

void look_up(Context& context, const pkcs11::Uri& uri, Decoding& decoding) noexcept {
  if (decoding.key || decoding.failure) return;
  try {
    decoding.key = key_of_reference(context, uri);
  } catch (...) {
    decoding.failure = current_failure();
  }
}

// Passes what was read from PEM on to the decoders of keys.
int pass_on(const OSSL_PARAM result[], OSSL_CALLBACK* callback, void* argument) {
  Decoding decoding;
  Decoding* const outer = std::exchange(current_decoding, &decoding);
  const int taken = callback(result, argument);
  current_decoding = outer;
  if (!taken && decoding.failure) throw Error(*decoding.failure);
  return taken;
}

// PEM to DER. The type of the key goes along where the reference states it, so that only one decoder follows.
int decode_pem(void* ctx, OSSL_CORE_BIO* input, int /*selection*/, OSSL_CALLBACK* callback, void* argument,
               OSSL_PASSPHRASE_CALLBACK* /*passphrase*/, void* /*passphrase_argument*/) noexcept {
  auto& context = *static_cast<Context*>(ctx);
  return guard(context.core(), [&] {
    const auto bio = open(context, input);
    PemBlock block;
    if (!read_reference_block(bio.get(), block)) return kGoOn;
    const std::span der(block.data, static_cast<std::size_t>(block.size));
    const KeyType* type = stated_type(x509::decode_reference(der));

    std::array<OSSL_PARAM, 4> result;
    OSSL_PARAM* next = result.data();
    *next++ = OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA, der.data(), der.size());
    *next++ =
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_STRUCTURE, const_cast<char*>(kStructure), 0);
    if (type) {
      *next++ = OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE,
                                                 const_cast<char*>(type->algorithm), 0);
    }
    *next = OSSL_PARAM_construct_end();
    return pass_on(result.data(), callback, argument);
  });
}

std::optional<pkcs11::Uri> reference_in(pkcs11::ByteView der) {
  const x509::ErrorMark other_der_is_no_error;
  try {
    return x509::decode_reference(der);
  } catch (const x509::Error&) {
    return std::nullopt;
  }
}

// DER to a key of one type.
template <const KeyType& type>
int decode_key(void* ctx, OSSL_CORE_BIO* input, int selection, OSSL_CALLBACK* callback, void* argument,
               OSSL_PASSPHRASE_CALLBACK* passphrase, void* passphrase_argument) noexcept {
  auto& context = *static_cast<Context*>(ctx);
  return guard(context.core(), [&] {
    const auto uri = reference_in(Input(open(context, input).get()).bytes());
    if (!uri) return kGoOn;
    const PassphraseScope prompt({passphrase, passphrase_argument});
    Decoding alone;
    Decoding& decoding = current_decoding ? *current_decoding : alone;
    look_up(context, *uri, decoding);
    if (alone.failure) throw Error(*alone.failure);
    if (decoding.failure) return 0;
    // As with a PEM of SubjectPublicKeyInfo: who asks for a private key goes on looking.
    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 && !decoding.key->on_token()) return kGoOn;
    return &decoding.key->type() == &type ? provider::pass_on(decoding.key, callback, argument) : kGoOn;
  });
}

void* new_context(void* provctx) noexcept { return provctx; }
void free_context(void* /*ctx*/) noexcept {}

int does_selection(void* /*provctx*/, int selection) noexcept {
  return selection == 0 || (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0 ? 1 : 0;
}

template <Callback<OSSL_FUNC_decoder_decode_fn>::Type decode>
const OSSL_DISPATCH* functions() {
  static const OSSL_DISPATCH table[] = {
      entry<OSSL_FUNC_decoder_newctx_fn>(OSSL_FUNC_DECODER_NEWCTX, new_context),
      entry<OSSL_FUNC_decoder_freectx_fn>(OSSL_FUNC_DECODER_FREECTX, free_context),
      entry<OSSL_FUNC_decoder_does_selection_fn>(OSSL_FUNC_DECODER_DOES_SELECTION, does_selection),
      entry<OSSL_FUNC_decoder_decode_fn>(OSSL_FUNC_DECODER_DECODE, decode),
      kEndOfDispatch,
  };
  return table;
}

}  // namespace

const OSSL_ALGORITHM* decoder_algorithms() noexcept {
  static constexpr char kFromPem[] = "provider=keystay,input=pem";
  static constexpr char kFromDer[] = "provider=keystay,input=der,structure=keystay-reference";
  static const OSSL_ALGORITHM algorithms[] = {
      {"DER", kFromPem, functions<decode_pem>(), "PEM references to keys on PKCS#11 tokens"},
      {kRsa.algorithm, kFromDer, functions<decode_key<kRsa>>(), "References to RSA keys on PKCS#11 tokens"},
      {kRsaPss.algorithm, kFromDer, functions<decode_key<kRsaPss>>(),
       "References to RSA-PSS keys on PKCS#11 tokens"},
      {kEc.algorithm, kFromDer, functions<decode_key<kEc>>(), "References to EC keys on PKCS#11 tokens"},
      {kEd25519.algorithm, kFromDer, functions<decode_key<kEd25519>>(),
       "References to Ed25519 keys on PKCS#11 tokens"},
      {kEd448.algorithm, kFromDer, functions<decode_key<kEd448>>(),
       "References to Ed448 keys on PKCS#11 tokens"},
      {kX25519.algorithm, kFromDer, functions<decode_key<kX25519>>(),
       "References to X25519 keys on PKCS#11 tokens"},
      {nullptr, nullptr, nullptr, nullptr},
  };
  return algorithms;
}

}  // namespace keystay::provider
