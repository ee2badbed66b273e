#include "tests/support/test_ca.h"

#include <array>
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace keystay::test {

using std::chrono::hours;
using std::chrono::seconds;

void OpensslDelete::operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
void OpensslDelete::operator()(X509* certificate) const noexcept { X509_free(certificate); }

namespace {

struct LocalDelete {
  void operator()(X509_REQ* request) const noexcept { X509_REQ_free(request); }
  void operator()(X509_NAME* name) const noexcept { X509_NAME_free(name); }
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
using Request = std::unique_ptr<X509_REQ, LocalDelete>;
using Name = std::unique_ptr<X509_NAME, LocalDelete>;
using Bio = std::unique_ptr<BIO, LocalDelete>;

void require(bool condition, const char* what) {
  if (condition) return;
  std::array<char, 256> reason{};
  ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
  ERR_clear_error();
  throw std::runtime_error(std::string("test CA: ") + what + ": " + reason.data());
}

template <typename Write>
std::string pem(Write write) {
  const Bio bio(BIO_new(BIO_s_mem()));
  require(write(bio.get()) == 1, "cannot write PEM");
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string certificate_pem(X509* certificate) {
  return pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

Name common_name(std::string_view text) {
  Name name(X509_NAME_new());
  require(X509_NAME_add_entry_by_txt(name.get(), "CN", MBSTRING_UTF8,
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()), -1, 0) == 1,
          "cannot make a name");
  return name;
}

struct Issuer {
  X509* certificate;  // null: the certificate issues itself
  EVP_PKEY* key;
};

struct Validity {
  seconds from;
  seconds until;
};

// RFC 5280, section 4.1.2.2: positive, not more than 20 octets, and unpredictable.
void set_serial_number(X509* certificate) {
  std::array<unsigned char, 16> bytes;
  require(RAND_bytes(bytes.data(), bytes.size()) == 1, "no random bytes");
  bytes[0] &= 0x7f;
  BIGNUM* number = BN_bin2bn(bytes.data(), bytes.size(), nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  BN_free(number);
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, "cannot add an extension");
  X509_EXTENSION_free(extension);
}

struct Extension {
  int nid;
  std::string value;
};

Openssl<X509> certify(X509_NAME* subject, EVP_PKEY* key, const Issuer& issuer, const Validity& validity,
                      const std::vector<Extension>& extensions) {
  Openssl<X509> certificate(X509_new());
  X509* x509 = certificate.get();
  X509* by = issuer.certificate == nullptr ? x509 : issuer.certificate;
  X509_set_version(x509, X509_VERSION_3);
  set_serial_number(x509);
  X509_set_subject_name(x509, subject);
  X509_set_issuer_name(x509, issuer.certificate == nullptr ? subject : X509_get_subject_name(by));
  X509_gmtime_adj(X509_getm_notBefore(x509), validity.from.count());
  X509_gmtime_adj(X509_getm_notAfter(x509), validity.until.count());
  require(X509_set_pubkey(x509, key) == 1, "cannot set the public key");
  add_extension(x509, by, NID_subject_key_identifier, "hash");
  if (issuer.certificate != nullptr) add_extension(x509, by, NID_authority_key_identifier, "keyid:always");
  for (const Extension& extension : extensions) add_extension(x509, by, extension.nid, extension.value);
  require(X509_sign(x509, issuer.key, EVP_sha256()) > 0, "cannot sign the certificate");
  return certificate;
}

std::vector<Extension> ca_extensions(const char* basic_constraints) {
  return {{NID_basic_constraints, basic_constraints}, {NID_key_usage, "critical,keyCertSign,cRLSign"}};
}

std::vector<Extension> leaf_extensions(const LeafOptions& options) {
  std::vector<Extension> extensions{{NID_basic_constraints, "critical,CA:FALSE"},
                                    {NID_key_usage, "critical,digitalSignature,keyEncipherment"},
                                    {NID_ext_key_usage, options.usage}};
  std::string names;
  for (const std::string& name : options.dns_names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
  for (const std::string& address : options.ip_addresses) names += (names.empty() ? "IP:" : ",IP:") + address;
  for (const std::string& uri : options.uris) names += (names.empty() ? "URI:" : ",URI:") + uri;
  if (!names.empty()) extensions.push_back({NID_subject_alt_name, names});
  return extensions;
}

Request read_request(std::string_view request_pem) {
  const Bio bio(BIO_new_mem_buf(request_pem.data(), static_cast<int>(request_pem.size())));
  Request request(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
  require(request != nullptr, "not a PKCS #10 request");
  require(X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())) == 1,
          "the request's signature does not verify");
  return request;
}

}  // namespace

Openssl<EVP_PKEY> generate_key(KeyKind kind) {
  Openssl<EVP_PKEY> key(kind == KeyKind::rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
  require(key != nullptr, "cannot generate a key");
  return key;
}

std::string private_key_pem(EVP_PKEY* key) {
  return pem(
      [&](BIO* bio) { return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

LeafOptions LeafOptions::expired() {
  LeafOptions options;
  options.valid_from = -hours(48);
  options.valid_until = -hours(24);
  return options;
}

TestCa::TestCa(KeyKind kind) : root_key_(generate_key(kind)), intermediate_key_(generate_key(kind)) {
  const Validity validity{.from = -hours(24 * 365), .until = hours(24 * 365)};
  root_ = certify(common_name("Keystay test root").get(), root_key_.get(), {nullptr, root_key_.get()},
                  validity, ca_extensions("critical,CA:TRUE"));
  intermediate_ =
      certify(common_name("Keystay test intermediate").get(), intermediate_key_.get(),
              {root_.get(), root_key_.get()}, validity, ca_extensions("critical,CA:TRUE,pathlen:0"));
  root_pem_ = certificate_pem(root_.get());
  intermediate_pem_ = certificate_pem(intermediate_.get());
}

std::string TestCa::leaf(X509_NAME* subject, EVP_PKEY* key, const LeafOptions& options) const {
  return certificate_pem(certify(subject, key, {intermediate_.get(), intermediate_key_.get()},
                                 {options.valid_from, options.valid_until}, leaf_extensions(options))
                             .get());
}

std::string TestCa::sign(std::string_view request_pem, const LeafOptions& options) const {
  const Request request = read_request(request_pem);
  return leaf(X509_REQ_get_subject_name(request.get()), X509_REQ_get0_pubkey(request.get()), options);
}

std::string TestCa::sign_with_chain(std::string_view request_pem, const LeafOptions& options) const {
  return sign(request_pem, options) + intermediate_pem_;
}

SoftwareIdentity TestCa::issue(KeyKind kind, const LeafOptions& options) const {
  const Openssl<EVP_PKEY> key = generate_key(kind);
  const std::string name = options.dns_names.empty() ? "leaf" : options.dns_names.front();
  return {.key_pem = private_key_pem(key.get()),
          .chain_pem = leaf(common_name(name).get(), key.get(), options) + intermediate_pem_};
}

std::filesystem::path TestCa::write_root(const TemporaryDirectory& directory) const {
  return directory.write("root.pem", root_pem_);
}

}  // namespace keystay::test
