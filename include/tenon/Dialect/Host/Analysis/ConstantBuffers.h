//===- ConstantBuffers.h - Which buffers are constants ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_HOST_ANALYSIS_CONSTANTBUFFERS_H
#define TENON_DIALECT_HOST_ANALYSIS_CONSTANTBUFFERS_H

#include "tenon/Dialect/Host/IR/HostOps.h"

namespace tenon::host {

/// The storage of the constant that a buffer is, if it is all of one, row by row; else null.
StorageOp wholeConstant(mlir::Value buffer);

} // namespace tenon::host

#endif // TENON_DIALECT_HOST_ANALYSIS_CONSTANTBUFFERS_H
