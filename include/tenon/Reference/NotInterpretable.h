//===- NotInterpretable.h - The error of IR that no interpreter runs ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_REFERENCE_NOTINTERPRETABLE_H
#define TENON_REFERENCE_NOTINTERPRETABLE_H

#include "llvm/Support/Error.h"

namespace tenon::reference {

/// What a run ends with that reaches IR of another level, and says nothing of whether the program is right.
class NotInterpretable : public llvm::ErrorInfo<NotInterpretable, llvm::StringError> {
public:
  static char ID;
  explicit NotInterpretable(const llvm::Twine &message) : ErrorInfo(message, llvm::inconvertibleErrorCode()) {}
};

/// The same error as one of IR that no interpreter runs.
inline llvm::Error notInterpretable(llvm::Error error) {
  return llvm::make_error<NotInterpretable>(llvm::toString(std::move(error)));
}

} // namespace tenon::reference

#endif // TENON_REFERENCE_NOTINTERPRETABLE_H
