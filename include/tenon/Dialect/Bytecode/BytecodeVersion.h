//===- BytecodeVersion.h - Versions of dialects in bytecode ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each of Tenon's dialects writes the number of its bytecode's version, and reads files up to it; CONTRIBUTING.md says
// when it grows. What an older file means otherwise is the dialect's to put right, in `upgradeFromVersion` of a
// subclass.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_BYTECODE_BYTECODEVERSION_H
#define TENON_DIALECT_BYTECODE_BYTECODEVERSION_H

#include "mlir/Bytecode/BytecodeImplementation.h"

namespace tenon {

/// The version that a file was written with.
struct BytecodeVersion : mlir::DialectVersion {
  explicit BytecodeVersion(uint64_t number) : number(number) {}
  uint64_t number;
};

/// Attributes, types and properties are in the file as MLIR encodes them by default.
class VersionedBytecode : public mlir::BytecodeDialectInterface {
public:
  VersionedBytecode(mlir::Dialect *dialect, uint64_t current) : BytecodeDialectInterface(dialect), current(current) {}

  void writeVersion(mlir::DialectBytecodeWriter &writer) const override { writer.writeVarInt(current); }

  std::unique_ptr<mlir::DialectVersion> readVersion(mlir::DialectBytecodeReader &reader) const override {
    uint64_t number;
    if (mlir::failed(reader.readVarInt(number)))
      return nullptr;
    if (number > current) {
      reader.emitError() << "has version " << number << " of dialect '" << getDialect()->getNamespace()
                         << "', but this program reads versions up to " << current;
      return nullptr;
    }
    return std::make_unique<BytecodeVersion>(number);
  }

private:
  uint64_t current;
};

} // namespace tenon

#endif // TENON_DIALECT_BYTECODE_BYTECODEVERSION_H
