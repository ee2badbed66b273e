#include "tests/support/test_party.h"

#include <stdexcept>
#include <utility>

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace keystay::test {
namespace {

void require(bool condition) {
  if (!condition) throw std::runtime_error("cannot make a certificate for the test");
}

void set_name(X509_NAME* name, const Party& party, const WrittenName& written) {
  const std::string& text = written.text.empty() ? party.name : written.text;
  require(X509_NAME_add_entry_by_NID(name, NID_commonName, written.type,
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()), -1, 0) == 1);
}

std::string to_text(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(memory);
  return text;
}

}  // namespace

Party::Party(std::string common_name)
    : Party(std::move(common_name), std::shared_ptr<EVP_PKEY>(EVP_EC_gen("P-256"), EVP_PKEY_free)) {}

Party::Party(std::string common_name, std::shared_ptr<EVP_PKEY> with_key)
    : name(std::move(common_name)), key(std::move(with_key)) {}

Terms expired() { return {.valid_from = -std::chrono::hours(48), .valid_until = -std::chrono::hours(24)}; }

Terms end_entity() { return {.ca = false}; }

std::string certificate(const Party& subject, const Party& issuer, const Terms& terms) {
  const Openssl<X509> certificate(X509_new());
  X509* x509 = certificate.get();
  X509_set_version(x509, X509_VERSION_3);
  std::uint64_t serial = 0;
  require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial >> 1);
  set_name(X509_get_subject_name(x509), subject, terms.subject);
  set_name(X509_get_issuer_name(x509), issuer, terms.issuer);
  X509_gmtime_adj(X509_getm_notBefore(x509), terms.valid_from.count());
  X509_gmtime_adj(X509_getm_notAfter(x509), terms.valid_until.count());
  require(X509_set_pubkey(x509, subject.key.get()) == 1);
  X509_EXTENSION* constraints = X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints,
                                                    terms.ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  require(constraints && X509_add_ext(x509, constraints, -1) == 1);
  X509_EXTENSION_free(constraints);
  require(X509_sign(x509, issuer.key.get(), EVP_sha256()) > 0);
  BIO* memory = BIO_new(BIO_s_mem());
  require(PEM_write_bio_X509(memory, x509) == 1);
  return to_text(memory);
}

std::shared_ptr<EVP_PKEY> key_of_request(const std::string& pem) {
  BIO* memory = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509_REQ* request = PEM_read_bio_X509_REQ(memory, nullptr, nullptr, nullptr);
  BIO_free(memory);
  require(request != nullptr);
  std::shared_ptr<EVP_PKEY> key(X509_REQ_get_pubkey(request), EVP_PKEY_free);
  X509_REQ_free(request);
  return key;
}

}  // namespace keystay::test
