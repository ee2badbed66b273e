#include "provider/store/store_objects.h"

#include <algorithm>
#include <string>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/params.h>
#include <openssl/store.h>

#include "native/keys/alias_name.h"
#include "native/keys/alias_state.h"
#include "native/keys/public_objects.h"
#include "native/x509/error_mark.h"
#include "provider/key/key_lookup.h"
#include "provider/key/possession.h"
#include "provider/store/token_search.h"

namespace keystay::provider {
namespace {

// PKCS #11 URIs name objects, and a key pair has two; a bare alias is one key with its certificates.
Wanted wanted_of(const std::optional<pkcs11::Uri>& uri, const StoreRequest& request) {
  const CK_OBJECT_CLASS* type = uri && uri->type ? &*uri->type : nullptr;
  const auto is = [&](CK_OBJECT_CLASS object_class) { return !type || *type == object_class; };
  const auto may = [&](int info) {
    return (request.expect == 0 || request.expect == info) &&
           (!request.of_certificates() || info == OSSL_STORE_INFO_CERT);
  };
  const bool both = uri && (!uri->object.empty() || !uri->id.empty());
  const bool public_key =
      both || (type && *type == CKO_PUBLIC_KEY) || request.expect == OSSL_STORE_INFO_PUBKEY;
  return {.private_key = is(CKO_PRIVATE_KEY) && may(OSSL_STORE_INFO_PKEY),
          .public_key = public_key && is(CKO_PUBLIC_KEY) && may(OSSL_STORE_INFO_PUBKEY),
          .certificates = is(CKO_CERTIFICATE) && may(OSSL_STORE_INFO_CERT)};
}

// What OSSL_STORE_expect was told, and the `type` of a URI that fits it.
struct Expectation {
  int info;
  const char* name;
  CK_OBJECT_CLASS object_class;
};
constexpr Expectation kExpectations[] = {
    {OSSL_STORE_INFO_PKEY, "a private key", CKO_PRIVATE_KEY},
    {OSSL_STORE_INFO_PUBKEY, "a public key", CKO_PUBLIC_KEY},
    {OSSL_STORE_INFO_CERT, "a certificate", CKO_CERTIFICATE},
};

std::string type_attribute(CK_OBJECT_CLASS object_class) {
  return "type=" + std::string(pkcs11::type_in_uri(object_class));
}

// A URI whose `type` is not what the application wants: a clearer error than that nothing was found.
void require_fitting_type(const pkcs11::Uri& uri, const StoreRequest& request) {
  if (!uri.type || request.is_search()) return;
  for (const Expectation& expected : kExpectations) {
    if (expected.info != request.expect || expected.object_class == *uri.type) continue;
    throw Error(Reason::reference, std::string(expected.name) + " is wanted here, and the URI says " +
                                       type_attribute(*uri.type) + "; write " +
                                       type_attribute(expected.object_class) + ", or leave type out");
  }
  const auto is_stored = [&](const Expectation& kind) { return kind.object_class == *uri.type; };
  if (std::ranges::any_of(kExpectations, is_stored)) return;
  throw Error(Reason::reference,
              "Keystay hands out private keys, public keys and certificates, and the URI says " +
                  type_attribute(*uri.type) + "; write type=private, type=public or type=cert");
}

// Nothing for an alias.
std::optional<pkcs11::Uri> fitting_uri(std::string_view text, const StoreRequest& request) {
  if (!pkcs11::is_pkcs11_uri(text)) return std::nullopt;
  std::optional<pkcs11::Uri> uri = pkcs11::parse_uri(text);
  require_fitting_type(*uri, request);
  return uri;
}

keys::KeyLocation locate(Context& context, std::string_view name, const std::optional<pkcs11::Uri>& uri,
                         const Wanted& wanted) {
  if (!uri) return context.tokens().locate(name);
  return {source_of(context, *uri, wanted), uri->object, uri->id};
}

class Search final {
 public:
  Search(Context& context, std::string_view uri, const StoreRequest& request)
      : context_(context),
        request_(request),
        pkix_(context.software().libctx()),
        uri_(fitting_uri(uri, request)),
        wanted_(wanted_of(uri_, request)),
        location_(locate(context, uri, uri_, wanted_)) {
    store_.emplace(location_.source, pkix_, keys::View::as_shown);
  }

  std::vector<StoreObject> run() {
    if (shows_without_question()) return std::move(found_);
    find_all();
    if (found_.empty() && !request_.is_search()) fail_not_found();
    return std::move(found_);
  }

 private:
  // For objects that show without a login, no PIN is asked for.
  bool shows_without_question() {
    if (wanted_.private_key || location_.source->pin_supply() != keys::PinSupply::prompt) return false;
    const auto silent = location_.source->without_login();
    const auto asking = std::exchange(location_.source, silent);
    store_.emplace(silent, pkix_, keys::View::as_shown);
    find_all();
    location_.source = asking;
    store_.emplace(asking, pkix_, keys::View::as_shown);
    return !found_.empty();
  }

  void find_all() {
    if (request_.alias) {
      find_alias(*request_.alias);
    } else if (location_.label.empty() && location_.id.empty()) {
      add_whole_token();
    } else if (const auto entry = find()) {
      add_alias(*entry);
    } else {
      add_public_objects(location_.label, location_.id);
    }
  }

  [[nodiscard]] keys::Parts parts() const {
    return wanted_.certificates ? keys::Parts::key_and_leaf : keys::Parts::key;
  }

  std::optional<keys::Entry> find() {
    return uri_ ? store_->find(location_.label, location_.id, parts())
                : store_->find(location_.label, parts());
  }

  // OSSL_STORE_find by alias, in every form that keystay -list and -alias know. It narrows the URI, and never
  // widens it.
  void find_alias(const std::string& alias) {
    const std::optional<keys::Named> named = store_->resolve(alias, parts());
    if (!named) {
      if (location_.label.empty() || location_.label == alias) add_public_objects(alias, location_.id);
      return;
    }
    if (const auto* object = std::get_if<keys::UnreadableObject>(&*named)) throw keys::unusable(*object);
    if (const auto* entry = std::get_if<keys::Entry>(&*named)) {
      if (is_named(*named, entry->key.reference().label(), entry->key.reference().id())) add_alias(*entry);
    } else if (const auto* trusted = std::get_if<keys::TrustedCertificate>(&*named);
               trusted && is_named(*named, trusted->name(), trusted->id)) {
      add_public_objects(trusted->name(), trusted->id);
    }
  }

  // Whether the URI names it too.
  bool is_named(const keys::Named& named, const std::string& label, const pkcs11::Bytes& id) {
    if (!uri_ && !location_.label.empty()) {
      const std::optional<keys::Named> other = store_->resolve(location_.label, keys::Parts::key);
      return other && keys::alias_of(*other) == keys::alias_of(named);
    }
    return (location_.label.empty() || location_.label == label) &&
           (location_.id.empty() || location_.id == id);
  }

  void add_alias(const keys::Entry& entry) {
    if (const keys::AliasVersion version = keys::version_of(entry.name());
        version.state == keys::AliasState::deactivated) {
      throw Error(Reason::reference, keys::quoted_alias(version.alias) + " is deactivated on " +
                                         location_.source->name() +
                                         "; keystay activate makes it usable again");
    }
    add_keys(entry);
    if (wanted_.certificates) add(store_->chain(entry));
    require_possession(entry);
  }

  // A listing. It is no way to choose a key: the first hit is never taken for the only one.
  void add_whole_token() {
    keys::Listing listing = store_->list();
    // What is not to be served: deactivated aliases, and other versions of aliases.
    std::erase_if(listing.entries,
                  [](const keys::ListedEntry& listed) { return keys::is_state_label(listed.entry.alias); });
    if (request_.expect == OSSL_STORE_INFO_PKEY && listing.entries.size() > 1) {
      throw Error(Reason::reference,
                  location_.source->name() + " has " + std::to_string(listing.entries.size()) +
                      " keys and the URI names none of them; " +
                      (uri_ ? "add object= or id=" : "write an alias behind it, as keystay -list shows it"));
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

  // Where no private key has that name, or none shows without a login.
  void add_public_objects(std::string_view label, pkcs11::ByteView id) {
    if (!wanted_.public_key && !wanted_.certificates) return;
    const keys::PublicObjects objects = keys::read_public_objects(*location_.source, pkix_, label, id);
    if (wanted_.public_key) {
      if (objects.public_keys.empty() && !objects.fault.empty())
        left_out_ = "; a public key object of that name cannot be used: " + objects.fault;
      if (objects.public_keys.size() > 1) {
        throw Error(Reason::reference, location_.source->name() + " has " +
                                           std::to_string(objects.public_keys.size()) +
                                           " public keys that the URI names; name one by its id");
      }
      for (const pkcs11::PublicKey& key : objects.public_keys)
        found_.emplace_back(provider::public_key(context_, public_half_of(key, context_.software())));
    }
    const bool is_alias = objects.public_keys.size() == 1 && objects.certificates.size() == 1 &&
                          objects.certificates.front().public_key == objects.public_keys.front();
    add(is_alias ? store_->chain(objects.certificates.front(), {}) : objects.certificates);
  }

  void add_keys(const keys::Entry& entry) {
    if (wanted_.private_key) found_.emplace_back(key_on_token(context_, *location_.source, entry));
    if (wanted_.public_key)
      found_.emplace_back(provider::public_key(context_, public_half_of(entry, context_.software())));
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
      if (!is_wanted(certificate)) continue;
      found_.emplace_back(StoredCertificate{certificate.der});
    }
  }

  [[nodiscard]] bool is_wanted(const keys::Certificate& certificate) const {
    return (request_.subject.empty() || keys::same_name(certificate.subject, request_.subject)) &&
           (request_.issuer.empty() || (keys::same_name(certificate.issuer, request_.issuer) &&
                                        certificate.serial_number == request_.serial));
  }

  [[noreturn]] void fail_not_found() {
    const char* what = wanted_.private_key || wanted_.public_key ? " has no key" : " has no certificate";
    throw Error(Reason::key_not_found, keys::name_with_members(*location_.source) + what +
                                           named_by(location_.label, location_.id) + "; " +
                                           how_to_find_keys(*location_.source) + left_out_);
  }

  Context& context_;
  const StoreRequest& request_;
  x509::OpenSslPkix pkix_;
  std::optional<pkcs11::Uri> uri_;  // of a PKCS #11 URI
  Wanted wanted_;
  keys::KeyLocation location_;
  std::optional<keys::KeyStore> store_;
  std::vector<StoreObject> found_;
  std::string left_out_;  // of a listing, and why
};

}  // namespace

std::vector<StoreObject> find_store_objects(Context& context, std::string_view uri,
                                            const StoreRequest& request) {
  const x509::ErrorMark errors_of_the_module;
  return Search(context, uri, request).run();
}

int pass_on(const KeyPtr& key, OSSL_CALLBACK* callback, void* argument) {
  int type = OSSL_OBJECT_PKEY;
  Key* reference = key.get();
  const OSSL_PARAM result[] = {
      OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
      OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, const_cast<char*>(key->type().algorithm),
                                       0),
      OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, &reference, sizeof reference),
      OSSL_PARAM_construct_end()};
  return callback(result, argument);
}

}  // namespace keystay::provider
