//===- Values.h - Strings, sequences, optionals and tensors that the runtime holds ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_RUNTIME_VALUES_H
#define TENON_LIB_RUNTIME_VALUES_H

#include "Memory.h"
#include "tenon/Runtime/tenon_host.h"

namespace tenon::runtime {

/// The `capacity` of a value in a box.
inline constexpr int64_t kHeld = -1;

/// A value with all that it points to, never changed once it is filled. Items are boxes, too, and shared.
struct Box {
  tenon_value value;
  int32_t references;
  int64_t bytes;
  Account *account; ///< that counts them, or null

  static Box *of(const tenon_value *item) { return reinterpret_cast<Box *>(const_cast<tenon_value *>(item)); }
};

inline Box *share(Box *box) {
  ++box->references;
  return box;
}
/// Null is fine.
void release(Box *box);

/// What the calling thread makes is counted there until the scope ends.
class ChargeBoxes {
public:
  explicit ChargeBoxes(Account &account);
  ~ChargeBoxes();

private:
  Account *before;
};

/// -1 when a size is negative or their product beyond 2^48.
int64_t elementCount(int64_t rank, const int64_t *shape);
int64_t bytesOf(int32_t dtype, int64_t elements);
bool isContiguous(const tenon_value &tensor);

/// These give null when out of memory. Shapes have been checked by `elementCount`.
Box *makeTensor(int32_t dtype, int64_t rank, const int64_t *shape);
Box *makeStrings(int64_t rank, const int64_t *shape, const tenon_string *strings);
/// Takes over the references that `items` are.
Box *makeItems(int32_t kind, Box *const *items, int64_t count);
/// Any value, of whatever strides, and all that it points to.
Box *copyOf(const tenon_value &value);

/// Elements from one tensor of numbers to another one of the same dtype and sizes, of whatever strides.
void copyElements(const tenon_value &to, const tenon_value &from);

/// What is wrong with a value that the application gives, or null.
const char *problemOf(const tenon_value &value, int depth = 0);

/// A place of a session for a value; the first member is what compiled code and functions see.
struct HeldSlot {
  tenon_value value;
  Box *box;

  void set(Box *given) {
    release(box);
    box = given;
    value = given ? given->value : tenon_value{TENON_UNSET, 0, 0, nullptr, nullptr, nullptr, 0, 0, nullptr};
  }
};

} // namespace tenon::runtime

#endif
