//===- PlaceBuffers.cpp - Give every tensor of the host program a place ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RegionsToSCF.h"
#include "tenon/Dialect/Host/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

namespace tenon::host {
#define GEN_PASS_DEF_PLACEBUFFERSPASS
#include "tenon/Dialect/Host/Transforms/Passes.h.inc"
} // namespace tenon::host

namespace {
/// Writes what the analysis says: steps on buffers, then nothing is left on tensors.
class Placement {
public:
  explicit Placement(func::FuncOp func)
      : func(func), sizes(func.getContext()), analysis(func, sizes), writer(func, analysis, sizes),
        builder(writer.builder) {}

  LogicalResult run() {
    separateDestinations();
    if (failed(analysis.run()) || failed(beginProgram()))
      return failure();
    place(func.getBody().front());
    placeReturn();
    return eraseTensors();
  }

private:
  /// Equal empty tensors may have become one: each that is written is a place of its own.
  void separateDestinations() {
    SmallVector<tensor::EmptyOp> empties;
    func.walk([&](tensor::EmptyOp empty) { empties.push_back(empty); });
    for (tensor::EmptyOp empty : empties)
      while (!empty.getResult().use_empty() && !empty.getResult().hasOneUse()) {
        OpOperand &use = *empty.getResult().use_begin();
        builder.setInsertionPointAfter(empty);
        use.set(builder.clone(*empty)->getResult(0));
      }
  }

  /// Sizes of all buffers may be computed from symbols, which stand first. Inputs come next, in order, whether they are
  /// used or not: their sizes are what binds the symbols.
  LogicalResult beginProgram() {
    Block &body = func.getBody().front();
    Block::iterator first = body.begin();
    for (SymbolOp symbol : llvm::make_early_inc_range(body.getOps<SymbolOp>()))
      if (symbol->getIterator() == first)
        ++first;
      else
        symbol->moveBefore(&body, first);
    Operation *begin = firstAfterSizes();
    for (Operation &op : llvm::make_range(body.begin(), begin->getIterator()))
      if (PlaceAnalysis::isStep(&op) && !isa<SizeOp>(op))
        return op.emitOpError("stands before the strides of an input are known");
    builder.setInsertionPoint(begin);
    for (BlockArgument argument : func.getArguments())
      writer.bufferOf(argument);
    return success();
  }

  func::ReturnOp returnOp() { return cast<func::ReturnOp>(func.getBody().front().getTerminator()); }

  //===--------------------------------------------------------------------===//
  // Steps
  //===--------------------------------------------------------------------===//

  void place(Block &block) {
    auto placeInside = [this](Block &inner) { place(inner); };
    RegionsToSCF regions(writer, analysis, sizes, placeInside);
    for (Operation &op : llvm::make_early_inc_range(block)) {
      builder.setInsertionPoint(&op);
      if (auto launch = dyn_cast<LaunchOp>(op))
        place(launch);
      else if (auto call = dyn_cast<CallOp>(op))
        place(call);
      else if (auto concat = dyn_cast<ConcatOp>(op))
        copyParts(concat);
      else if (PlaceAnalysis::hasHalo(&op))
        writeBorder(cast<PadOp>(op));
      else if (auto slice = dyn_cast<SliceOp>(op); slice && !isView(slice))
        copyPart(slice);
      else if (auto branch = dyn_cast<IfOp>(op))
        regions.place(branch);
      else if (auto loop = dyn_cast<LoopOp>(op))
        regions.place(loop);
      else if (auto item = dyn_cast<ItemOp>(op))
        readItem(item);
      else if (auto size = dyn_cast<SizeOp>(op); size && !size.use_empty())
        size.getResult().replaceAllUsesWith(writer.valueOf(sizes.expressionOf(size.getResult()), size.getLoc()));
    }
  }

  void place(LaunchOp launch) {
    Operation *kernel = symbols.lookupNearestSymbolFrom(launch, launch.getKernelAttr());
    unsigned operand = 0;
    auto buffersFor = [&](ValueRange values) {
      return llvm::map_to_vector(
          values, [&](Value value) { return writer.operandOf(value, launch.takesStrides(kernel, operand++)); });
    };
    SmallVector<Value> ins = buffersFor(launch.getIns()), outs = buffersFor(launch.getResults());
    auto placed =
        LaunchOp::create(builder, launch.getLoc(), TypeRange(), launch.getKernelAttr(), launch.getSymbols(), ins, outs);
    placed->setDiscardableAttrs(launch->getDiscardableAttrDictionary());
  }

  void place(CallOp call) {
    auto buffers = [&](ValueRange values) {
      return llvm::map_to_vector(values, [&](Value value) { return writer.bufferOf(value); });
    };
    SmallVector<Value> ins = buffers(call.getIns()), outs = buffers(call.getResults());
    CallOp::create(builder, call.getLoc(), TypeRange(), call.getFunctionAttr(), call.getLibraryAttr(), ins, outs);
  }

  void copyPart(SliceOp slice) {
    Value part = writer.view(*analysis.getLayouts().sliceOf(slice), slice.getLoc());
    CopyOp::create(builder, slice.getLoc(), part, writer.bufferOf(slice.getResult()));
  }

  /// Copies the operands of a concat that weren't written in place.
  void copyParts(ConcatOp concat) {
    for (auto [i, operand] : llvm::enumerate(concat.getOperands())) {
      if (isPlaced(concat, i))
        continue;
      Value source = writer.bufferOf(operand),
            part = writer.view(*analysis.getLayouts().partOf(concat, i), concat.getLoc());
      OpBuilder::InsertionGuard guard(builder);
      if (Value isAliased = aliasOf(concat, operand)) {
        // It is there already where both are one buffer.
        Value zero = arith::ConstantIndexOp::create(builder, concat.getLoc(), 0);
        Value isApart = arith::CmpIOp::create(builder, concat.getLoc(), arith::CmpIPredicate::eq, isAliased, zero);
        auto branch = scf::IfOp::create(builder, concat.getLoc(), isApart, /*withElseRegion=*/false);
        builder.setInsertionPointToStart(branch.thenBlock());
      }
      CopyOp::create(builder, concat.getLoc(), source, part);
    }
  }

  /// What is around the operand, which was written in its place. In every execution: others have the place
  /// meanwhile.
  void writeBorder(PadOp pad) {
    Layout value = *analysis.getLayouts().layoutOf(pad.getValue());
    for (const Layout &part : analysis.getLayouts().borderOf(pad)) {
      Layout repeated = {value.root, value.offset, part.sizes, {}, {}};
      repeated.strides.assign(part.sizes.size(), sizes.constant(0));
      repeated.breaks.assign(part.sizes.size(), false);
      CopyOp::create(builder, pad.getLoc(), writer.view(repeated, pad.getLoc()), writer.view(part, pad.getLoc()));
    }
  }

  /// Whether the concat is an output in the buffer of the input that is its operand, if it may be.
  Value aliasOf(ConcatOp concat, Value operand) {
    Place place = analysis.placeOf(analysis.rootOf(concat.getResult()));
    auto argument = dyn_cast<BlockArgument>(operand);
    if (!argument || place.kind != StorageKind::output || place.root != concat.getResult())
      return Value();
    for (auto alias : func.getOps<IsAliasedOp>())
      if ((int64_t)alias.getOutput() == place.number && alias.getInput() == argument.getArgNumber())
        return alias;
    return Value();
  }

  void readItem(ItemOp item) {
    Value read = ReadScalarOp::create(builder, item.getLoc(), builder.getIndexType(),
                                      writer.bufferOf(item.getOperand()), item.getPosition());
    item.getResult().replaceAllUsesWith(read);
    sizes.resolve(item.getResult(), -1, read);
  }

  void placeReturn() {
    func::ReturnOp end = returnOp();
    builder.setInsertionPoint(end);
    for (auto [i, value] : llvm::enumerate(end.getOperands())) {
      Value source = writer.bufferOf(value);
      Place place = analysis.placeOf(analysis.rootOf(value));
      // Every output is named here with its own sizes: they are what the plan reports.
      Value output = isHeld(value.getType()) ? writer.slot(value, StorageKind::output, i)
                                             : writer.storage(value, sizes.sizesOf(value), StorageKind::output, i);
      outputs.push_back(output);
      if (place.kind != StorageKind::output || place.number != (int64_t)i)
        writer.copy(source, output, value.getLoc());
    }
  }

  /// The operation behind the symbols and the strides that inputs are bound with, at the function's start.
  Operation *firstAfterSizes() {
    Operation *result = &func.getBody().front().front();
    for (Operation &op : func.getBody().front())
      if (isa<SymbolOp>(op) || (isa<BindStridesOp>(op) && isa<BlockArgument>(op.getOperand(0))))
        result = op.getNextNode();
    return result;
  }

  /// Nothing that stays may read what goes.
  LogicalResult eraseTensors() {
    Block &body = func.getBody().front();
    returnOp()->setOperands(outputs);
    SmallVector<Value> leaving(body.args_begin(), body.args_end());
    for (Operation &op : body)
      if (isTensorOp(&op))
        llvm::append_range(leaving, op.getResults());
    for (Value value : leaving)
      for (Operation *user : value.getUsers())
        if (!isTensorOp(body.findAncestorOpInBlock(*user)))
          return user->emitOpError("has no place in the host program");
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
      if (isTensorOp(&op)) {
        op.dropAllUses();
        op.erase();
      }
    // What still uses one is of no form that is placed: the verifier says so.
    for (BlockArgument argument : body.getArguments())
      argument.dropAllUses();
    body.eraseArguments(0, body.getNumArguments());
    func.setFunctionType(FunctionType::get(func.getContext(), {}, ValueRange(outputs).getTypes()));
    func.removeArgAttrsAttr();
    func.removeResAttrsAttr();
    return success();
  }

  func::FuncOp func;
  SizeAnalysis sizes;
  PlaceAnalysis analysis;
  BufferWriter writer;
  OpBuilder &builder;
  SymbolTableCollection symbols;
  SmallVector<Value> outputs; ///< as they are returned
};

struct PlaceBuffersPass : host::impl::PlaceBuffersPassBase<PlaceBuffersPass> {
  void runOnChecked() override {
    if (failed(Placement(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace
