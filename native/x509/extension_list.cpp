#include "native/x509/extension_list.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <strings.h>

#include "native/x509/error.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/extension.h"
#include "native/x509/extension_value.h"
#include "native/x509/openssl_pkix.h"

namespace keystay::x509 {
namespace {

using pkcs11::ByteView;
using OctetString = Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;

constexpr std::string_view kHonored = "honored=";

bool is_honored(std::string_view text) {
  return text.size() >= kHonored.size() && ::strncasecmp(text.data(), kHonored.data(), kHonored.size()) == 0;
}

OctetString octets(ByteView bytes) {
  OctetString value(ASN1_OCTET_STRING_new());
  if (!value || ASN1_OCTET_STRING_set(value.get(), bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw openssl_error("cannot make a key identifier");
  return value;
}

X509Extension subject_key_identifier(ByteView id) {
  return X509Extension(X509V3_EXT_i2d(NID_subject_key_identifier, 0, octets(id).get()));
}

X509Extension authority_key_identifier(ByteView id) {
  const Owned<AUTHORITY_KEYID, AUTHORITY_KEYID_free> value(AUTHORITY_KEYID_new());
  if (!value) throw openssl_error("cannot make a key identifier");
  value->keyid = octets(id).release();
  return X509Extension(X509V3_EXT_i2d(NID_authority_key_identifier, 0, value.get()));
}

void push(X509Extensions& extensions, X509Extension extension) {
  if (!extension || sk_X509_EXTENSION_push(extensions.get(), extension.get()) <= 0) {
    throw openssl_error("cannot add an extension");
  }
  static_cast<void>(extension.release());  // the stack owns it now
}

int position(const X509Extensions& extensions, const ASN1_OBJECT* type) {
  return X509v3_get_ext_by_OBJ(extensions.get(), type, -1);
}

void drop(X509Extensions& extensions, const ASN1_OBJECT* type) {
  for (int at = position(extensions, type); at >= 0; at = position(extensions, type))
    X509_EXTENSION_free(X509v3_delete_ext(extensions.get(), at));
}

// Instead of one of its type that is there.
void put(X509Extensions& extensions, X509Extension extension) {
  if (!extension) throw openssl_error("cannot add an extension");
  drop(extensions, X509_EXTENSION_get_object(extension.get()));
  push(extensions, std::move(extension));
}

X509Extensions empty_list() {
  X509Extensions extensions(sk_X509_EXTENSION_new_null());
  if (!extensions) throw openssl_error("cannot make a list of extensions");
  return extensions;
}

// What a "honored=" decides of one type, or of all.
class Honor final {
 public:
  Honor(std::string_view text, const std::string& item) {
    const bool denied = item.starts_with('-');
    const std::string rest = item.substr(denied ? 1 : 0);
    const std::size_t colon = rest.find(':');
    name_ = rest.substr(0, colon);
    is_all_ = !denied && ::strcasecmp(rest.c_str(), "all") == 0;
    is_denied_ = denied;
    if (is_all_) return;
    type_ = extension_oid(text, name_);
    critical_ = criticality(text, colon == std::string::npos ? "" : rest.substr(colon + 1));
  }

  [[nodiscard]] bool is_all() const noexcept { return is_all_; }

  void apply(X509Extensions& extensions, const STACK_OF(X509_EXTENSION) * requested) const {
    if (is_denied_) return drop(extensions, type_.get());
    const int at = X509v3_get_ext_by_OBJ(requested, type_.get(), -1);
    if (at < 0) throw Error("the request has no extension \"" + name_ + "\" that could be honored");
    X509Extension copy(X509_EXTENSION_dup(X509v3_get_ext(requested, at)));
    if (copy && critical_) X509_EXTENSION_set_critical(copy.get(), *critical_ ? 1 : 0);
    put(extensions, std::move(copy));
  }

  static void apply_all(X509Extensions& extensions, const STACK_OF(X509_EXTENSION) * requested) {
    for (int i = 0; i < X509v3_get_ext_count(requested); ++i)
      put(extensions, X509Extension(X509_EXTENSION_dup(X509v3_get_ext(requested, i))));
  }

 private:
  std::string name_;
  bool is_all_ = false;
  bool is_denied_ = false;
  Asn1Object type_;
  std::optional<bool> critical_;
};

// "all" first, wherever it stands, as keytool has it.
std::vector<Honor> honors(std::span<const std::string> texts) {
  std::vector<Honor> result;
  for (const std::string& text : texts) {
    if (!is_honored(text)) continue;
    if (!result.empty()) fail_extension(text, "stands twice; write all names in one honored=");
    for (const std::string& item : split_list(std::string_view(text).substr(kHonored.size())))
      result.emplace_back(text, item);
  }
  std::ranges::stable_partition(result, &Honor::is_all);
  return result;
}

// What the texts say themselves; one of a type.
X509Extensions own_extensions(std::span<const std::string> texts) {
  X509Extensions extensions = empty_list();
  for (const std::string& text : texts) {
    if (is_honored(text)) continue;
    X509Extension extension = parse_extension(text);
    if (position(extensions, X509_EXTENSION_get_object(extension.get())) >= 0)
      fail_extension(text, "this type stands twice; write all values in one -ext");
    push(extensions, std::move(extension));
  }
  return extensions;
}

void put_all(X509Extensions& extensions, const X509Extensions& more) {
  for (int i = 0; i < sk_X509_EXTENSION_num(more.get()); ++i)
    put(extensions, X509Extension(X509_EXTENSION_dup(sk_X509_EXTENSION_value(more.get(), i))));
}

}  // namespace

X509Extensions parse_extensions(std::span<const std::string> texts, const pkcs11::PublicKey& key) {
  const ErrorsSetAside others;
  X509Extensions extensions = empty_list();
  push(extensions, subject_key_identifier(OpenSslPkix().key_identifier(key)));
  put_all(extensions, own_extensions(texts));
  return extensions;
}

X509Extensions issued_extensions(std::span<const std::string> texts, const IssuedExtensions& subject) {
  const ErrorsSetAside others;
  X509Extensions extensions = empty_list();
  push(extensions, subject_key_identifier(subject.subject_key_identifier));
  if (!subject.authority_key_identifier.empty())
    push(extensions, authority_key_identifier(subject.authority_key_identifier));
  for (const Honor& honor : honors(texts)) {
    if (honor.is_all())
      Honor::apply_all(extensions, subject.requested);
    else
      honor.apply(extensions, subject.requested);
  }
  put_all(extensions, own_extensions(texts));
  return extensions;
}

void require_extensions(std::span<const std::string> texts) {
  const ErrorsSetAside others;
  for (const std::string& text : texts) {
    if (is_honored(text))
      fail_extension(text, "belongs to -gencert, which has a request whose extensions could be honored");
  }
  static_cast<void>(own_extensions(texts));
}

void require_issued_extensions(std::span<const std::string> texts) {
  const ErrorsSetAside others;
  static_cast<void>(honors(texts));
  static_cast<void>(own_extensions(texts));
}

}  // namespace keystay::x509
