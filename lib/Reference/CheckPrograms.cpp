//===- CheckPrograms.cpp - Tile programs against the kernels that they compute ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramInterpreter.h"
#include "RandomInputs.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Reference/Comparison.h"

#include <set>

using namespace mlir;
using namespace tenon::reference;
using namespace tenon::tile;
using RuntimeValue = tenon::reference::Value;

static llvm::Error fail(const llvm::Twine &message) { return llvm::createStringError(message); }

/// The kernel that a program names, in the tables of symbols around it.
static KernelOp kernelOf(ProgramOp program) {
  auto name = program->getAttrOfType<FlatSymbolRefAttr>(kComputesAttr);
  for (Operation *table = program->getParentOp(); name && table; table = table->getParentOp())
    if (table->hasTrait<OpTrait::SymbolTable>())
      if (auto kernel = dyn_cast_or_null<KernelOp>(SymbolTable::lookupSymbolIn(table, name.getAttr())))
        return kernel;
  return {};
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// What the program's operands hold of the kernel's.
static llvm::Expected<std::vector<Tensor>> storedOperands(ProgramOp program, ArrayRef<Tensor> operands) {
  std::vector<Tensor> stored;
  for (unsigned i = program.getNumIndices(); i < program.getFirstResult(); ++i) {
    std::vector<RuntimeValue> taken;
    for (int64_t operand : program.getOperandsOf(i)) {
      if (operand >= (int64_t)operands.size())
        return fail("argument " + llvm::Twine(i) + " is made of tensor " + llvm::Twine(operand) + ", but there are " +
                    llvm::Twine(operands.size()));
      taken.push_back(operands[operand]);
    }
    FormOp form = lookupForm(program, i);
    if (!form) {
      stored.push_back(std::get<Tensor>(taken.front()));
      continue;
    }
    llvm::Expected<std::vector<RuntimeValue>> made = Interpreter().runBody(form.getBody(), taken);
    if (!made)
      return made.takeError();
    stored.push_back(std::get<Tensor>(made->front()));
  }
  return stored;
}

//===----------------------------------------------------------------------===//
// Strides and guards
//===----------------------------------------------------------------------===//

/// The index arguments: the kernel's symbols, then strides that leave `gap` elements between rows.
static llvm::Expected<SmallVector<int64_t>> indicesOf(ProgramOp program, ArrayRef<int64_t> symbols, int64_t gap) {
  SmallVector<int64_t> indices(symbols);
  indices.resize(program.getNumIndices(), 0);
  Interpreter interpreter;
  for (BindOp bind : program.getBody().getOps<BindOp>()) {
    if (!bind.getStrides())
      continue;
    llvm::Expected<SmallVector<int64_t>> sizes =
        mapValues(interpreter, bind, bind.getSizes(), bind.getSizeIndices(), indices);
    if (!sizes)
      return sizes;
    int64_t contiguous = 1;
    for (int64_t dim = sizes->size() - 1; dim >= 0; --dim) {
      AffineExpr expression = bind.getStrides()->getResult(dim);
      auto position = dyn_cast<AffineDimExpr>(expression);
      auto argument =
          position ? dyn_cast<BlockArgument>(bind.getStrideIndices()[position.getPosition()]) : BlockArgument();
      if (argument && argument.getArgNumber() >= symbols.size())
        indices[argument.getArgNumber()] = std::max(indices[argument.getArgNumber()], contiguous + gap);
      llvm::Expected<SmallVector<int64_t>> strides =
          mapValues(interpreter, bind, *bind.getStrides(), bind.getStrideIndices(), indices);
      if (!strides)
        return strides;
      contiguous = (*strides)[dim] * std::max<int64_t>((*sizes)[dim], 1);
    }
  }
  return indices;
}

static bool holds(ProgramOp program, ArrayRef<int64_t> indices) {
  std::optional<IntegerSet> guard = program.getGuard();
  for (unsigned i = 0; guard && i < guard->getNumConstraints(); ++i) {
    std::optional<int64_t> value = valueOf(guard->getConstraint(i), indices, {});
    if (!value || (guard->isEq(i) ? *value != 0 : *value < 0))
      return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

/// All choices in turn: those that a program may notice change one by one.
static std::vector<std::pair<const char *, RunChoices>> allChoices() {
  using Order = RunChoices::Order;
  return {{"in order", {}},
          {"with another filler", {Order::Forward, 0x5a}},
          {"in reversed order, with copies that arrive late", {Order::Reversed, 0xff, /*arriveLate=*/true}},
          {"in shuffled order, with more processors", {Order::Shuffled, 0xff, /*arriveLate=*/false, 5}},
          {"with results in their operands' memory", {Order::Forward, 0xff, false, 2, /*reuseOperands=*/true}}};
}

llvm::Expected<std::vector<Tensor>> tenon::reference::runVariant(VariantOp variant, ArrayRef<int64_t> symbols,
                                                                 ArrayRef<Tensor> operands, const RunChoices &choices) {
  for (ProgramOp program : variant.getOps<ProgramOp>()) {
    if (program.getNumIndices() < symbols.size())
      return fail("program '" + program.getSymName() + "' takes fewer indices than the kernel has symbols");
    llvm::Expected<SmallVector<int64_t>> indices = indicesOf(program, symbols, /*gap=*/0);
    if (!indices)
      return indices.takeError();
    if (!holds(program, *indices))
      continue;
    llvm::Expected<std::vector<Tensor>> stored = storedOperands(program, operands);
    if (!stored)
      return stored.takeError();
    return runProgram(program, *indices, *stored, choices);
  }
  return fail("has no program for these sizes");
}

llvm::Expected<bool> tenon::reference::checkProgram(ProgramOp program, ArrayRef<int64_t> sizes, double tolerance) {
  KernelOp kernel = kernelOf(program);
  if (!kernel)
    return fail("computes no kernel: an attribute " + kComputesAttr + " names it");
  unsigned symbols = kernel.getNumSymbols();
  if (sizes.size() != symbols || program.getNumIndices() < symbols)
    return fail("expects " + llvm::Twine(symbols) + " sizes, the kernel's symbols, but has " +
                llvm::Twine(sizes.size()));
  // Strides that the guard refuses may be refused for their gaps.
  SmallVector<int64_t> indices;
  bool isRun = false;
  for (int64_t gap : {5, 8, 0}) {
    llvm::Expected<SmallVector<int64_t>> tried = indicesOf(program, sizes, gap);
    if (!tried)
      return tried.takeError();
    indices = *tried;
    if ((isRun = holds(program, indices)))
      break;
  }
  if (!isRun)
    return false;
  std::mt19937_64 random(1);
  Interpreter interpreter;
  std::vector<Tensor> operands;
  std::vector<RuntimeValue> arguments(sizes.begin(), sizes.end());
  for (BlockArgument argument : kernel.getBody().getArguments().drop_front(symbols)) {
    llvm::Expected<SmallVector<int64_t>> shape = sizesOf(interpreter, argument, sizes);
    if (!shape)
      return shape.takeError();
    llvm::Expected<Tensor> tensor = randomTensor(getElementTypeOrSelf(argument.getType()), *shape, random);
    if (!tensor)
      return tensor.takeError();
    operands.push_back(*tensor);
    arguments.push_back(std::move(*tensor));
  }
  llvm::Expected<std::vector<RuntimeValue>> expected = interpreter.runBody(kernel.getBody(), arguments);
  if (!expected)
    return expected.takeError();
  llvm::Expected<std::vector<Tensor>> stored = storedOperands(program, operands);
  if (!stored)
    return stored.takeError();
  std::vector<Tensor> first;
  for (const auto &[how, choices] : allChoices()) {
    llvm::Expected<std::vector<Tensor>> results = runProgram(program, indices, *stored, choices);
    if (!results)
      return fail(llvm::toString(results.takeError()) + ", run " + how);
    if (results->size() != expected->size())
      return fail("has " + llvm::Twine(results->size()) + " results, but the kernel has " +
                  llvm::Twine(expected->size()));
    for (auto [i, result] : llvm::enumerate(*results)) {
      if (!first.empty() && std::memcmp(result.getData(), first[i].getData(), result.getNumBytes()) != 0)
        return fail("result " + llvm::Twine(i) + " changes when it is run " + how);
      if (auto difference = findDifference(result, (*expected)[i], tolerance))
        return fail("result " + llvm::Twine(i) + " " + *difference);
    }
    first = std::move(*results);
  }
  return true;
}

/// 0, 1 and the sizes around each step of the program; each symbol begins elsewhere in the list.
static std::vector<SmallVector<int64_t>> sizesAroundSteps(ProgramOp program, unsigned symbols) {
  std::set<int64_t> values = {0, 1};
  auto add = [&](ArrayRef<int64_t> steps) {
    for (int64_t step : steps)
      if (step > 1)
        values.insert({step - 1, step, step + 1});
  };
  program.walk([&](GridOp op) { add(op.getSteps()); });
  program.walk([&](ForOp op) { add(op.getSteps()); });
  std::vector<int64_t> list(values.begin(), values.end());
  std::vector<SmallVector<int64_t>> runs;
  for (size_t i = 0; i < (symbols ? list.size() : 1); ++i) {
    SmallVector<int64_t> run;
    for (unsigned symbol = 0; symbol < symbols; ++symbol)
      run.push_back(list[(i + symbol) % list.size()]);
    runs.push_back(std::move(run));
  }
  return runs;
}

llvm::Error tenon::reference::checkProgram(ProgramOp program) {
  std::vector<SmallVector<int64_t>> runs;
  auto named = program->getAttrOfType<ArrayAttr>("tenon.sizes");
  for (Attribute run : named ? named.getValue() : ArrayRef<Attribute>()) {
    auto numbers = dyn_cast<ArrayAttr>(run);
    if (!numbers || !llvm::all_of(numbers, llvm::IsaPred<IntegerAttr>))
      return fail("expects lists of sizes as tenon.sizes");
    runs.push_back(llvm::map_to_vector(numbers, [](Attribute number) { return cast<IntegerAttr>(number).getInt(); }));
  }
  if (!named)
    if (KernelOp kernel = kernelOf(program))
      runs = sizesAroundSteps(program, kernel.getNumSymbols());
  auto allowed = program->getAttrOfType<FloatAttr>("tenon.tolerance");
  bool hasRun = false;
  for (const SmallVector<int64_t> &sizes : runs) {
    llvm::Expected<bool> ran = checkProgram(program, sizes, allowed ? allowed.getValueAsDouble() : 0);
    if (!ran)
      return fail(llvm::toString(ran.takeError()) + ", at sizes " + describeShape(sizes));
    hasRun |= *ran;
  }
  return hasRun ? llvm::Error::success() : fail("has a guard that holds at none of the sizes, or names no kernel");
}
