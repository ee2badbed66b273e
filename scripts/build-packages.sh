#!/usr/bin/env bash
# Builds the packages of this tree into build/packages: Debian's, and RPMs where rpmbuild is installed. The same tree, on the
# same system, gives the same files.
#
#   scripts/build-packages.sh                      version and date are those of the tree
#   scripts/build-packages.sh -DNAME=VALUE …       further settings for CMake
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly build=build/package
readonly result=build/packages

if [[ -z "${SOURCE_DATE_EPOCH:-}" ]]; then
  SOURCE_DATE_EPOCH="$(git -c safe.directory='*' log -1 --format=%ct 2>/dev/null || stat --format=%Y CHANGELOG.md)"
fi
export SOURCE_DATE_EPOCH

# Paths of the machine do not go into the programs.
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_INSTALL_PREFIX=/usr \
  -DCMAKE_CXX_FLAGS="-ffile-prefix-map=$PWD=." -DCMAKE_C_FLAGS="-ffile-prefix-map=$PWD=." \
  -DKEYSTAY_TESTS=OFF -DKEYSTAY_BENCHMARKS=OFF "$@"
cmake --build "$build" -j "$(nproc)"

rm -rf "$result"
mkdir -p "$result"
(cd "$build" && cpack -G DEB -B packages)
if command -v rpmbuild >/dev/null; then (cd "$build" && cpack -G RPM -B packages); fi
find "$build/packages" -maxdepth 1 \( -name '*.deb' -o -name '*.rpm' \) -exec mv -t "$result" {} +
rm -rf "$build/packages"
ls -l "$result"
