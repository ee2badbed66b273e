#include "native/x509/ec_point.h"

#include <string>

#include <openssl/ec.h>
#include <openssl/objects.h>

#include "native/x509/error_mark.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

std::optional<pkcs11::Bytes> uncompressed_point(pkcs11::ByteView point, const pkcs11::Curve& curve) {
  const ErrorMark mark;
  const EcGroup group(EC_GROUP_new_by_curve_name(OBJ_sn2nid(std::string(curve.openssl_name).c_str())));
  const EcPoint decoded(group ? EC_POINT_new(group.get()) : nullptr);
  if (!decoded || EC_POINT_oct2point(group.get(), decoded.get(), point.data(), point.size(), nullptr) != 1 ||
      EC_POINT_is_at_infinity(group.get(), decoded.get()) == 1) {
    return std::nullopt;
  }
  pkcs11::Bytes result(curve.point_size);
  if (EC_POINT_point2oct(group.get(), decoded.get(), POINT_CONVERSION_UNCOMPRESSED, result.data(),
                         result.size(), nullptr) != result.size()) {
    return std::nullopt;
  }
  return result;
}

}  // namespace keystay::x509
