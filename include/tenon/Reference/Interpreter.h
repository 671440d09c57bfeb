//===- Interpreter.h - The reference interpreter of the graph dialect ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Computes functions of `tenon` ops on tensors. It is one of the truths that tests compare: every op is
// computed by its own formula, sums of floating point in f64, rounded to the declared type once; it shares
// nothing with code generation. What fails on data (an index out of range, sizes that don't agree) is an
// error that names the op's location; verified IR never crashes it.
//
// `runFunction` and `evaluateOp` are all that most need; a `Tensor` is made by `create`, `borrow`,
// `fromWholeBytes` or `fromAttribute`. An `Interpreter` of one's own takes evaluations of further ops.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_REFERENCE_INTERPRETER_H
#define TENON_REFERENCE_INTERPRETER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "tenon/Reference/Tensor.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/FunctionExtras.h"
#include "llvm/ADT/StringMap.h"

#include <atomic>

namespace tenon::reference {

class Interpreter;

/// One evaluation of an op: operands in, results out.
struct Call {
  mlir::Operation *op;
  llvm::ArrayRef<Value> operands;
  llvm::SmallVectorImpl<Value> &results;
  Interpreter &interpreter;

  const Tensor &tensor(unsigned operand) const { return std::get<Tensor>(operands[operand]); }
  int64_t index(unsigned operand) const { return std::get<int64_t>(operands[operand]); }
  mlir::Type resultElementType() const { return mlir::getElementTypeOrSelf(op->getResult(0).getType()); }
  /// An error at the op's location.
  llvm::Error fail(const llvm::Twine &message) const;
};

using Evaluate = llvm::Error (*)(Call &call);

class Interpreter {
public:
  /// Knows the ops of `tenon`, and those of `arith`, `affine`, `tensor` and `func` that compute sizes.
  Interpreter();

  /// Once the flag is set, a run ends with an error before its next op.
  void setCancellation(const std::atomic<bool> *flag) { isCancelled = flag; }

  /// Adds or replaces the evaluation of an op.
  void registerOp(llvm::StringRef name, Evaluate evaluate) { table[name] = evaluate; }

  llvm::Expected<std::vector<Value>> run(mlir::func::FuncOp function, llvm::ArrayRef<Value> arguments);

  /// Computes the one block of an isolated body: what a kernel is.
  llvm::Expected<std::vector<Value>> runBody(mlir::Region &body, llvm::ArrayRef<Value> arguments);

  /// Computes one op. Operands of another type than the op's are an error.
  llvm::Expected<std::vector<Value>> evaluate(mlir::Operation *op, llvm::ArrayRef<Value> operands);

  /// Computes a block with the given arguments and gives the operands of its terminator. For ops with
  /// regions.
  llvm::Expected<std::vector<Value>> runBlock(mlir::Block &block, llvm::ArrayRef<Value> arguments);

  /// What an SSA value holds at this point of a run, if it was computed and is still needed.
  const Value *find(mlir::Value value) const {
    auto found = values.find(value);
    return found == values.end() ? nullptr : &found->second;
  }

  /// Binds a symbol to a size, unless it has one; gives the one that it has.
  int64_t bindSymbol(llvm::StringRef name, int64_t size) { return symbols.try_emplace(name, size).first->second; }

  /// The size that a symbol is bound to, if it is.
  std::optional<int64_t> sizeOfSymbol(llvm::StringRef name) const;

private:
  llvm::Error bindSymbols(mlir::func::FuncOp function, llvm::ArrayRef<Value> arguments);
  llvm::Error evaluateInBlock(mlir::Operation &op);
  const llvm::DenseMap<mlir::Operation *, llvm::SmallVector<mlir::Value>> &lastUsesIn(mlir::Block &block);

  llvm::StringMap<Evaluate> table;
  const std::atomic<bool> *isCancelled = nullptr;
  llvm::DenseMap<mlir::Value, Value> values;
  llvm::StringMap<int64_t> symbols;
  /// The values of a block that no op after the key needs.
  llvm::DenseMap<mlir::Block *, std::unique_ptr<llvm::DenseMap<mlir::Operation *, llvm::SmallVector<mlir::Value>>>>
      lastUses;
};

/// Computes a function of the graph dialect: one value per argument in, one per result out. The sizes of
/// symbols follow from the arguments. The run ends with an error soon after `isCancelled` is set, where it is given.
llvm::Expected<std::vector<Value>> runFunction(mlir::func::FuncOp function, llvm::ArrayRef<Value> inputs,
                                               const std::atomic<bool> *isCancelled = nullptr);

/// Computes one op, as constant folding does: one value per operand in, one per result out. What regions use
/// from outside of them can't be given, so ops with regions must be isolated in that sense.
llvm::Expected<std::vector<Value>> evaluateOp(mlir::Operation *op, llvm::ArrayRef<Value> operands);

/// Where an op comes from: the model's name of it, or the place in the text.
std::string describe(mlir::Location location);

/// The name of an argument or result: its attribute `tenon.name`, or `arg0`, `result0`.
std::string argumentName(mlir::func::FuncOp function, unsigned position);
std::string resultName(mlir::func::FuncOp function, unsigned position);

} // namespace tenon::reference

#endif // TENON_REFERENCE_INTERPRETER_H
