//===- Registration.h - All dialects and passes of Tenon ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The one list of what Tenon brings: tools and the plugin register through it.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_REGISTRATION_H
#define TENON_COMPILER_REGISTRATION_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace tenon {
/// Tenon's own dialects, with their interfaces.
void registerDialects(mlir::DialectRegistry &registry);
/// Tenon's own passes and pipelines.
void registerPasses();
/// MLIR's dialects that occur at some level.
void registerUpstreamDialects(mlir::DialectRegistry &registry);
/// MLIR's passes that are useful between Tenon's.
void registerUpstreamPasses();
} // namespace tenon

#endif // TENON_COMPILER_REGISTRATION_H
