// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_ENGINE_CODING_H_
#define STATECPP_ENGINE_CODING_H_

#include <cstdint>
#include <cstring>
#include <string>

// Integers as they stand on disk: little endian, but where their order as bytes
// must be their order as numbers.
namespace statecpp {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "the on-disk integers are little endian and copied as they are");

template <typename Integer>
void AppendFixed(std::string& out, Integer value) {
  char bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  out.append(bytes, sizeof(value));
}

// The caller has made sure that sizeof(Integer) bytes are there.
template <typename Integer>
Integer LoadFixed(const char* bytes) {
  Integer value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

inline void AppendBigEndian32(std::string& out, uint32_t value) {
  AppendFixed(out, __builtin_bswap32(value));
}

inline uint32_t LoadBigEndian32(const char* bytes) {
  return __builtin_bswap32(LoadFixed<uint32_t>(bytes));
}

}  // namespace statecpp

#endif  // STATECPP_ENGINE_CODING_H_
