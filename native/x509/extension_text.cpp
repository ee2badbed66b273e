#include "native/x509/extension_text.h"

#include <algorithm>
#include <array>
#include <vector>

#include "native/x509/displayed_name.h"
#include "native/x509/error_mark.h"
#include "native/x509/hex_dump.h"
#include "native/x509/joined.h"

namespace keystay::x509 {
namespace {

using pkcs11::ByteView;

ByteView bytes_of(const ASN1_STRING* value) {
  return {ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value))};
}

// The value, or null if it is damaged: then it is shown in hexadecimal.
template <typename Value, auto free_function>
Owned<Value, free_function> decoded(X509_EXTENSION* extension) {
  return Owned<Value, free_function>(static_cast<Value*>(X509V3_EXT_d2i(extension)));
}

std::string basic_constraints(X509_EXTENSION* extension) {
  const auto value = decoded<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free>(extension);
  if (!value) return "";
  const std::string depth = value->pathlen != nullptr ? std::to_string(ASN1_INTEGER_get(value->pathlen))
                            : value->ca != 0          ? " no limit"
                                                      : " undefined";
  return joined("BasicConstraints:[\n  CA:", value->ca != 0 ? "true" : "false", "\n  PathLen:", depth,
                "\n]\n");
}

// In the order of their bits (RFC 5280, section 4.2.1.3).
constexpr std::array<std::string_view, 9> kKeyUsages = {
    "DigitalSignature", "Non_repudiation", "Key_Encipherment", "Data_Encipherment", "Key_Agreement",
    "Key_CertSign",     "Crl_Sign",        "Encipher_Only",    "Decipher_Only"};

std::string key_usage(X509_EXTENSION* extension) {
  const auto value = decoded<ASN1_BIT_STRING, ASN1_BIT_STRING_free>(extension);
  if (!value) return "";
  std::string text = "KeyUsage [\n";
  for (std::size_t i = 0; i < kKeyUsages.size(); ++i)
    if (ASN1_BIT_STRING_get_bit(value.get(), static_cast<int>(i)) == 1)
      text += joined("  ", kKeyUsages[i], "\n");
  return text + "]\n";
}

struct Purpose {
  int nid;
  std::string_view name;
};
constexpr std::array kPurposes = std::to_array<Purpose>({{NID_server_auth, "serverAuth"},
                                                         {NID_client_auth, "clientAuth"},
                                                         {NID_code_sign, "codeSigning"},
                                                         {NID_email_protect, "emailProtection"},
                                                         {NID_time_stamp, "timeStamping"},
                                                         {NID_OCSP_sign, "OCSPSigning"},
                                                         {NID_anyExtendedKeyUsage, "anyExtendedKeyUsage"}});

std::string extended_key_usage(X509_EXTENSION* extension) {
  const auto value = decoded<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>(extension);
  if (!value) return "";
  std::string text = "ExtendedKeyUsages [\n";
  for (int i = 0; i < sk_ASN1_OBJECT_num(value.get()); ++i) {
    const ASN1_OBJECT* purpose = sk_ASN1_OBJECT_value(value.get(), i);
    const auto* known = std::ranges::find(kPurposes, OBJ_obj2nid(purpose), &Purpose::nid);
    text += joined("  ", known == kPurposes.end() ? dotted(purpose) : std::string(known->name), "\n");
  }
  return text + "]\n";
}

std::string names(const char* title, X509_EXTENSION* extension) {
  const auto value = decoded<GENERAL_NAMES, GENERAL_NAMES_free>(extension);
  if (!value) return "";
  std::string text = joined(title, " [\n");
  for (int i = 0; i < sk_GENERAL_NAME_num(value.get()); ++i)
    text += "  " + displayed_general_name(sk_GENERAL_NAME_value(value.get(), i)) + "\n";
  return text + "]\n";
}

std::string subject_names(X509_EXTENSION* extension) { return names("SubjectAlternativeName", extension); }
std::string issuer_names(X509_EXTENSION* extension) { return names("IssuerAlternativeName", extension); }

std::string in_brackets(const GENERAL_NAMES* list) {
  std::string text;
  for (int i = 0; i < sk_GENERAL_NAME_num(list); ++i)
    text += (i == 0 ? "" : ", ") + displayed_general_name(sk_GENERAL_NAME_value(list, i));
  return "[" + text + "]";
}

std::string method_name(const ASN1_OBJECT* method) {
  const int nid = OBJ_obj2nid(method);
  if (nid == NID_ad_OCSP) return "ocsp";
  if (nid == NID_ad_ca_issuers) return "caIssuers";
  if (nid == NID_ad_timeStamping) return "timeStamping";
  return nid == NID_caRepository ? "caRepository" : dotted(method);
}

std::string access(const char* title, X509_EXTENSION* extension) {
  const auto value = decoded<AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free>(extension);
  if (!value) return "";
  std::string text;
  for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(value.get()); ++i) {
    const ACCESS_DESCRIPTION* item = sk_ACCESS_DESCRIPTION_value(value.get(), i);
    text += joined(i == 0 ? "" : ", ", "\n   accessMethod: ", method_name(item->method),
                   "\n   accessLocation: ", displayed_general_name(item->location), "\n");
  }
  return joined(title, " [\n  [", text, "]\n]\n");
}

std::string authority_access(X509_EXTENSION* extension) { return access("AuthorityInfoAccess", extension); }
std::string subject_access(X509_EXTENSION* extension) { return access("SubjectInfoAccess", extension); }

std::string distribution_points(X509_EXTENSION* extension) {
  const auto value = decoded<CRL_DIST_POINTS, CRL_DIST_POINTS_free>(extension);
  if (!value) return "";
  std::string text;
  for (int i = 0; i < sk_DIST_POINT_num(value.get()); ++i) {
    const DIST_POINT* point = sk_DIST_POINT_value(value.get(), i);
    if (point->distpoint == nullptr || point->distpoint->type != 0 || point->reasons != nullptr ||
        point->CRLissuer != nullptr) {
      return "";  // in hexadecimal
    }
    text += joined(i == 0 ? "" : ", ", "DistributionPoint:\n     ",
                   in_brackets(point->distpoint->name.fullname), "\n");
  }
  return "CRLDistributionPoints [\n  [" + text + "]]\n";
}

std::string key_identifier(ByteView id) { return "KeyIdentifier [\n" + hex_dump(id) + "]\n"; }

std::string subject_key_identifier(X509_EXTENSION* extension) {
  const auto value = decoded<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>(extension);
  return value ? "SubjectKeyIdentifier [\n" + key_identifier(bytes_of(value.get())) + "]\n" : "";
}

std::string authority_key_identifier(X509_EXTENSION* extension) {
  const auto value = decoded<AUTHORITY_KEYID, AUTHORITY_KEYID_free>(extension);
  if (!value) return "";
  std::string text = "AuthorityKeyIdentifier [\n";
  if (value->keyid != nullptr) text += key_identifier(bytes_of(value->keyid));
  if (value->issuer != nullptr) text += in_brackets(value->issuer) + "\n";
  if (value->serial != nullptr) text += joined("SerialNumber: ", displayed_bytes(value->serial), "\n");
  return text + "]\n";
}

std::string policies(X509_EXTENSION* extension) {
  const auto value = decoded<CERTIFICATEPOLICIES, CERTIFICATEPOLICIES_free>(extension);
  if (!value) return "";
  std::string text = "CertificatePolicies [\n";
  for (int i = 0; i < sk_POLICYINFO_num(value.get()); ++i) {
    const POLICYINFO* policy = sk_POLICYINFO_value(value.get(), i);
    if (policy->qualifiers != nullptr) return "";  // in hexadecimal
    text += joined("  [CertificatePolicyId: [", dotted(policy->policyid), "]\n[]  ]\n");
  }
  return text + "]\n";
}

constexpr std::array<std::string_view, 11> kReasons = {
    "UNSPECIFIED",     "KEY_COMPROMISE",         "CA_COMPROMISE",    "AFFILIATION_CHANGED",
    "SUPERSEDED",      "CESSATION_OF_OPERATION", "CERTIFICATE_HOLD", "UNUSED",
    "REMOVE_FROM_CRL", "PRIVILEGE_WITHDRAWN",    "AA_COMPROMISE"};

std::string reason_code(X509_EXTENSION* extension) {
  const auto value = decoded<ASN1_ENUMERATED, ASN1_ENUMERATED_free>(extension);
  const long code = value ? ASN1_ENUMERATED_get(value.get()) : -1;
  if (code < 0 || code >= static_cast<long>(kReasons.size())) return "";
  return joined("    Reason Code: ",
                kReasons[static_cast<std::size_t>(code)]);  // no end of line, as in keytool
}

constexpr std::size_t kWord = 8;  // hexadecimal digits that stand together

std::string crl_number(X509_EXTENSION* extension) {
  const auto value = decoded<ASN1_INTEGER, ASN1_INTEGER_free>(extension);
  if (!value) return "";
  std::string hex = displayed_number(value.get());
  if (hex.size() % 2 != 0) hex.insert(0, "0");
  for (std::size_t at = kWord; at < hex.size(); at += kWord + 1) hex.insert(at, " ");
  return joined("CRL Number:     ", hex, "\n");
}

// In the order in which keytool shows them: that of their names, those without a name by their OIDs.
struct Kind {
  int nid;
  std::string_view name;
  std::string (*text)(X509_EXTENSION*);  // "": in hexadecimal
};
constexpr std::array kKinds = std::to_array<Kind>({
    {NID_info_access, "AuthorityInfoAccess", authority_access},
    {NID_authority_key_identifier, "AuthorityKeyIdentifier", authority_key_identifier},
    {NID_basic_constraints, "BasicConstraints", basic_constraints},
    {NID_crl_distribution_points, "CRLDistributionPoints", distribution_points},
    {NID_crl_number, "CRLNumber", crl_number},
    {NID_certificate_policies, "CertificatePolicies", policies},
    {NID_ext_key_usage, "ExtendedKeyUsage", extended_key_usage},
    {NID_issuer_alt_name, "IssuerAlternativeName", issuer_names},
    {NID_key_usage, "KeyUsage", key_usage},
    {NID_crl_reason, "ReasonCode", reason_code},
    {NID_subject_alt_name, "SubjectAlternativeName", subject_names},
    {NID_sinfo_access, "SubjectInfoAccess", subject_access},
    {NID_subject_key_identifier, "SubjectKeyIdentifier", subject_key_identifier},
});

const Kind* kind_of(X509_EXTENSION* extension) {
  const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
  const auto* kind = std::ranges::find(kKinds, nid, &Kind::nid);
  return nid == NID_undef || kind == kKinds.end() ? nullptr : &*kind;
}

std::string sort_key(X509_EXTENSION* extension) {
  const Kind* kind = kind_of(extension);
  return kind != nullptr ? std::string(kind->name) : dotted(X509_EXTENSION_get_object(extension));
}

std::string unknown(X509_EXTENSION* extension) {
  const ByteView value = bytes_of(X509_EXTENSION_get_data(extension));
  return value.empty() ? "(Empty value)\n" : hex_dump(value) + "\n";
}

}  // namespace

std::string describe_extension(X509_EXTENSION* extension) {
  const ErrorMark damage_is_shown;
  const Kind* kind = kind_of(extension);
  const std::string words = kind != nullptr ? kind->text(extension) : "";
  return joined("ObjectId: ", dotted(X509_EXTENSION_get_object(extension)),
                " Criticality=", X509_EXTENSION_get_critical(extension) != 0 ? "true" : "false", "\n",
                words.empty() ? unknown(extension) : words);
}

std::string describe_extensions(const STACK_OF(X509_EXTENSION) * extensions, std::string_view title) {
  std::vector<X509_EXTENSION*> sorted;
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions); ++i)
    sorted.push_back(sk_X509_EXTENSION_value(extensions, i));
  if (sorted.empty()) return "";
  std::ranges::stable_sort(sorted, {}, sort_key);
  std::string text = joined("\n", title, "\n\n");
  for (std::size_t i = 0; i < sorted.size(); ++i)
    text += joined("#", i + 1, ": ", describe_extension(sorted[i]), "\n");
  return text;
}

}  // namespace keystay::x509
