//===- PlaceBuffers.cpp - Give every tensor of the host program a place ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpenRegions.h"
#include "tenon/Dialect/Host/Analysis/Layouts.h"
#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Host/Transforms/Passes.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

namespace tenon::host {
#define GEN_PASS_DEF_PLACEBUFFERSPASS
#include "tenon/Dialect/Host/Transforms/Passes.h.inc"
} // namespace tenon::host

namespace {
/// The tensors that share one place: a root and its reshapes, casts and overwritten destinations.
struct Place {
  StorageKind kind = StorageKind::arena;
  int64_t number = -1;
  int64_t first = -1, last = -1; ///< steps that use it
  Value root;
};

class Placement {
public:
  explicit Placement(func::FuncOp func)
      : func(func), sizes(func.getContext()), regions(func, sizes), layouts(sizes), builder(func.getContext()) {}

  LogicalResult run() {
    separateDestinations();
    for (BlockArgument argument : func.getArguments())
      places[argument] = {StorageKind::input, argument.getArgNumber(), -1, -1, argument};
    if (failed(findPlaces(func.getBody().front())) || failed(checkViews()))
      return failure();
    placeGrowing();
    placeResults();
    // Sizes of all buffers may be computed from symbols.
    Block &body = func.getBody().front();
    Block::iterator first = body.begin();
    for (SymbolOp symbol : llvm::make_early_inc_range(body.getOps<SymbolOp>()))
      if (symbol->getIterator() == first)
        ++first;
      else
        symbol->moveBefore(&body, first);
    Operation *begin = firstAfterSizes();
    for (Operation &op : llvm::make_range(func.getBody().front().begin(), begin->getIterator()))
      if (isStep(&op) && !isa<SizeOp>(op))
        return op.emitOpError("stands before the strides of an input are known");
    builder.setInsertionPoint(begin);
    // Inputs stand first, in order, whether they are used or not: their sizes are what binds the symbols.
    for (BlockArgument argument : func.getArguments())
      bufferOf(argument);
    rewrite(func.getBody().front());
    rewriteReturn();
    return eraseTensors();
  }

private:
  //===--------------------------------------------------------------------===//
  // Which tensors share a place, and when it is used
  //===--------------------------------------------------------------------===//

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

  /// The value whose place a tensor shares.
  Value rootOf(Value value) {
    while (true) {
      value = layouts.rootOf(value);
      Operation *op = value.getDefiningOp();
      if (auto launch = dyn_cast_if_present<LaunchOp>(op)) {
        value = launch.getOuts()[cast<OpResult>(value).getResultNumber()];
      } else if (auto call = dyn_cast_if_present<CallOp>(op); call && !isHeld(value.getType())) {
        value = call.getDestination(cast<OpResult>(value));
      } else if (isa_and_present<tensor::EmptyOp>(op)) {
        // What a launch writes may be a part of something larger.
        Value written = writtenTo(value);
        Value whole = written ? layouts.rootOf(written) : Value();
        if (!whole || whole == written)
          return value;
        value = whole;
      } else if (auto argument = dyn_cast<BlockArgument>(value); argument && argument.getArgNumber() > 0) {
        // A carried value lives in the loop's result, unless that grows.
        auto loop = dyn_cast<LoopOp>(argument.getOwner()->getParentOp());
        if (!loop || regions.grows(argument))
          return value;
        return loop.getResult(argument.getArgNumber() - 1);
      } else {
        return value;
      }
    }
  }

  /// Tensors live in buffers, other values in slots.
  static bool hasPlace(Type type) { return isa<RankedTensorType>(type) || isHeld(type); }
  /// The result of the launch that writes a destination.
  static Value writtenTo(Value destination) {
    for (OpOperand &use : destination.getUses())
      if (auto launch = dyn_cast<LaunchOp>(use.getOwner()); launch && launch.isDpsInit(&use))
        return launch.getTiedOpResult(&use);
    return Value();
  }

  static bool isStep(Operation *op) {
    auto slice = dyn_cast<SliceOp>(op);
    return isa<LaunchOp, ConcatOp, IfOp, LoopOp, ItemOp, SizeOp, CallOp>(op) || (slice && !isView(slice)) ||
           hasHalo(op);
  }

  static bool hasHalo(Operation *op) { return isa<PadOp>(op) && isPlaced(op, 0); }

  void use(Value value, int64_t step) {
    Value root = rootOf(value);
    Place &place = places[root];
    place.root = root;
    place.first = place.first < 0 ? step : std::min(place.first, step);
    place.last = std::max(place.last, step);
  }

  /// What the runtime holds is only handed on; all else with it takes a call.
  static LogicalResult checkValues(Operation *op) {
    bool handsOn = isa<CallOp, IfOp, LoopOp, BindShapeOp, func::ReturnOp, tenon::YieldOp>(op);
    for (Type type : llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes())) {
      if (!handsOn && isHeld(type))
        return op->emitOpError("takes or gives ") << type << ", which no buffer holds: tenon-form-host-calls";
      if (isa<MemRefType>(type))
        return op->emitOpError("has no place in the host program: it has buffers already");
    }
    if (!isa<IfOp, LoopOp>(op))
      return success();
    for (Type type : op->getResultTypes())
      if (!isa<RankedTensorType, SequenceType, OptionalType, ValueType>(type))
        return op->emitOpError("expects results that are tensors of known rank, sequences or optionals, but has ") << type;
    if (auto loop = dyn_cast<LoopOp>(op))
      for (Type type : llvm::drop_begin(loop->getResultTypes(), loop.getCarried().size()))
        if (isHeld(type))
          return op->emitOpError("collects scan values of type ") << type << ", which no buffer holds";
    return success();
  }

  LogicalResult findPlaces(Block &block) {
    for (Operation &op : block) {
      if (failed(checkValues(&op)))
        return failure();
      if (auto constant = dyn_cast<ConstantOp>(op)) {
        places[constant] = {StorageKind::constant, constants++, -1, -1, constant};
        continue;
      }
      if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
        if (rootOf(empty) == empty)
          places[empty] = {StorageKind::arena, -1, -1, -1, empty};
        continue;
      }
      if (!isStep(&op)) {
        if (!isa<SymbolOp, BindShapeOp, ReshapeOp, SliceOp, tensor::CastOp, func::ReturnOp, tenon::YieldOp>(op) &&
            llvm::any_of(op.getResultTypes(), hasPlace))
          return op.emitOpError("has no place in the host program");
        continue;
      }
      int64_t first = step++;
      for (Region &region : op.getRegions()) {
        if (auto loop = dyn_cast<LoopOp>(op))
          for (Value argument : region.getArguments())
            if (rootOf(argument) == argument)
              places[argument] = {StorageKind::arena, -1, first, first, argument};
        if (failed(findPlaces(region.front())))
          return failure();
      }
      if (op.getNumRegions() != 0)
        ++step;
      int64_t last = step - 1;
      if (!isa<LaunchOp>(op))
        for (Value result : op.getResults())
          if (hasPlace(result.getType()))
            use(result, first), use(result, last);
      // What a region reads or writes is needed from before it to behind it.
      auto mark = [&](Value value, bool whole) {
        if (!hasPlace(value.getType()))
          return;
        if (whole)
          use(value, first);
        use(value, last);
      };
      for (Value value : op.getOperands())
        mark(value, true);
      op.walk([&](Operation *inner) {
        if (inner == &op)
          return;
        for (Value value : inner->getOperands())
          if (Value root = hasPlace(value.getType()) ? rootOf(value) : Value(); root && !isInside(root, &op))
            mark(value, true);
      });
      if (auto loop = dyn_cast<LoopOp>(op))
        use(loop.getBody().getArgument(0), last);
    }
    if (auto yield = dyn_cast<tenon::YieldOp>(block.getTerminator()))
      for (Value value : yield.getValues())
        use(value, step);
    return success();
  }

  /// Operands that a concat wants written in place are, and kernels take the strides of what they are given.
  LogicalResult checkViews() {
    WalkResult result = func.walk([&](Operation *op) {
      auto refuse = [&](unsigned operand, const char *why) {
        op->emitOpError() << "operand #" << operand << " " << why;
        return WalkResult::interrupt();
      };
      if (auto slice = dyn_cast<SliceOp>(op); slice && isView(slice) && !layouts.layoutOf(slice.getResult()))
        return refuse(0, "has no strides under which it could be a view");
      for (OpOperand &operand : op->getOpOperands())
        if (isPlaced(op, operand.getOperandNumber()) && !isWrittenInPlace(operand.get()))
          return refuse(operand.getOperandNumber(), "can't be written in place");
      auto launch = dyn_cast<LaunchOp>(op);
      if (!launch) {
        // What ends here needs a buffer; what is viewed once more is looked at there.
        bool isNamed = isStep(op) || isa<func::ReturnOp, tenon::YieldOp>(op);
        for (OpOperand &operand : op->getOpOperands())
          if (isNamed && isa<RankedTensorType>(operand.get().getType()) && !isHeld(operand.get().getType()) &&
              !layouts.layoutOf(operand.get()))
            return refuse(operand.getOperandNumber(), "has no strides");
        return WalkResult::advance();
      }
      Operation *kernel = symbols.lookupNearestSymbolFrom(launch, launch.getKernelAttr());
      SmallVector<Value> tensors(launch.getIns());
      llvm::append_range(tensors, launch.getResults());
      for (auto [i, tensor] : llvm::enumerate(tensors)) {
        std::optional<Layout> layout = layouts.layoutOf(tensor);
        if (!layout)
          return refuse(launch.getSymbols().size() + i, "has no strides");
        if (!layout->isContiguous() && !(layout->hasRows() && launch.takesStrides(kernel, i)))
          return refuse(launch.getSymbols().size() + i, "has rows apart from each other, which the kernel does not take");
      }
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  /// Whether a launch, a concat or a pad writes the tensor, under other sizes perhaps, as part of the place
  /// where it belongs.
  bool isWrittenInPlace(Value tensor) {
    if (!layouts.layoutOf(tensor))
      return false;
    while (auto reshape = tensor.getDefiningOp<ReshapeOp>())
      tensor = reshape.getOperand();
    Operation *source = tensor.getDefiningOp();
    return source && (isa<LaunchOp, ConcatOp>(source) || hasHalo(source)) && layouts.layoutOf(tensor);
  }

  static bool isInside(Value value, Operation *op) {
    return op->isProperAncestor(value.getParentRegion()->getParentOp()) || value.getParentRegion()->getParentOp() == op;
  }

  /// Results whose sizes show only while a loop or branch runs get a buffer that grows; carried ones have another, into
  /// which the body writes what the next iteration is given. What a region computes for them is computed there.
  void placeGrowing() {
    auto grow = [&](Value value, int64_t number) {
      Place &place = places[value];
      place.kind = StorageKind::growing;
      place.number = number;
    };
    func.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!isa<IfOp, LoopOp>(op) || !regions.isOpen(op))
        return;
      auto loop = dyn_cast<LoopOp>(op);
      unsigned carried = loop ? loop.getCarried().size() : op->getNumResults();
      for (OpResult result : op->getResults()) {
        unsigned i = result.getResultNumber();
        if (!regions.grows(result))
          continue;
        if (places[result].kind != StorageKind::growing)
          grow(result, growing++);
        int64_t target = places[result].number;
        if (loop && i < carried) {
          grow(loop.getBody().getArgument(i + 1), target);
          target = backs[result] = growing++;
        }
        for (Region &region : op->getRegions()) {
          Block &body = region.front();
          Value root = i < carried ? rootOf(body.getTerminator()->getOperand(loop ? i + 1 : i)) : Value();
          if (root && !isa<BlockArgument>(root) && root.getParentBlock() == &body &&
              places[root].kind == StorageKind::arena)
            grow(root, target);
        }
      }
    });
  }

  /// A returned tensor lives in the output it is first returned as, unless its size shows only later.
  void placeResults() {
    auto placeResult = [&](unsigned i, Value value) {
      // What is not an output itself is copied to one at the end.
      use(value, step);
      Place &place = places[rootOf(value)];
      if (place.kind == StorageKind::arena && isKnownOnEntry(place.root))
        place.kind = StorageKind::output, place.number = i;
    };
    // First those that can be nowhere else.
    for (auto [i, value] : llvm::enumerate(returnOp().getOperands()))
      if (func.getResultAttr(i, kAliasAttr))
        placeResult(i, value);
    for (auto [i, value] : llvm::enumerate(returnOp().getOperands()))
      placeResult(i, value);
    for (auto &[root, place] : places)
      if (place.kind == StorageKind::arena)
        place.number = isHeld(root.getType()) ? slots++ : buffers++;
  }

  bool isKnownOnEntry(Value root) {
    return isHeld(root.getType()) || llvm::all_of(sizes.sizesOf(root), [&](AffineExpr size) {
             return llvm::all_of(sizes.valuesOf(size), host::isKnownOnEntry);
           });
  }

  func::ReturnOp returnOp() { return cast<func::ReturnOp>(func.getBody().front().getTerminator()); }

  //===--------------------------------------------------------------------===//
  // Buffers
  //===--------------------------------------------------------------------===//

  static MemRefType memrefOf(Type tensor) {
    auto type = cast<RankedTensorType>(tensor);
    return MemRefType::get(type.getShape(), type.getElementType());
  }

  StringAttr nameOf(StorageKind kind, int64_t number) {
    if (kind == StorageKind::input)
      return func.getArgAttrOfType<StringAttr>(number, "tenon.name");
    return kind == StorageKind::output ? func.getResultAttrOfType<StringAttr>(number, "tenon.name") : StringAttr();
  }

  Value storage(Value tensor, ArrayRef<AffineExpr> extents, StorageKind kind, int64_t number, DenseI64ArrayAttr live,
                Attribute value) {
    auto [dynamic, fixed] = split(extents, tensor.getLoc());
    std::optional<ValueRange> strides = boundStridesOf(tensor);
    MemRefLayoutAttrInterface attribute;
    if (strides) {
      SmallVector<int64_t> typeStrides(strides->size(), ShapedType::kDynamic);
      typeStrides.push_back(1);
      attribute = StridedLayoutAttr::get(builder.getContext(), 0, typeStrides);
    }
    auto type = MemRefType::get(fixed, cast<RankedTensorType>(tensor.getType()).getElementType(), attribute);
    return StorageOp::create(builder, tensor.getLoc(), type, kind, number, nameOf(kind, number), dynamic, fixed,
                             strides.value_or(ValueRange()), /*bytes=*/Value(), live, value);
  }

  /// The place of a value that the runtime holds. Of input tensors the sizes are stated: they bind symbols.
  Value slot(Value value, StorageKind kind, int64_t number) {
    SmallVector<AffineExpr> extents;
    if (kind == StorageKind::input && isa<RankedTensorType>(value.getType()))
      extents = sizes.sizesOf(value);
    auto [dynamic, fixed] = split(extents, value.getLoc());
    auto type = dyn_cast<ValueType>(value.getType());
    if (!type)
      type = ValueType::get(builder.getContext(), value.getType());
    return SlotOp::create(builder, value.getLoc(), type, kind, number, nameOf(kind, number), dynamic, fixed);
  }

  std::pair<SmallVector<Value>, SmallVector<int64_t>> split(ArrayRef<AffineExpr> expressions, Location loc) {
    std::pair<SmallVector<Value>, SmallVector<int64_t>> result;
    dispatchIndexOpFoldResults(sizes.materialize(builder, loc, expressions), result.first, result.second);
    return result;
  }

  /// Goes to where the tensor's buffer can be named: to the block that it belongs to, but before loops and branches that
  /// are part of a segment.
  void goToBlockOf(Value tensor) {
    Block *block = tensor.getParentBlock();
    for (Operation *parent = block->getParentOp(); parent != func; parent = parent->getParentOp())
      if (!regions.isOpen(parent))
        block = parent->getBlock();
    Operation *here = block->findAncestorOpInBlock(*builder.getInsertionPoint());
    if (Operation *placed = flow.lookup(here))
      builder.setInsertionPoint(placed);
    else if (here->getBlock() != builder.getInsertionBlock())
      builder.setInsertionPoint(here);
  }

  /// The buffer of a tensor under its own sizes, named where it is first needed.
  Value bufferOf(Value tensor) {
    if (Value known = buffersOf.lookup(tensor))
      return known;
    OpBuilder::InsertionGuard guard(builder);
    goToBlockOf(tensor);
    if (isHeld(tensor.getType())) {
      Value root = rootOf(tensor);
      Place place = places.lookup(root);
      return buffersOf[tensor] = slot(root, place.kind, place.number);
    }
    Layout layout = *layouts.layoutOf(tensor);
    if (layout.root != tensor) {
      Value source = bufferOf(layout.root);
      bool isWhole = layout.offset == sizes.constant(0) && layout.isContiguous() &&
                     layout.sizes == sizes.sizesOf(layout.root) && source.getType() == memrefOf(tensor.getType());
      return buffersOf[tensor] = isWhole ? source : view(layout, tensor.getLoc());
    }
    Value root = rootOf(tensor);
    Place place = places.lookup(root);
    if (tensor != root && tensor.getType() != root.getType()) {
      Value source = bufferOf(root);
      return buffersOf[tensor] = contiguousView(source, tensor, sizes.sizesOf(tensor));
    }
    Value buffer = buffersOf.lookup(root);
    if (!buffer) {
      DenseI64ArrayAttr live;
      if (place.kind == StorageKind::arena && place.first >= 0)
        live = builder.getDenseI64ArrayAttr({place.first, place.last});
      Attribute value;
      if (auto constant = root.getDefiningOp<ConstantOp>())
        value = constant.getValue();
      buffer = storage(root, capacityOf(root), place.kind, place.number, live, value);
    }
    buffersOf[root] = buffer;
    buffersOf[tensor] = buffer;
    return buffer;
  }

  /// A part of a buffer. Its type has the strides that aren't those of contiguous rows; all of them are dynamic in the
  /// type of what a kernel gets strides of.
  Value view(const Layout &layout, Location loc, bool givesStrides = false) {
    Value source = bufferOf(layout.root);
    auto [dynamicOffset, fixedOffset] = split(layout.offset, loc);
    auto [dynamicSizes, fixedSizes] = split(layout.sizes, loc);
    auto [dynamicStrides, fixedStrides] = split(layout.strides, loc);
    MemRefLayoutAttrInterface attribute;
    SmallVector<int64_t> typeStrides = fixedStrides;
    if (givesStrides && !typeStrides.empty())
      std::fill(typeStrides.begin(), typeStrides.end() - 1, ShapedType::kDynamic);
    if (givesStrides || !layout.isContiguous())
      attribute = StridedLayoutAttr::get(builder.getContext(), fixedOffset.front(), typeStrides);
    auto type = MemRefType::get(fixedSizes, cast<MemRefType>(source.getType()).getElementType(), attribute);
    return ViewOp::create(builder, loc, type, source, dynamicOffset, dynamicSizes, dynamicStrides, fixedOffset,
                          fixedSizes, fixedStrides);
  }

  /// The sizes that a root's buffer has room for: of a loop's scan values, as many as there can be iterations.
  SmallVector<AffineExpr> capacityOf(Value root) {
    SmallVector<AffineExpr> result = sizes.sizesOf(root);
    auto loop = root.getDefiningOp<LoopOp>();
    unsigned number = loop ? cast<OpResult>(root).getResultNumber() : 0;
    if (loop && number >= loop.getCarried().size() && !regions.grows(root) && !regions.unknownDims(root).empty())
      result[0] = sizes.expressionOf(tripCounts[loop]);
    return result;
  }

  Value contiguousView(Value source, Value tensor, ArrayRef<AffineExpr> extents) {
    Location loc = tensor.getLoc();
    SmallVector<AffineExpr> strides(extents.size());
    AffineExpr stride = sizes.constant(1);
    for (int64_t i = (int64_t)extents.size() - 1; i >= 0; --i) {
      strides[i] = stride;
      stride = stride * extents[i];
    }
    auto [dynamic, fixed] = split(extents, loc);
    auto [dynamicStrides, fixedStrides] = split(strides, loc);
    return ViewOp::create(builder, loc, memrefOf(tensor.getType()), source, ValueRange(), dynamic, dynamicStrides,
                          ArrayRef<int64_t>{0}, fixed, fixedStrides);
  }

  /// Elements of `buffer`, which has the sizes `whole`, at `offsets + i * steps`.
  Value strided(Value buffer, ArrayRef<AffineExpr> whole, ArrayRef<AffineExpr> offsets, ArrayRef<AffineExpr> extents,
                ArrayRef<AffineExpr> steps, Location loc) {
    SmallVector<AffineExpr> strides(whole.size());
    AffineExpr stride = sizes.constant(1), offset = sizes.constant(0);
    for (int64_t i = (int64_t)whole.size() - 1; i >= 0; --i) {
      strides[i] = stride * steps[i];
      offset = offset + offsets[i] * stride;
      stride = stride * whole[i];
    }
    auto [dynamicOffset, fixedOffset] = split(offset, loc);
    auto [dynamicSizes, fixedSizes] = split(extents, loc);
    auto [dynamicStrides, fixedStrides] = split(strides, loc);
    auto layout = StridedLayoutAttr::get(builder.getContext(), fixedOffset.front(), fixedStrides);
    auto type = MemRefType::get(fixedSizes, cast<MemRefType>(buffer.getType()).getElementType(), layout);
    return ViewOp::create(builder, loc, type, buffer, dynamicOffset, dynamicSizes, dynamicStrides, fixedOffset,
                          fixedSizes, fixedStrides);
  }

  //===--------------------------------------------------------------------===//
  // Steps
  //===--------------------------------------------------------------------===//

  void rewrite(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      builder.setInsertionPoint(&op);
      if (auto launch = dyn_cast<LaunchOp>(op))
        place(launch);
      else if (auto call = dyn_cast<CallOp>(op))
        place(call);
      else if (auto concat = dyn_cast<ConcatOp>(op))
        copyParts(concat);
      else if (hasHalo(&op))
        writeBorder(cast<PadOp>(op));
      else if (auto slice = dyn_cast<SliceOp>(op); slice && !isView(slice))
        copyPart(slice);
      else if (auto branch = dyn_cast<IfOp>(op))
        rewrite(branch);
      else if (auto loop = dyn_cast<LoopOp>(op))
        rewrite(loop);
      else if (auto item = dyn_cast<ItemOp>(op))
        readItem(item);
      else if (auto size = dyn_cast<SizeOp>(op); size && !size.use_empty())
        size.getResult().replaceAllUsesWith(valueOf(sizes.expressionOf(size.getResult()), size.getLoc()));
    }
  }

  void place(LaunchOp launch) {
    Operation *kernel = symbols.lookupNearestSymbolFrom(launch, launch.getKernelAttr());
    unsigned operand = 0;
    auto buffersFor = [&](ValueRange values) {
      return llvm::map_to_vector(values, [&](Value value) {
        bool givesStrides = launch.takesStrides(kernel, operand++);
        return givesStrides ? view(*layouts.layoutOf(value), value.getLoc(), givesStrides) : bufferOf(value);
      });
    };
    SmallVector<Value> ins = buffersFor(launch.getIns()), outs = buffersFor(launch.getResults());
    auto placed = LaunchOp::create(builder, launch.getLoc(), TypeRange(), launch.getKernelAttr(), launch.getWork(),
                                   launch.getSymbols(), ins, outs, launch.getScratch());
    placed->setDiscardableAttrs(launch->getDiscardableAttrDictionary());
  }

  void place(CallOp call) {
    auto buffers = [&](ValueRange values) {
      return llvm::map_to_vector(values, [&](Value value) { return bufferOf(value); });
    };
    SmallVector<Value> ins = buffers(call.getIns()), outs = buffers(call.getResults());
    CallOp::create(builder, call.getLoc(), TypeRange(), call.getFunctionAttr(), call.getLibraryAttr(), ins, outs);
  }

  /// Between buffers, or between slots, whose value is shared.
  void copy(Value source, Value destination, Location loc) {
    if (isa<MemRefType>(source.getType()))
      CopyOp::create(builder, loc, source, destination);
    else
      CallOp::create(builder, loc, TypeRange(), "identity", "tenon_runtime", source, destination);
  }

  void copyPart(SliceOp slice) {
    Value part = view(*layouts.sliceOf(slice), slice.getLoc());
    CopyOp::create(builder, slice.getLoc(), part, bufferOf(slice.getResult()));
  }

  /// Copies the operands of a concat that weren't written in place.
  void copyParts(ConcatOp concat) {
    for (auto [i, operand] : llvm::enumerate(concat.getOperands())) {
      if (isPlaced(concat, i))
        continue;
      Value source = bufferOf(operand), part = view(*layouts.partOf(concat, i), concat.getLoc());
      OpBuilder::InsertionGuard guard(builder);
      if (Value isAliased = aliasOf(concat, operand)) {
        // It is there already where both are one buffer.
        Value zero = arith::ConstantIndexOp::create(builder, concat.getLoc(), 0);
        Value isApart =
            arith::CmpIOp::create(builder, concat.getLoc(), arith::CmpIPredicate::eq, isAliased, zero);
        auto branch = scf::IfOp::create(builder, concat.getLoc(), isApart, /*withElseRegion=*/false);
        builder.setInsertionPointToStart(branch.thenBlock());
      }
      CopyOp::create(builder, concat.getLoc(), source, part);
    }
  }

  /// What is around the operand, which was written in its place. In every execution: others have the place
  /// meanwhile.
  void writeBorder(PadOp pad) {
    Layout value = *layouts.layoutOf(pad.getValue());
    for (const Layout &part : layouts.borderOf(pad)) {
      Layout repeated = {value.root, value.offset, part.sizes, {}, {}};
      repeated.strides.assign(part.sizes.size(), sizes.constant(0));
      repeated.breaks.assign(part.sizes.size(), false);
      CopyOp::create(builder, pad.getLoc(), view(repeated, pad.getLoc()), view(part, pad.getLoc()));
    }
  }

  /// Whether the concat is an output in the buffer of the input that is its operand, if it may be.
  Value aliasOf(ConcatOp concat, Value operand) {
    Place place = places.lookup(rootOf(concat.getResult()));
    auto argument = dyn_cast<BlockArgument>(operand);
    if (!argument || place.kind != StorageKind::output || place.root != concat.getResult())
      return Value();
    for (auto alias : func.getOps<IsAliasedOp>())
      if ((int64_t)alias.getOutput() == place.number && alias.getInput() == argument.getArgNumber())
        return alias;
    return Value();
  }

  void readItem(ItemOp item) {
    Value read = ReadScalarOp::create(builder, item.getLoc(), builder.getIndexType(), bufferOf(item.getOperand()),
                                      item.getPosition());
    item.getResult().replaceAllUsesWith(read);
    sizes.resolve(item.getResult(), -1, read);
  }

  /// The buffer of a value that a region gives, copied to where its result lives.
  void copyTo(Value value, Value result, Location loc) {
    Value source = bufferOf(value), destination = bufferOf(result);
    if (source != destination)
      copy(source, destination, loc);
  }

  /// The value in growing buffer `number`: copied to it, unless it was computed there.
  StorageOp growTo(Value value, int64_t number, Location loc) {
    Value source = bufferOf(value);
    Place place = places.lookup(rootOf(value));
    if (place.kind == StorageKind::growing && place.number == number)
      return storageOf(source);
    Value target = storage(value, sizes.sizesOf(value), StorageKind::growing, number, DenseI64ArrayAttr(), Attribute());
    CopyOp::create(builder, loc, source, target);
    return target.getDefiningOp<StorageOp>();
  }

  static StorageOp storageOf(Value buffer) {
    while (auto view = buffer.getDefiningOp<ViewOp>())
      buffer = view.getSource();
    return buffer.getDefiningOp<StorageOp>();
  }

  Value valueOf(AffineExpr size, Location loc) {
    return getValueOrCreateConstantIndexOp(builder, loc, sizes.materialize(builder, loc, size));
  }

  /// Says what a size is that followed from nothing.
  void resolve(Value tensor, int64_t dim, Value size) {
    sizes.sizesOf(tensor);
    sizes.resolve(tensor, dim, size);
  }

  void rewrite(IfOp op) {
    Location loc = op.getLoc();
    SmallVector<std::pair<OpResult, int64_t>> unknown;
    for (OpResult result : op.getResults()) {
      if (!regions.grows(result))
        bufferOf(result);
      for (int64_t dim : regions.unknownDims(result))
        unknown.push_back({result, dim});
    }
    Value condition =
        ReadScalarOp::create(builder, loc, builder.getI1Type(), bufferOf(op.getCondition()), /*position=*/0);
    auto branch = scf::IfOp::create(builder, loc, SmallVector<Type>(unknown.size(), builder.getIndexType()), condition,
                                    /*withElseRegion=*/true);
    flow[op] = branch;
    for (auto [source, target] : llvm::zip(op.getRegions(), branch->getRegions())) {
      Block &body = source->front();
      rewrite(body);
      auto yield = cast<tenon::YieldOp>(body.getTerminator());
      builder.setInsertionPoint(yield);
      SmallVector<Value> extents;
      for (auto [result, dim] : unknown)
        extents.push_back(valueOf(sizes.sizesOf(yield.getValues()[result.getResultNumber()])[dim], loc));
      for (auto [value, result] : llvm::zip(yield.getValues(), op.getResults()))
        if (regions.grows(result))
          growTo(value, places.lookup(result).number, loc);
        else
          copyTo(value, result, loc);
      move(body, target.front(), extents, loc);
    }
    flow.erase(op);
    builder.setInsertionPoint(op);
    for (auto [dimension, size] : llvm::zip(unknown, branch.getResults()))
      resolve(dimension.first, dimension.second, size);
    for (Value result : op.getResults())
      bufferOf(result);
  }

  /// Moves what has been placed to a region, which gives `values`; what is left are tensors.
  void move(Block &from, Block &to, ValueRange values, Location loc) {
    if (!to.empty())
      to.back().erase();
    for (Operation &inner : llvm::make_early_inc_range(from.without_terminator()))
      if (!isTensorOp(&inner))
        inner.moveBefore(&to, to.end());
    builder.setInsertionPointToEnd(&to);
    scf::YieldOp::create(builder, loc, values);
  }

  static bool isTensorOp(Operation *op) {
    return isa<BindShapeOp, BindStridesOp, tensor::EmptyOp, ConstantOp, ReshapeOp, tensor::CastOp, ConcatOp,
               PadOp, SliceOp, IfOp, LoopOp, ItemOp, SizeOp>(op) ||
           (isa<LaunchOp, CallOp>(op) && op->getNumResults() != 0);
  }

  /// A size that a loop carries: of what the body is given, yields and leaves behind.
  struct CarriedSize {
    unsigned result;
    int64_t dim; ///< of the result
  };

  SmallVector<CarriedSize> carriedSizes(LoopOp op) {
    SmallVector<CarriedSize> result;
    unsigned carried = op.getCarried().size();
    for (unsigned i = 0; i < op.getNumResults(); ++i) {
      if (!regions.grows(op.getResult(i)))
        continue;
      llvm::SmallSetVector<int64_t, 4> dims;
      dims.insert_range(regions.unknownDims(op.getResult(i)));
      if (i < carried)
        dims.insert_range(regions.unknownDims(op.getBody().getArgument(i + 1)));
      else
        dims.remove(0); // the number of iterations
      for (int64_t dim : dims)
        result.push_back({i, dim});
    }
    return result;
  }

  void rewrite(LoopOp op) {
    Location loc = op.getLoc();
    Type index = builder.getIndexType(), i1 = builder.getI1Type();
    Value trip = ReadScalarOp::create(builder, loc, index, bufferOf(op.getTripCount()), /*position=*/0);
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0), one = arith::ConstantIndexOp::create(builder, loc, 1);
    trip = arith::MaxSIOp::create(builder, loc, trip, zero);
    tripCounts[op] = trip;
    Value condition = ReadScalarOp::create(builder, loc, i1, bufferOf(op.getCondition()), /*position=*/0);
    unsigned carried = op.getCarried().size();
    for (auto [value, result] : llvm::zip(op.getCarried(), op.getResults()))
      if (regions.grows(result))
        growTo(value, places.lookup(result).number, loc);
      else
        copyTo(value, result, loc);
    for (Value result : op.getResults())
      if (!regions.grows(result))
        bufferOf(result);

    // The loop carries its place, whether it goes on, and sizes; scan values have none before the first.
    SmallVector<CarriedSize> carriedSizes = this->carriedSizes(op);
    SmallVector<Value> initial = {zero, condition};
    for (auto [i, dim] : carriedSizes)
      initial.push_back(i < carried ? valueOf(sizes.sizesOf(op.getCarried()[i])[dim], loc) : zero);
    SmallVector<Type> state(initial.size(), index), passed(initial.size() - 1, index);
    state[1] = i1;
    auto loop = scf::WhileOp::create(builder, loc, passed, initial);
    flow[op] = loop;
    Block *before = builder.createBlock(&loop.getBefore(), {}, state, SmallVector<Location>(state.size(), loc));
    Value below = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, before->getArgument(0), trip);
    Value goesOn = arith::AndIOp::create(builder, loc, below, before->getArgument(1));
    SmallVector<Value> kept(before->getArguments());
    kept.erase(kept.begin() + 1);
    scf::ConditionOp::create(builder, loc, goesOn, kept);
    Block *after = builder.createBlock(&loop.getAfter(), {}, passed, SmallVector<Location>(passed.size(), loc));
    Value place = after->getArgument(0);
    ValueRange given = after->getArguments().drop_front();

    Block &body = op.getBody().front();
    for (auto [carriedSize, size] : llvm::zip(carriedSizes, given))
      if (carriedSize.result < carried)
        resolve(body.getArgument(carriedSize.result + 1), carriedSize.dim, size);
    builder.setInsertionPoint(&body.front());
    WriteScalarOp::create(builder, loc, place, bufferOf(body.getArgument(0)), /*position=*/0);
    rewrite(body);

    auto yield = cast<tenon::YieldOp>(body.getTerminator());
    ValueRange values = yield.getValues().drop_front();
    builder.setInsertionPoint(yield);
    SmallVector<Value> next = {arith::AddIOp::create(builder, loc, place, one)};
    next.push_back(ReadScalarOp::create(builder, loc, i1, bufferOf(yield.getValues().front()), /*position=*/0));
    for (auto [i, dim] : carriedSizes)
      next.push_back(valueOf(sizes.sizesOf(values[i])[i < carried ? dim : dim - 1], loc));
    checkScanned(carriedSizes, carried, place, given, ArrayRef(next).drop_front(2), loc);
    for (auto [value, result] : llvm::zip(values.drop_front(carried), op.getResults().drop_front(carried)))
      appendTo(value, result, place, loc);
    exchangeCarried(values, op, loc);
    move(body, *after, next, loc);
    flow.erase(op);
    builder.setInsertionPoint(op);
    for (auto [carriedSize, size] : llvm::zip(carriedSizes, loop.getResults().drop_front()))
      resolve(op.getResult(carriedSize.result), carriedSize.dim, size);
    for (OpResult result : op.getResults().drop_front(carried))
      setCount(result, loop.getResult(0));
    for (Value result : op.getResults())
      bufferOf(result);
  }

  /// Says how many scan values there are, now that the loop has run.
  void setCount(OpResult result, Value count) {
    if (!llvm::is_contained(regions.unknownDims(result), 0))
      return;
    resolve(result, 0, count);
    if (!regions.grows(result))
      buffersOf[result] = contiguousView(bufferOf(result), result, sizes.sizesOf(result));
  }

  /// Scan values have one size in all iterations.
  void checkScanned(ArrayRef<CarriedSize> carriedSizes, unsigned carried, Value place, ValueRange before,
                    ValueRange now, Location loc) {
    for (auto [carriedSize, expected, actual] : llvm::zip(carriedSizes, before, now)) {
      if (carriedSize.result < carried)
        continue;
      Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
      Value isFirst = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, place, zero);
      Value same = arith::SelectOp::create(builder, loc, isFirst, actual, expected);
      CheckEqualOp::create(builder, loc, actual, same, "scan values of the iterations differ in size");
    }
  }

  /// The scan value of one iteration, behind those of the ones before.
  void appendTo(Value value, Value result, Value place, Location loc) {
    SmallVector<AffineExpr> extents = sizes.sizesOf(value);
    extents.insert(extents.begin(), sizes.constant(1));
    SmallVector<AffineExpr> whole = capacityOf(result), zeros(extents.size(), sizes.constant(0)), offsets(zeros),
                            ones(extents.size(), sizes.constant(1));
    offsets[0] = sizes.expressionOf(place);
    Value all;
    if (regions.grows(result)) {
      whole = extents;
      whole[0] = offsets[0] + 1;
      all = storage(result, whole, StorageKind::growing, places.lookup(result).number, DenseI64ArrayAttr(),
                    Attribute());
    } else {
      all = bufferOf(result);
    }
    Value part = strided(all, whole, offsets, extents, ones, loc);
    Value source = strided(bufferOf(value), extents, zeros, extents, ones, loc);
    CopyOp::create(builder, loc, source, part);
  }

  /// What the body gives becomes what the next iteration is given: what grows changes places with it.
  void exchangeCarried(ValueRange values, LoopOp op, Location loc) {
    SmallVector<std::pair<StorageOp, StorageOp>> pairs;
    for (auto [i, given] : llvm::enumerate(op.getBody().getArguments().drop_front()))
      if (regions.grows(given) && rootOf(values[i]) != given)
        pairs.push_back({storageOf(bufferOf(given)), growTo(values[i], backs.lookup(op.getResult(i)), loc)});
    copyCarried(values.take_front(op.getCarried().size()), op, loc);
    for (auto [given, next] : pairs)
      ExchangeOp::create(builder, loc, given, next);
  }

  /// What the body gives takes the place of what it was given. A value that is itself carried is saved first, where
  /// another one is written before it is read.
  void copyCarried(ValueRange values, LoopOp op, Location loc) {
    DenseMap<size_t, Value> saved;
    for (auto [i, value] : llvm::enumerate(values)) {
      Value root = rootOf(value);
      auto owner = root.getDefiningOp<LoopOp>();
      if (regions.grows(op.getResult(i)) || owner != op || cast<OpResult>(root).getResultNumber() >= i)
        continue;
      saved[i] = temporary(value, op);
      this->copy(bufferOf(value), saved[i], loc);
    }
    for (auto [i, value] : llvm::enumerate(values)) {
      Value result = op.getResult(i);
      if (regions.grows(result))
        continue;
      if (Value copy = saved.lookup(i))
        this->copy(copy, bufferOf(result), loc);
      else
        copyTo(value, result, loc);
    }
  }

  Value temporary(Value tensor, LoopOp op) {
    OpBuilder::InsertionGuard guard(builder);
    goToBlockOf(op.getResult(0));
    if (isHeld(tensor.getType()))
      return slot(tensor, StorageKind::arena, slots++);
    Place place = places.lookup(op.getResult(0));
    auto live = builder.getDenseI64ArrayAttr({place.first, place.last});
    return storage(tensor, sizes.sizesOf(tensor), StorageKind::arena, buffers++, live, Attribute());
  }

  void rewriteReturn() {
    func::ReturnOp end = returnOp();
    builder.setInsertionPoint(end);
    for (auto [i, value] : llvm::enumerate(end.getOperands())) {
      Value source = bufferOf(value);
      Place place = places.lookup(rootOf(value));
      // Every output is named here with its own sizes: they are what the plan reports.
      Value output = isHeld(value.getType()) ? slot(value, StorageKind::output, i)
                                             : storage(value, sizes.sizesOf(value), StorageKind::output, i,
                                                       DenseI64ArrayAttr(), Attribute());
      outputs.push_back(output);
      if (place.kind != StorageKind::output || place.number != (int64_t)i)
        copy(source, output, value.getLoc());
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
  OpenRegions regions;
  Layouts layouts;
  SymbolTableCollection symbols;
  OpBuilder builder;
  llvm::MapVector<Value, Place> places;
  DenseMap<Value, Value> buffersOf;
  DenseMap<Operation *, Value> tripCounts;
  SmallVector<Value> outputs; ///< as they are returned
  DenseMap<Value, int64_t> backs; ///< of carried values that grow: the buffer of what the body gives
  DenseMap<Operation *, Operation *> flow; ///< loops and branches that are being placed, by those on tensors
  int64_t constants = 0, buffers = 0, growing = 0, slots = 0, step = 0;
};

struct PlaceBuffersPass : host::impl::PlaceBuffersPassBase<PlaceBuffersPass> {
  void runOnChecked() override {
    if (failed(Placement(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace
