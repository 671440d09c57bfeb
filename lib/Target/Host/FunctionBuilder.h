//===- FunctionBuilder.h - What the functions of a host program are built of ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_TARGET_HOST_FUNCTIONBUILDER_H
#define TENON_LIB_TARGET_HOST_FUNCTIONBUILDER_H

#include "ProgramLayout.h"

#include "tenon/Runtime/KernelABI.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tenon::host {

/// Numbers, control flow and calls of the runtime, which all functions of a program but plans have. A function converts
/// its ops in order; each is converted by `convert`. Functions end at the first call that gives another code than 0.
class FunctionBuilder {
protected:
  using Value = mlir::Value;
  using ContextField = abi::Context;

  FunctionBuilder(ProgramLayout &layout, mlir::OpBuilder &builder, mlir::Location loc);
  virtual ~FunctionBuilder() = default;

  void begin(mlir::LLVM::LLVMFuncOp function);
  /// Fails where a number was not known.
  mlir::LogicalResult finish();

  /// Converts an op that isn't arithmetic and no control flow.
  virtual mlir::LogicalResult convertOther(mlir::Operation *op) = 0;
  /// A number that none of the function's ops computes; null if it has none.
  virtual Value outsideNumber(Value value) = 0;

  mlir::LogicalResult convert(mlir::Operation *op);
  mlir::LogicalResult convert(mlir::Block &block);

  //===--------------------------------------------------------------------===//
  // Values
  //===--------------------------------------------------------------------===//

  Value constant32(int64_t value);
  Value constant(int64_t value);
  Value element(mlir::Type type, Value array, int64_t number);
  Value load(mlir::Type type, Value array, int64_t number);
  /// A pointer of an array that stays as it is while the function runs: loaded once, on entry.
  Value loadOnEntry(Value array, int64_t number);
  Value field(ContextField number) { return loadOnEntry(context, int64_t(number)); }
  /// A number of the program: an index as i64, a truth value as i1.
  Value number(mlir::OpFoldResult number);
  llvm::SmallVector<Value> numbersOf(mlir::ValueRange values);
  /// A number as the runtime's arrays hold it, and back.
  Value widened(Value number);
  Value narrowed(Value number, mlir::Type type);
  void define(Value value, Value number) { known[value] = number; }

  //===--------------------------------------------------------------------===//
  // Control flow
  //===--------------------------------------------------------------------===//

  mlir::Block *newBlock(mlir::TypeRange types = {});
  /// Goes on in a new block where `code` is zero, else returns it.
  void returnUnlessZero(Value code);
  void callAndCheck(abi::HostFunction which, llvm::ArrayRef<Value> arguments);

  ProgramLayout &layout;
  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::Type pointer, i32, i64;
  Value context;

private:
  mlir::LogicalResult convertArithmetic(mlir::Operation *op);
  mlir::LogicalResult convertIf(mlir::scf::IfOp branch);
  mlir::LogicalResult convertWhile(mlir::scf::WhileOp loop);
  mlir::Block *newBlockFor(mlir::TypeRange types);
  void define(mlir::ValueRange values, mlir::Block *block);

  Value functions;
  llvm::DenseMap<Value, Value> known; ///< numbers that the function has computed
  llvm::DenseMap<std::pair<Value, int64_t>, Value> loadedOnEntry;
  mlir::Operation *lastOnEntry = nullptr;
  mlir::Block *exit = nullptr;
  bool hasFailed = false;
};

} // namespace tenon::host

#endif // TENON_LIB_TARGET_HOST_FUNCTIONBUILDER_H
