// Boost.JSON, compiled here instead of being linked: Debian's shared library of it is a package of its own.
#include <boost/json/src.hpp>
