// keystay-libp11-witness MODULE TOKEN-LABEL: what libp11, which knows nothing of Keystay, sees on a token.
// One line for each key pair and certificate: kind, CKA_ID, DER (SubjectPublicKeyInfo or certificate),
// CKA_LABEL. The PIN comes from TOKEN_PIN.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <libp11.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace {

struct Release {
  void operator()(PKCS11_CTX* context) const {
    PKCS11_CTX_unload(context);
    PKCS11_CTX_free(context);
  }
};

void require(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

std::string hex(const unsigned char* bytes, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", bytes[i]);
    text += digits;
  }
  return text.empty() ? "-" : text;
}

template <typename T>
std::string der(int (*encode)(const T*, unsigned char**), const T* value) {
  unsigned char* bytes = nullptr;
  const int size = encode(value, &bytes);
  require(size > 0, "cannot encode");
  std::string text = hex(bytes, static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return text;
}

void print(const char* kind, const std::string& id, const std::string& value, const char* label) {
  std::printf("%s %s %s %s\n", kind, id.c_str(), value.c_str(), label == nullptr ? "" : label);
}

void print_keys(const char* kind, PKCS11_KEY* keys, unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    EVP_PKEY* key = PKCS11_get_public_key(&keys[i]);
    print(kind, hex(keys[i].id, keys[i].id_len), key == nullptr ? "-" : der(i2d_PUBKEY, key), keys[i].label);
    EVP_PKEY_free(key);
  }
}

void print_objects(PKCS11_TOKEN* token) {
  PKCS11_KEY* keys = nullptr;
  unsigned count = 0;
  require(PKCS11_enumerate_keys(token, &keys, &count) == 0, "cannot list private keys");
  print_keys("private-key", keys, count);
  require(PKCS11_enumerate_public_keys(token, &keys, &count) == 0, "cannot list public keys");
  print_keys("public-key", keys, count);
  PKCS11_CERT* certificates = nullptr;
  require(PKCS11_enumerate_certs(token, &certificates, &count) == 0, "cannot list certificates");
  for (unsigned i = 0; i < count; ++i) {
    const PKCS11_CERT& certificate = certificates[i];
    print("certificate", hex(certificate.id, certificate.id_len), der(i2d_X509, certificate.x509),
          certificate.label);
  }
}

void run(const char* module, const std::string& label) {
  const std::unique_ptr<PKCS11_CTX, Release> context(PKCS11_CTX_new());
  require(PKCS11_CTX_load(context.get(), module) == 0, "cannot load the module");
  PKCS11_SLOT* slots = nullptr;
  unsigned count = 0;
  require(PKCS11_enumerate_slots(context.get(), &slots, &count) == 0, "cannot list slots");
  PKCS11_SLOT* found = nullptr;
  for (unsigned i = 0; i < count; ++i) {
    if (slots[i].token != nullptr && slots[i].token->label == label) found = &slots[i];
  }
  require(found != nullptr, "no such token");
  const char* pin = std::getenv("TOKEN_PIN");
  require(pin != nullptr && PKCS11_login(found, 0, pin) == 0, "cannot log in");
  print_objects(found->token);
  PKCS11_release_all_slots(context.get(), slots, count);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    require(argc == 3, "usage: keystay-libp11-witness MODULE TOKEN-LABEL");
    run(argv[1], argv[2]);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "keystay-libp11-witness: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
