//===- WireScan.h - Large constants in serialised models ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Protobuf copies every byte of a model and stops at 2 GB. This scan walks the wire format instead, down to
// the tensors, and copies all but the large `raw_data`, which it only looks up: mapped pages that hold
// weights are never touched.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_FRONTEND_ONNX_WIRESCAN_H
#define TENON_LIB_FRONTEND_ONNX_WIRESCAN_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace tenon::onnx {

/// Constants of more bytes than this are referred to, not copied.
inline constexpr uint64_t kLargeConstant = 1024;

/// Copies a serialised ModelProto. Each `raw_data` above the limit is replaced by the tensor's field
/// `segment`, which then says where in `model` the bytes begin and end; a model that uses that field itself
/// is an error, as is anything that isn't the wire format. Training information is left out.
llvm::Expected<std::string> copyWithoutLargeConstants(llvm::ArrayRef<char> model);

} // namespace tenon::onnx

#endif // TENON_LIB_FRONTEND_ONNX_WIRESCAN_H
