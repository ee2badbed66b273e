#include "tests/bench/raw_signer.h"

#include <stdexcept>
#include <string>

#include "native/pkcs11/error.h"
#include "tests/bench/openssl_error.h"

namespace keystay::bench {
namespace {

constexpr std::size_t kDigestSize = 32;

}  // namespace

RawSigner::RawSigner(const RawToken& token, const Algorithm& algorithm, RawKey key, Hashing hashing)
    : functions_(token.functions),
      mechanism_(pkcs11::Sign{algorithm.mechanism}),
      hashing_(hashing),
      sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
      context_(EVP_MD_CTX_new()),
      data_(to_be_signed(algorithm, pkcs11::Bytes(kDigestSize))) {
  require(sha256_ && context_, "EVP_MD_fetch");
  hash();
  pkcs11::check(functions_.C_OpenSession(token.slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session_),
                "C_OpenSession");
  key_ = find_key(algorithm);
  if (key == RawKey::session_copy) key_ = copy(key_);
}

RawSigner::~RawSigner() { static_cast<void>(functions_.C_CloseSession(session_)); }

CK_OBJECT_HANDLE RawSigner::find_key(const Algorithm& algorithm) const {
  CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
  std::string label(algorithm.alias);
  std::array search{CK_ATTRIBUTE{CKA_CLASS, &object_class, sizeof object_class},
                    CK_ATTRIBUTE{CKA_LABEL, label.data(), label.size()}};
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  CK_ULONG found = 0;
  pkcs11::check(functions_.C_FindObjectsInit(session_, search.data(), search.size()), "C_FindObjectsInit");
  const CK_RV rv = functions_.C_FindObjects(session_, &object, 1, &found);
  pkcs11::check(functions_.C_FindObjectsFinal(session_), "C_FindObjectsFinal");
  pkcs11::check(rv, "C_FindObjects");
  if (found != 1) throw std::runtime_error("no private key " + label + " on the token");
  return object;
}

CK_OBJECT_HANDLE RawSigner::copy(CK_OBJECT_HANDLE key) const {
  CK_BBOOL no = 0;
  CK_ATTRIBUTE session_object{CKA_TOKEN, &no, sizeof no};
  CK_OBJECT_HANDLE result = CK_INVALID_HANDLE;
  pkcs11::check(functions_.C_CopyObject(session_, key, &session_object, 1, &result), "C_CopyObject");
  return result;
}

void RawSigner::hash() {
  const bool hashed =
      EVP_DigestInit_ex2(context_.get(), sha256_.get(), nullptr) == 1 &&
      EVP_DigestUpdate(context_.get(), message().data(), message().size()) == 1 &&
      EVP_DigestFinal_ex(context_.get(), data_.data() + data_.size() - kDigestSize, nullptr) == 1;
  require(hashed, "EVP_Digest");
}

std::size_t RawSigner::sign() {
  if (hashing_ == Hashing::each_time) hash();
  CK_ULONG length = signature_.size();
  pkcs11::check(functions_.C_SignInit(session_, mechanism_.get(), key_), "C_SignInit");
  pkcs11::check(functions_.C_Sign(session_, data_.data(), data_.size(), signature_.data(), &length),
                "C_Sign");
  return length;
}

}  // namespace keystay::bench
