//===- OutlinePlan.cpp - Let a function compute the sizes of each segment ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Host/Analysis/ProgramChecks.h"
#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Host/Transforms/Passes.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

#include <map>

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

namespace tenon::host {
#define GEN_PASS_DEF_OUTLINEPLANPASS
#include "tenon/Dialect/Host/Transforms/Passes.h.inc"
} // namespace tenon::host

namespace {
constexpr StringLiteral kNegative = "a size of its result is negative: an input is too small";
constexpr StringLiteral kUnequal = "is not what follows from those of the inputs";

bool isBound(StorageOp storage) {
  return storage.getKind() == StorageKind::input || storage.getKind() == StorageKind::output;
}

bool isNumber(Value value) { return value.getType().isIndex() || value.getType().isInteger(1); }

/// Sizes and strides of buffers that are no views, as values between the segments.
class BufferStrides {
public:
  explicit BufferStrides(func::FuncOp program) : body(program.getBody().front()) {}

  /// In elements, as `user` may use them.
  SmallVector<OpFoldResult> of(StorageOp storage, SegmentOp user) {
    if (!storage.getStrides().empty()) {
      SmallVector<OpFoldResult> bound = getAsOpFoldResult(storage.getStrides());
      bound.push_back(OpBuilder(storage).getIndexAttr(1));
      return bound;
    }
    auto [known, isNew] = strides.try_emplace(storage);
    if (isNew)
      known->second = contiguous(storage, user);
    return known->second;
  }

private:
  SmallVector<OpFoldResult> contiguous(StorageOp storage, SegmentOp user) {
    auto owner = storage->getParentOfType<SegmentOp>();
    // As early as anybody may ask for it.
    OpBuilder builder(owner->getBlock() == &body ? body.findAncestorOpInBlock(*user) : owner.getOperation());
    SmallVector<OpFoldResult> extents = storage.getMixedSizes(), result(extents.size());
    OpFoldResult stride = builder.getIndexAttr(1);
    for (int64_t i = (int64_t)extents.size() - 1; i >= 0; --i) {
      result[i] = stride;
      if (i == 0)
        break;
      std::optional<int64_t> left = getConstantIntValue(stride), right = getConstantIntValue(extents[i]);
      int64_t product;
      if (left && right && !llvm::MulOverflow(*left, *right, product)) {
        stride = builder.getIndexAttr(product);
      } else {
        auto value = [&](OpFoldResult part) {
          return getValueOrCreateConstantIndexOp(builder, storage.getLoc(), part);
        };
        stride = arith::MulIOp::create(builder, storage.getLoc(), value(stride), value(extents[i])).getResult();
      }
    }
    return result;
  }

  Block &body;
  DenseMap<Operation *, SmallVector<OpFoldResult>> strides;
};

/// Writes the function that plans one segment.
class PlanWriter {
public:
  PlanWriter(SegmentOp segment, SymbolTable &symbols)
      : segment(segment), symbols(symbols), loc(segment.getLoc()), builder(segment.getContext()) {}

  /// Asks for a value that is known before the segment.
  void add(Value value) { values.insert({value, values.size()}); }
  void addOperand(OpOperand &operand) {
    add(operand.get());
    operands.push_back(&operand);
  }
  void addBytes(StorageOp storage) { storages.push_back(storage); }
  bool contains(Value value) const { return values.contains(value); }

  struct Equality {
    int64_t input;
    std::string name;
    int64_t dim;
    Value expected;
  };
  /// Lets the plan fail where a size is negative, or where an input has another one than follows from others.
  void checkNotNegative(Value size, StorageOp storage) { sizes.insert({size, storage}); }
  void checkEqual(const Equality &equality) { equalities.push_back(equality); }

  /// Before the segment, which then uses what the plan gives.
  FailureOr<PlanOp> write() {
    llvm::SetVector<Operation *> slice;
    if (failed(collect(slice)))
      return failure();
    SmallVector<Operation *> sorted = slice.takeVector();
    llvm::sort(sorted, isBefore);
    func::FuncOp plan = begin();
    for (Operation *op : sorted)
      builder.clone(*op, mapping);
    SmallVector<Value> results;
    for (auto &[value, number] : values)
      results.push_back(mapping.lookup(value));
    SmallVector<unsigned> places = writeBytes(results);
    writeChecks();
    func::ReturnOp::create(builder, loc, results);
    plan.setType(builder.getFunctionType(ValueRange(data.getArrayRef()).getTypes(), ValueRange(results).getTypes()));
    symbols.insert(plan, Block::iterator(segment->getParentOfType<func::FuncOp>()));
    builder.setInsertionPoint(segment);
    auto call = PlanOp::create(builder, loc, ValueRange(results).getTypes(), segment.getNumber(), plan.getSymName(),
                               data.getArrayRef());
    for (OpOperand *operand : operands)
      operand->set(call.getResult(values.lookup(operand->get())));
    for (auto [storage, place] : llvm::zip(storages, places))
      storage.getBytesMutable().assign(call.getResult(place));
    return call;
  }

  Value resultOf(PlanOp call, Value value) const { return call.getResult(values.lookup(value)); }

private:
  /// In the order of the program: all are in blocks around the segment.
  static bool isBefore(Operation *a, Operation *b) {
    if (Operation *around = a->getBlock()->findAncestorOpInBlock(*b))
      return a->isBeforeInBlock(around);
    return !b->isBeforeInBlock(b->getBlock()->findAncestorOpInBlock(*a));
  }

  /// The arithmetic that the plan needs; what it starts from is its data.
  LogicalResult collect(llvm::SetVector<Operation *> &slice) {
    SmallVector<Value> work = llvm::map_to_vector(values, [](auto &entry) { return entry.first; });
    for (StorageOp storage : storages)
      llvm::append_range(work, storage.getSizes());
    for (const Equality &equality : equalities)
      work.push_back(equality.expected);
    while (!work.empty()) {
      Value next = work.pop_back_val();
      Operation *op = next.getDefiningOp();
      if (op && isArithmetic(op)) {
        if (slice.insert(op))
          llvm::append_range(work, op->getOperands());
      } else if (!isNumber(next)) {
        return segment.emitOpError("needs a value of type ") << next.getType() << ", which is no number of the program";
      } else {
        data.insert(next);
      }
    }
    return success();
  }

  func::FuncOp begin() {
    auto plan = func::FuncOp::create(builder, loc, "plan_" + std::to_string(segment.getNumber()),
                                     builder.getFunctionType(ValueRange(data.getArrayRef()).getTypes(), {}));
    plan->setAttr(kPlanAttr, builder.getUnitAttr());
    plan.setPrivate();
    Block *entry = plan.addEntryBlock();
    for (auto [value, argument] : llvm::zip(data, entry->getArguments()))
      mapping.map(value, argument);
    builder.setInsertionPointToStart(entry);
    return plan;
  }

  /// Buffers of the same sizes share a number: a deep graph has thousands of buffers, but few sizes.
  SmallVector<unsigned> writeBytes(SmallVectorImpl<Value> &results) {
    std::map<SmallVector<const void *>, unsigned> known;
    SmallVector<unsigned> places;
    for (StorageOp storage : storages) {
      SmallVector<const void *> key = {storage.getType().getAsOpaquePointer()};
      for (Value size : storage.getSizes())
        key.push_back(size.getAsOpaquePointer());
      auto [place, isNew] = known.try_emplace(std::move(key), results.size());
      if (isNew)
        results.push_back(BufferBytesOp::create(builder, storage.getLoc(), builder.getIndexType(),
                                                mapped(storage.getSizes()), storage.getStaticSizesAttr(),
                                                TypeAttr::get(storage.getType())));
      places.push_back(place->second);
    }
    return places;
  }

  void writeChecks() {
    Value zero = sizes.empty() ? Value() : arith::ConstantIndexOp::create(builder, loc, 0).getResult();
    for (auto &[size, storage] : sizes)
      CheckAtMostOp::create(builder, storage.getLoc(), zero, mapping.lookup(size), kNegative);
    for (const Equality &equality : equalities) {
      Value actual = BoundSizeOp::create(builder, loc, builder.getIndexType(), equality.input, equality.dim);
      CheckEqualOp::create(builder, UnknownLoc::get(builder.getContext()), actual, mapping.lookup(equality.expected),
                           "input '" + equality.name + "': the size of dimension " + std::to_string(equality.dim) +
                               " " + kUnequal.str());
    }
  }

  SmallVector<Value> mapped(ValueRange range) {
    return llvm::map_to_vector(range, [&](Value value) { return mapping.lookup(value); });
  }

  SegmentOp segment;
  SymbolTable &symbols;
  Location loc;
  OpBuilder builder;
  IRMapping mapping;
  llvm::MapVector<Value, unsigned> values; ///< what the plan gives, by number; numbers of bytes come behind
  llvm::SetVector<Value> data;
  SmallVector<OpOperand *> operands;
  SmallVector<StorageOp> storages;
  llvm::MapVector<Value, StorageOp> sizes; ///< each with the first output that has it
  SmallVector<Equality> equalities;
};

class PlanOutliner {
public:
  PlanOutliner(func::FuncOp program, SymbolTable &symbols)
      : program(program), body(program.getBody().front()), symbols(symbols), strides(program) {}

  LogicalResult run() {
    if (failed(collect()))
      return failure();
    for (SegmentOp segment : segments)
      if (failed(outline(segment)))
        return failure();
    // They say when they are known, which may be before their own segment: set when nothing asks for them any more.
    for (auto [operand, result] : outputSizes)
      operand->set(result);
    eraseArithmetic();
    return success();
  }

private:
  bool isTop(Operation *op) { return op->getBlock() == &body; }

  LogicalResult collect() {
    WalkResult result = program.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (auto segment = dyn_cast<SegmentOp>(op))
        segments.push_back(segment);
      auto storage = dyn_cast<StorageOp>(op);
      auto segment = storage ? storage->getParentOfType<SegmentOp>() : SegmentOp();
      if (!segment)
        return WalkResult::advance();
      for (Value size : storage.getSizes())
        if (size.getParentRegion() == &segment.getBody())
          return storage.emitOpError("has a size that its own segment reads"), WalkResult::interrupt();
      // Outputs have the sizes of their last storage.
      if (isBound(storage) && isTop(segment))
        bound[{storage.getKind(), storage.getNumber()}] = storage;
      if (storage.getKind() == StorageKind::output && findsNames(storage.getLoc()))
        llvm::append_range(checkedSizes,
                           llvm::map_range(storage.getSizes(), [&](Value size) { return std::pair(size, storage); }));
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  /// Whether a location names something of the model: an error can say what it is about.
  static bool findsNames(Location loc) {
    return loc->walk([](Location part) { return isa<NameLoc>(part) ? WalkResult::interrupt() : WalkResult::advance(); })
        .wasInterrupted();
  }

  LogicalResult outline(SegmentOp segment) {
    PlanWriter plan(segment, symbols);
    if (isTop(segment))
      checkRows(segment);
    segment.walk([&](Operation *op) { stateStrides(op, segment); });
    views.clear();
    segment.walk([&](Operation *op) { addOperands(op, segment, plan); });
    SmallVector<OpOperand *> sizes = sizesToReport(segment);
    for (OpOperand *size : sizes)
      plan.add(size->get());
    for (auto &[size, storage] : checkedSizes)
      if (plan.contains(size))
        plan.checkNotNegative(size, storage);
    if (segment == segments.front() && failed(addEqualities(plan)))
      return failure();
    FailureOr<PlanOp> call = plan.write();
    if (failed(call))
      return failure();
    for (OpOperand *size : sizes)
      outputSizes.push_back({size, plan.resultOf(*call, size->get())});
    return success();
  }

  /// Inputs and outputs are checked as soon as their sizes and strides are known.
  void checkRows(SegmentOp segment) {
    OpBuilder builder = OpBuilder::atBlockBegin(&segment.getBody().front());
    for (auto &[key, storage] : bound) {
      auto isKnown = [&](Value value) {
        Operation *op = value.getDefiningOp();
        return op && isTop(op) && op->isBeforeInBlock(segment);
      };
      auto type = cast<MemRefType>(storage.getType());
      // Without elements nothing is read.
      bool isNeeded = type.getRank() >= 2 && !llvm::is_contained(storage.getStaticSizes(), 0);
      if (!isNeeded || !llvm::all_of(storage.getSizes(), isKnown) || !llvm::all_of(storage.getStrides(), isKnown) ||
          !checked.insert(storage).second)
        continue;
      auto [dynamicStrides, fixedStrides] = split(ArrayRef(strides.of(storage, segment)).drop_back());
      CheckRowsOp::create(builder, storage.getLoc(), storage.getKind(), storage.getNumber(), storage.getSizes(),
                          dynamicStrides, storage.getStaticSizes(), fixedStrides);
    }
  }

  static std::pair<SmallVector<Value>, SmallVector<int64_t>> split(ArrayRef<OpFoldResult> numbers) {
    std::pair<SmallVector<Value>, SmallVector<int64_t>> result;
    dispatchIndexOpFoldResults(numbers, result.first, result.second);
    return result;
  }

  /// Whoever is given the strides of a buffer finds them on a view.
  void stateStrides(Operation *op, SegmentOp segment) {
    for (OpOperand &operand : op->getOpOperands()) {
      auto type = dyn_cast<MemRefType>(operand.get().getType());
      auto storage = type ? insideOf(operand.get()).getDefiningOp<StorageOp>() : StorageOp();
      bool isGiven = isa<CopyOp, CallOp>(op) || (isa<LaunchOp>(op) && type && !type.getLayout().isIdentity());
      if (!storage || !isGiven || (type.hasStaticShape() && storage.getStrides().empty()))
        continue;
      Value &view = views[operand.get()];
      if (!view)
        view = wholeView(operand.get(), storage, segment);
      operand.set(view);
    }
  }

  Value wholeView(Value buffer, StorageOp storage, SegmentOp segment) {
    OpBuilder builder(storage);
    if (storage->getParentOp() == segment)
      builder.setInsertionPointAfter(storage);
    else
      builder.setInsertionPointToStart(&segment.getBody().front());
    auto [dynamicStrides, fixedStrides] = split(strides.of(storage, segment));
    return ViewOp::create(builder, storage.getLoc(), buffer.getType(), buffer, ValueRange(), storage.getSizes(),
                          dynamicStrides, ArrayRef<int64_t>{0}, storage.getStaticSizes(), fixedStrides);
  }

  /// What an op of the segment takes from outside of it; sizes of storages are there for those who read them.
  void addOperands(Operation *op, SegmentOp segment, PlanWriter &plan) {
    auto storage = dyn_cast<StorageOp>(op);
    if (storage && (storage.getKind() == StorageKind::arena || storage.getKind() == StorageKind::growing))
      plan.addBytes(storage);
    if (isa<StorageOp, SlotOp>(op))
      return;
    for (OpOperand &operand : op->getOpOperands())
      if (isNumber(operand.get()) && !segment.getBody().isAncestor(operand.get().getParentRegion()) &&
          !getConstantIntValue(operand.get()))
        plan.addOperand(operand);
  }

  /// Sizes of outputs that this plan is the first of every run to know.
  SmallVector<OpOperand *> sizesToReport(SegmentOp segment) {
    SmallVector<OpOperand *> result;
    for (auto &[key, storage] : bound) {
      if (key.first != StorageKind::output)
        continue;
      for (OpOperand &size : storage.getSizesMutable())
        if (!size.get().getDefiningOp<SymbolOp>() && firstToKnow(size.get()) == segment)
          result.push_back(&size);
    }
    return result;
  }

  SegmentOp firstToKnow(Value value) {
    Operation *op = value.getDefiningOp();
    for (SegmentOp segment : segments)
      if (isTop(segment) && op && isTop(op) && op->isBeforeInBlock(segment))
        return segment;
    return {};
  }

  template <typename Op> LogicalResult addEqualities(PlanWriter &plan, Op input) {
    if (input.getKind() != StorageKind::input)
      return success();
    for (auto [dim, size] : llvm::enumerate(input.getMixedSizes())) {
      auto value = dyn_cast<Value>(size);
      if (!value || value.template getDefiningOp<SymbolOp>() || getConstantIntValue(value))
        continue;
      if (firstToKnow(value) != segments.front())
        return input.emitOpError("has a size that is not known before the run");
      int64_t number = input.getNumber();
      std::string name = input.getName() ? input.getName()->str() : "input" + std::to_string(number);
      plan.checkEqual({number, name, (int64_t)dim, value});
    }
    return success();
  }

  LogicalResult addEqualities(PlanWriter &plan) {
    for (SegmentOp segment : segments)
      if (isTop(segment))
        for (Operation &op : segment.getBody().front())
          if (failed(isa<StorageOp>(op) ? addEqualities(plan, cast<StorageOp>(op))
                     : isa<SlotOp>(op)  ? addEqualities(plan, cast<SlotOp>(op))
                                        : success()))
            return failure();
    return success();
  }

  /// What plans have of their own now. Symbols and what is bound stay: the program names them.
  void eraseArithmetic() {
    SmallVector<Operation *> dead;
    program.walk([&](Operation *op) {
      bool isNamed = isa<SymbolOp, BoundStrideOp, IsAliasedOp>(op);
      if (isArithmetic(op) && !isNamed && !op->getParentOfType<SegmentOp>())
        dead.push_back(op);
    });
    for (Operation *op : llvm::reverse(dead))
      if (op->use_empty())
        op->erase();
  }

  func::FuncOp program;
  Block &body;
  SymbolTable &symbols;
  BufferStrides strides;
  SmallVector<SegmentOp> segments;
  llvm::MapVector<std::pair<StorageKind, int64_t>, StorageOp> bound; ///< inputs and outputs
  SmallVector<std::pair<Value, StorageOp>> checkedSizes;
  SmallVector<std::pair<OpOperand *, Value>> outputSizes;
  llvm::DenseSet<Operation *> checked;
  DenseMap<Value, Value> views; ///< of the segment at hand, by buffer
};

struct OutlinePlanPass : host::impl::OutlinePlanPassBase<OutlinePlanPass> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (auto program : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      bool isPlanned = program.walk([](PlanOp) { return WalkResult::interrupt(); }).wasInterrupted();
      if (!isCut(program))
        continue;
      if (failed(checkCut(program)) || (!isPlanned && failed(PlanOutliner(program, symbols).run())))
        return signalPassFailure();
    }
  }
};
} // namespace
