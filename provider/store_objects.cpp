#include "provider/store_objects.h"

#include <string>
#include <utility>

#include <openssl/store.h>

#include "native/x509/error_mark.h"
#include "provider/key_lookup.h"
#include "provider/possession.h"

namespace keystay::provider {
namespace {

// What to hand out, by the URI's `type` and by what the application expects or searches for: only
// certificates have subjects.
struct Wanted {
  bool private_key;
  bool public_key;
  bool certificates;
};

Wanted wanted_of(std::optional<CK_OBJECT_CLASS> type, const StoreRequest& request) {
  const auto is = [&](CK_OBJECT_CLASS object_class) { return !type || *type == object_class; };
  const auto may = [&](int info) {
    return (request.expect == 0 || request.expect == info) &&
           (request.subject.empty() || info == OSSL_STORE_INFO_CERT);
  };
  const bool public_key = type == CKO_PUBLIC_KEY || request.expect == OSSL_STORE_INFO_PUBKEY;
  return {.private_key = is(CKO_PRIVATE_KEY) && may(OSSL_STORE_INFO_PKEY),
          .public_key = public_key && is(CKO_PUBLIC_KEY) && may(OSSL_STORE_INFO_PUBKEY),
          .certificates = is(CKO_CERTIFICATE) && may(OSSL_STORE_INFO_CERT)};
}

class Search final {
 public:
  Search(Context& context, std::string_view uri, const StoreRequest& request)
      : context_(context),
        request_(request),
        pkix_(context.software().libctx()),
        location_(context.tokens().locate(uri)),
        store_(location_.token, pkix_, keys::View::as_shown) {
    is_uri_ = uri.starts_with("pkcs11:");
    wanted_ = wanted_of(is_uri_ ? pkcs11::parse_uri(uri).type : std::nullopt, request);
  }

  std::vector<StoreObject> run() {
    if (location_.label.empty() && location_.id.empty()) {
      add_whole_token();
    } else if (const auto entry = find()) {
      add_keys(*entry);
      if (wanted_.certificates) add(store_.chain(*entry));
      require_possession(*entry);
    } else if (wanted_.certificates) {
      add(store_.trusted_certificates(location_.label));
    }
    if (found_.empty() && request_.subject.empty()) fail_not_found();
    return std::move(found_);
  }

 private:
  std::optional<keys::Entry> find() {
    const keys::Parts parts = wanted_.certificates ? keys::Parts::key_and_leaf : keys::Parts::key;
    return is_uri_ ? store_.find(location_.label, location_.id, parts) : store_.find(location_.label, parts);
  }

  // A listing. It is no way to choose a key: the first hit is never taken for the only one.
  void add_whole_token() {
    const keys::Listing listing = store_.list();
    if (request_.expect == OSSL_STORE_INFO_PKEY && listing.entries.size() > 1) {
      throw Error(Reason::reference, location_.token->name() + " has " +
                                         std::to_string(listing.entries.size()) +
                                         " keys and the URI names none of them; add object= or id=");
    }
    for (const auto& [entry, chain] : listing.entries) {
      try {
        add_keys(entry);
      } catch (const std::exception& error) {  // of a kind that this provider has no operations for
        left_out_ += "; key \"" + entry.alias + "\" cannot be used: " + error.what();
      }
      add(chain);
    }
    for (const keys::UnreadableObject& object : listing.unreadable)
      left_out_ += "; " + keys::name_of(object) + " cannot be used: " + object.reason;
    for (const auto& trusted : listing.trusted) add({trusted.certificate});
  }

  void add_keys(const keys::Entry& entry) {
    if (wanted_.private_key) found_.emplace_back(key_on_token(context_, *location_.token, entry));
    if (wanted_.public_key) found_.emplace_back(public_half(entry));
  }

  // Not in listings: they must show the other keys too.
  void require_possession(const keys::Entry& entry) {
    for (StoreObject& object : found_) {
      const auto* key = std::get_if<KeyPtr>(&object);
      if (key && (*key)->on_token()) provider::require_possession(**key, entry);
    }
  }

  void add(const std::vector<keys::Certificate>& certificates) {
    if (!wanted_.certificates) return;
    for (const keys::Certificate& certificate : certificates) {
      if (!request_.subject.empty() && !keys::same_name(certificate.subject, request_.subject)) continue;
      found_.emplace_back(StoredCertificate{certificate.der});
    }
  }

  KeyPtr public_half(const keys::Entry& entry) {
    PublicHalf half = public_half_of(entry, context_.software());
    return KeyPtr(new Key(context_, half.type, std::move(half.key),
                          half.type.required & ~OSSL_KEYMGMT_SELECT_PRIVATE_KEY));
  }

  [[noreturn]] void fail_not_found() {
    const char* what = wanted_.private_key || wanted_.public_key ? " has no key" : " has no certificate";
    std::string message = location_.token->name() + what;
    if (!location_.label.empty()) message += " \"" + location_.label + "\"";
    throw Error(Reason::key_not_found,
                message + " that the URI names; " + how_to_find_keys(*location_.token) + left_out_);
  }

  Context& context_;
  const StoreRequest& request_;
  x509::OpenSslPkix pkix_;
  keys::KeyLocation location_;
  keys::KeyStore store_;
  bool is_uri_;
  Wanted wanted_;
  std::vector<StoreObject> found_;
  std::string left_out_;  // of a listing, and why
};

}  // namespace

std::vector<StoreObject> find_store_objects(Context& context, std::string_view uri,
                                            const StoreRequest& request) {
  const x509::ErrorMark errors_of_the_module;
  return Search(context, uri, request).run();
}

}  // namespace keystay::provider
