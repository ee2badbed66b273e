#include "native/x509/key_file.h"

#include <cstring>
#include <exception>
#include <utility>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "native/x509/certificate_bundle.h"
#include "native/x509/error.h"
#include "native/x509/error_mark.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/key_file_password.h"
#include "native/x509/pem_block.h"
#include "native/x509/pkcs12_file.h"

namespace keystay::x509 {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";

// The blocks of PEM text with private keys, and the text without them: what reads certificates does not wipe
// what it has read.
struct PemParts {
  std::vector<std::string_view> keys;
  std::string rest;
};

// From `begin` to the end of the line that ends the block; all the rest if there is none.
std::string_view block_at(std::string_view text, std::size_t begin) {
  std::size_t end = text.find(kEnd, begin);
  if (end != std::string_view::npos) end = text.find(kDashes, end + kEnd.size());
  return text.substr(begin, end == std::string_view::npos ? end : end + kDashes.size() - begin);
}

PemParts split(std::string_view text) {
  PemParts parts;
  std::size_t at = 0;
  for (;;) {
    const std::size_t begin = text.find(kBegin, at);
    if (begin == std::string_view::npos) break;
    const std::string_view block = block_at(text, begin);
    const std::string_view label =
        block.substr(kBegin.size(), block.find(kDashes, kBegin.size()) - kBegin.size());
    if (label.ends_with("PRIVATE KEY"))
      parts.keys.push_back(block);
    else
      parts.rest.append(block).append("\n");
    at = begin + block.size();
  }
  return parts;
}

// What libcrypto asks for a password while it reads PEM.
struct PasswordQuestion {
  const KeyFilePasswords& passwords;
  bool asked = false;
  std::exception_ptr failure{};

  static int answer(char* buffer, int size, int /*writing*/, void* self) noexcept {
    auto& question = *static_cast<PasswordQuestion*>(self);
    question.asked = true;
    try {
      const pkcs11::Pin password =
          question.passwords.key ? question.passwords.key() : question.passwords.file();
      if (password.size() > static_cast<std::size_t>(size)) return -1;
      if (password.size() > 0) std::memcpy(buffer, password.bytes().data(), password.size());
      return static_cast<int>(password.size());
    } catch (...) {
      question.failure = std::current_exception();
      return -1;
    }
  }
};

// RFC 5958, section 3: EncryptedPrivateKeyInfo.
using EncryptedKey = Owned<X509_SIG, X509_SIG_free>;
EncryptedKey encrypted_key(std::string_view content) {
  const ErrorMark other_bytes_are_no_error;
  const auto* in = reinterpret_cast<const unsigned char*>(content.data());
  EncryptedKey key(d2i_X509_SIG(nullptr, &in, static_cast<long>(content.size())));
  return key;
}

EvpPkey plain_key(std::string_view content) {
  const ErrorMark other_bytes_are_no_error;
  const auto* in = reinterpret_cast<const unsigned char*>(content.data());
  return EvpPkey(d2i_AutoPrivateKey_ex(nullptr, &in, static_cast<long>(content.size()), nullptr, nullptr));
}

EvpPkey der_key(std::string_view content, const KeyFilePasswords& passwords) {
  if (EvpPkey key = plain_key(content)) return key;
  const EncryptedKey encrypted = encrypted_key(content);
  if (!encrypted) throw Error("there is no private key in it that libcrypto can read");
  const FileCiphers ciphers;
  const PasswordText password(passwords.key ? passwords.key() : passwords.file());
  const Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info(
      PKCS8_decrypt_ex(encrypted.get(), password.text(), password.size(), ciphers.context(), nullptr));
  if (!info) {
    ciphers.require_known();
    ERR_clear_error();
    throw Error("the password is not that of the private key, or the key is damaged");
  }
  EvpPkey key(EVP_PKCS82PKEY(info.get()));
  if (!key) throw openssl_error("its private key is of an algorithm that libcrypto does not know");
  return key;
}

// PKCS #8, or the older form of one algorithm, which may be encrypted in a way of PEM's own.
EvpPkey pem_key(std::string_view block, const KeyFilePasswords& passwords) {
  if (block.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----")) {
    const auto encrypted = PemReader(block).next();
    if (!encrypted) throw Error("its private key is damaged");
    return der_key({reinterpret_cast<const char*>(encrypted->der().data()), encrypted->der().size()},
                   passwords);
  }
  const FileCiphers ciphers;
  const InputOutput memory(BIO_new_mem_buf(block.data(), static_cast<int>(block.size())));
  PasswordQuestion question{passwords};
  if (!memory) throw openssl_error("cannot read PEM text");
  EvpPkey key(PEM_read_bio_PrivateKey_ex(memory.get(), nullptr, PasswordQuestion::answer, &question, nullptr,
                                         nullptr));
  if (key) return key;
  if (question.failure) std::rethrow_exception(question.failure);
  ciphers.require_known();
  if (question.asked) {
    ERR_clear_error();
    throw Error("the password is not that of the private key, or the key is damaged");
  }
  throw openssl_error("its private key is damaged, or of an algorithm that libcrypto does not know");
}

KeyFile read_pem(std::string_view content, const KeyFilePasswords& passwords) {
  const PemParts parts = split(content);
  if (parts.keys.empty()) throw Error("there is no private key in it");
  if (parts.keys.size() > 1) {
    throw Error("it has " + std::to_string(parts.keys.size()) +
                " private keys, which have no names in PEM to choose one by; leave one of them in the file");
  }
  KeyFile file;
  file.keys.push_back({"", pem_key(parts.keys.front(), passwords)});
  if (parts.rest.find("CERTIFICATE-----") != std::string::npos ||
      parts.rest.find("PKCS7") != std::string::npos)
    file.certificates = read_certificates(parts.rest);
  return file;
}

}  // namespace

std::optional<KeyFileForm> key_file_form(std::string_view content) {
  if (content.find(kBegin) != std::string_view::npos) return KeyFileForm::pem;
  if (is_pkcs12(content)) return KeyFileForm::pkcs12;
  if (plain_key(content) || encrypted_key(content)) return KeyFileForm::pkcs8;
  return std::nullopt;
}

KeyFile read_key_file(std::string_view content, KeyFileForm form, const KeyFilePasswords& passwords) {
  const ErrorsSetAside others;
  if (form == KeyFileForm::pkcs12) return read_pkcs12(content, passwords);
  if (form == KeyFileForm::pem) return read_pem(content, passwords);
  KeyFile file;
  file.keys.push_back({"", der_key(content, passwords)});
  return file;
}

}  // namespace keystay::x509
