//===- Graph.cpp - A model's function while it is converted ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph.h"
#include "Diagnostics.h"
#include "Signatures.h"
#include "Values.h"

#include "mlir/IR/Iterators.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringSet.h"

#include <variant>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

Graph::Graph(func::FuncOp func, const ConverterTable &table, Evaluator evaluator, const llvm::StringMap<int64_t> &fixed)
    : builder(func.getContext(), &recorder), sizes(func.getContext()), known(std::move(evaluator), sizes), func(func),
      table(table), fixed(fixed) {
  scopes.emplace_back();
}

Graph::~Graph() {
  for (std::unique_ptr<Region> &region : regions)
    region->dropAllReferences();
}

LogicalResult Graph::convert() {
  if (!func.getBody().hasOneBlock())
    return func.emitOpError("expects one block");
  Block &body = func.getBody().front();
  if (mlir::failed(checkOthers()))
    return failure();
  bool failed = mlir::failed(checkOperators());
  builder.setInsertionPointToStart(&body);
  if (mlir::failed(convertArguments()))
    return failure();
  auto terminator = dyn_cast<func::ReturnOp>(body.getTerminator());
  if (!terminator)
    return func.emitOpError("expects func.return at its end");
  SmallVector<NodeOp> nodes(body.getOps<NodeOp>());
  std::optional<Reached> end;
  for (NodeOp node : nodes) {
    if (end)
      break;
    builder.setInsertionPoint(node);
    auto reached = convertNode(node);
    failed |= mlir::failed(reached);
    if (mlir::succeeded(reached))
      end = *reached;
  }
  if (!end) {
    auto values = yieldedBy(terminator);
    failed |= mlir::failed(values);
    if (!failed)
      end = Reached{func, *values};
  }
  if (failed || mlir::failed(convertReturn(end->values)))
    return failure();
  reportContradictions();
  for (NodeOp node : llvm::reverse(nodes))
    node.erase();
  replaceUnified();
  eraseDead();
  return success();
}

/// What isn't a node of the model stays what it is: it can't take what nodes give, nor hold any.
LogicalResult Graph::checkOthers() {
  LogicalResult result = success();
  func.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op == func || isa<NodeOp>(op))
      return;
    if (op->getNumRegions() != 0)
      result = op->emitOpError("has regions, which in a model only nodes may have");
    else if (op->getBlock() == &func.getBody().front() && !op->hasTrait<OpTrait::IsTerminator>() &&
             llvm::any_of(op->getOperands(), [](Value operand) { return (bool)operand.getDefiningOp<NodeOp>(); }))
      result = op->emitOpError("takes what a node gives, but is none");
  });
  return result;
}

/// Operators that nothing can be done about are reported wherever they are, also behind other failures: once each,
/// at the first node.
LogicalResult Graph::checkOperators() {
  llvm::MapVector<std::tuple<StringRef, StringRef, int64_t>, SmallVector<NodeOp>> unknown;
  func.walk<WalkOrder::PreOrder>([&](NodeOp op) {
    if (!table.find(op.getDomain(), op.getOpType(), op.getVersion()))
      unknown[{op.getDomain(), op.getOpType(), op.getVersion()}].push_back(op);
  });
  for (auto &[key, nodes] : unknown) {
    NodeOp op = nodes.front();
    InFlightDiagnostic error = errorAt(op)
                               << "is not supported: " << table.reasonAgainst(op.getDomain(), op.getOpType());
    if (nodes.size() == 1)
      continue;
    constexpr size_t shown = 3;
    error << "; " << nodes.size() << " nodes: ";
    for (auto [i, node] : llvm::enumerate(MutableArrayRef(nodes).take_front(shown)))
      error << (i == 0 ? "'" : ", '") << node.getNodeName() << "'";
    if (nodes.size() > shown)
      error << ", ...";
  }
  return failure(!unknown.empty());
}

//===----------------------------------------------------------------------===//
// The function's boundary
//===----------------------------------------------------------------------===//

/// Symbols for the sizes that aren't known, one per name.
LogicalResult Graph::convertArguments() {
  Location loc = func.getLoc();
  llvm::StringMap<Value> symbols;
  SmallVector<std::string> names, places; // where each size is first
  llvm::StringSet<> stated;
  auto nameOf = [&](BlockArgument argument, int64_t dim) -> StringRef {
    auto dims = func.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "tenon.dims");
    auto name = dims && dim < (int64_t)dims.size() ? dyn_cast<StringAttr>(dims[dim]) : StringAttr();
    // "?" is what some exporters write for a size without a name.
    return name && name.getValue() != "?" ? name.getValue() : StringRef();
  };
  for (BlockArgument argument : func.getArguments())
    if (auto type = dyn_cast<RankedTensorType>(argument.getType()))
      for (int64_t dim = 0; dim < type.getRank(); ++dim)
        stated.insert(nameOf(argument, dim));

  for (BlockArgument argument : func.getArguments()) {
    auto named = func.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "tenon.name");
    std::string input = named ? named.str() : ("input" + llvm::Twine(argument.getArgNumber())).str();
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type && !isa<tenon::SequenceType, tenon::OptionalType>(argument.getType()))
      return emitError(argument.getLoc())
             << "input '" << input << "' has type " << argument.getType() << ", but a tensor of known rank is expected";
    if (!type || type.hasStaticShape())
      continue;
    SmallVector<OpFoldResult> bound;
    SmallVector<int64_t> shape(type.getShape());
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      if (!type.isDynamicDim(dim)) {
        bound.push_back(builder.getIndexAttr(type.getDimSize(dim)));
        continue;
      }
      std::string name = nameOf(argument, dim).str();
      if (name.empty())
        for (name = (input + "_" + llvm::Twine(dim)).str(); stated.contains(name);)
          name += "_";
      if (!llvm::is_contained(names, name)) {
        names.push_back(name);
        places.push_back("dimension " + std::to_string(dim) + " of '" + input + "'");
      }
      if (auto it = fixed.find(name); it != fixed.end()) {
        shape[dim] = it->second;
        bound.push_back(builder.getIndexAttr(it->second));
        continue;
      }
      Value &symbol = symbols[name];
      if (!symbol)
        symbol = SymbolOp::create(builder, loc, builder.getIndexType(), builder.getStringAttr(name),
                                  DenseI64ArrayAttr(), IntegerAttr());
      bound.push_back(symbol);
    }
    argument.setType(RankedTensorType::get(shape, type.getElementType(), type.getEncoding()));
    if (!ShapedType::isDynamicShape(shape))
      continue;
    SmallVector<Value> dynamic;
    SmallVector<int64_t> stored;
    dispatchIndexOpFoldResults(bound, dynamic, stored);
    BindShapeOp::create(builder, loc, argument, dynamic, stored);
  }
  for (auto &entry : fixed) {
    StringRef name = entry.getKey();
    if (llvm::is_contained(names, name.str()))
      continue;
    InFlightDiagnostic error = emitError(loc)
                               << "no size of the inputs that is known at run time only is named '" << name << "'";
    for (auto [i, other] : llvm::enumerate(names))
      error << (i == 0 ? ", these are: '" : ", '") << other << "' (" << places[i] << ")";
    return error;
  }
  recorder.ops.clear();
  return success();
}

/// Whether a value of a type may be what the model states.
static bool agrees(Type stated, Type actual) {
  if (isa<UnknownType>(stated) || (heldType(stated) && joinTypes(stated, actual)))
    return true;
  auto expected = dyn_cast<RankedTensorType>(stated), found = dyn_cast<RankedTensorType>(actual);
  auto elements = dyn_cast<ShapedType>(stated);
  return found && elements && elements.getElementType() == found.getElementType() &&
         (!expected || succeeded(verifyCompatibleShape(expected.getShape(), found.getShape())));
}

/// Of tensors, or of those in a sequence or optional; null where it is not known.
static Type elementsOf(Type type) {
  while (Type held = heldType(type))
    type = held;
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped ? shaped.getElementType() : Type();
}

/// The operators have the last word on ranks and sizes: what the model states contradicts them at most in a warning.
/// Other elements than those stated of an output don't fit the buffers that are made for it.
LogicalResult Graph::convertReturn(ArrayRef<Value> results) {
  Operation *terminator = func.getBody().front().getTerminator();
  LogicalResult result = success();
  for (auto [i, value] : llvm::enumerate(results)) {
    auto named = func.getResultAttrOfType<StringAttr>(i, "tenon.name");
    std::string name = named ? named.str() : std::to_string(i);
    if (Type stated = func.getResultTypes()[i]; !agrees(stated, value.getType())) {
      contradicted.erase(terminator->getOperand(i));
      Type actual = elementsOf(value.getType()), expected = elementsOf(stated);
      if (actual && expected && actual != expected)
        result = emitError(value.getLoc())
                 << "output '" << name << "' has elements of " << actual << ", but the model states " << expected
                 << ": state the former, or cast to the latter";
      else
        emitWarning(value.getLoc()) << "output '" << name << "' has type " << value.getType()
                                    << ", but the model states " << stated;
      // Names of sizes are those of what was stated.
      func.removeResultAttr(i, builder.getStringAttr("tenon.dims"));
    }
    terminator->setOperand(i, value);
  }
  func.setFunctionType(FunctionType::get(func.getContext(), llvm::to_vector(func.getBody().getArgumentTypes()),
                                         llvm::to_vector(terminator->getOperandTypes())));
  return result;
}

/// One warning for all values inside: exporters get either none of them wrong or hundreds.
void Graph::reportContradictions() {
  if (contradicted.empty())
    return;
  auto [value, type] = contradicted.front();
  auto op = cast<NodeOp>(value.getDefiningOp());
  InFlightDiagnostic warning = op.emitWarning() << "'" << op.getOpType() << "' (opset " << op.getVersion() << ") ";
  if (op->getNumResults() > 1)
    warning << "result " << cast<OpResult>(value).getResultNumber() << " ";
  warning << "has type " << type << ", but the model states " << value.getType();
  if (size_t others = contradicted.size() - 1)
    warning << "; " << others << (others == 1 ? " other result has" : " other results have")
            << " another type than is stated, too";
}

void Graph::eraseDead() {
  func.walk<WalkOrder::PostOrder, mlir::ReverseIterator>([](Operation *op) {
    if (isOpTriviallyDead(op))
      op->erase();
  });
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

Value Graph::valueOf(Value value) {
  if (auto it = values.find(value); it != values.end())
    return it->second;
  return value.getDefiningOp<NodeOp>() ? Value() : value;
}

FailureOr<SmallVector<Value>> Graph::yieldedBy(Operation *terminator) {
  SmallVector<Value> values;
  bool failed = false;
  for (auto [i, operand] : llvm::enumerate(terminator->getOperands())) {
    values.push_back(valueOf(operand));
    failed |= !values.back();
    if (!isa<NoneType>(operand.getType()))
      continue;
    failed = true;
    emitError(terminator->getLoc()) << "output " << i << " is stated to be none, but a value is expected";
  }
  if (failed)
    return failure();
  return values;
}

void Graph::checkHint(NodeOp op, unsigned number, Value value) {
  if (!agrees(op->getResult(number).getType(), value.getType()))
    contradicted[op->getResult(number)] = value.getType();
  else // a body of a loop is tried with narrower types first
    contradicted.erase(op->getResult(number));
}

Value Graph::foldSizes(Location loc, Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.getElementType().isInteger() || value.getDefiningOp<ConstantOp>())
    return value;
  // Where the analysis of sizes sees the elements they need no constant.
  if (auto seen = sizes.elementsOf(value); seen && llvm::all_of(*seen, [](AffineExpr e) { return e && isStatic(e); }))
    return value;
  constexpr int64_t most = 64; // sizes
  DenseElementsAttr elements = known.elementsOf(value);
  return elements && elements.getNumElements() <= most
             ? ConstantOp::create(builder, loc, elements.getType(), elements).getResult()
             : value;
}

namespace {
/// What the verifiers of our ops say of what a node comes to, as an error of the node: whoever has the model knows
/// nothing of those ops.
class Refusal {
public:
  explicit Refusal(Node &node)
      : node(node), handler(node.builder.getContext(), [this](Diagnostic &error) { return take(error); }) {}

  LogicalResult report() {
    if (reason.empty() || hasErrors)
      return failure();
    InFlightDiagnostic error = errorAt(node.op) << "cannot take operands of types ";
    for (auto [i, operand] : llvm::enumerate(node.all()))
      error << (i == 0 ? "" : ", ") << (operand ? operand.getType() : Type(NoneType::get(node.builder.getContext())));
    error << ": ";
    for (const Part &part : reason) {
      if (const Type *type = std::get_if<Type>(&part))
        error << *type;
      else
        error << std::get<std::string>(part);
    }
    return error;
  }

private:
  /// Types stay types: who prints them says how they look.
  using Part = std::variant<std::string, Type>;

  /// Errors that begin as those of ops do, `'dialect.name' op `.
  LogicalResult take(Diagnostic &error) {
    if (error.getSeverity() != DiagnosticSeverity::Error)
      return failure();
    std::vector<Part> parts = {std::string()};
    for (const DiagnosticArgument &argument : error.getArguments()) {
      if (argument.getKind() == DiagnosticArgument::DiagnosticArgumentKind::Type)
        parts.insert(parts.end(), {argument.getAsType(), std::string()});
      else
        llvm::raw_string_ostream(std::get<std::string>(parts.back())) << argument;
    }
    auto [name, said] = StringRef(std::get<std::string>(parts.front())).split("' op ");
    if (!name.starts_with("'") || !name.contains('.') || name.contains(' ')) {
      hasErrors = true;
      return failure();
    }
    parts.front() = said.str();
    if (reason.empty())
      reason = std::move(parts);
    return success();
  }

  Node &node;
  std::vector<Part> reason;
  bool hasErrors = false; ///< of others
  ScopedDiagnosticHandler handler;
};
} // namespace

FailureOr<std::optional<Reached>> Graph::convertNode(NodeOp op) {
  const Converter *converter = table.find(op.getDomain(), op.getOpType(), op.getVersion());
  if (!converter) {
    ++unsupported;
    return failure();
  }
  SmallVector<Value> operands;
  for (Value operand : op.getOperands()) {
    if (isa<NoneType>(operand.getType())) {
      operands.push_back(Value());
      continue;
    }
    operands.push_back(valueOf(operand));
    if (!operands.back())
      return failure();
  }
  // Operands that are left out at the end are as good as absent.
  while (!operands.empty() && !operands.back())
    operands.pop_back();

  Node node(*this, op, operands);
  if (operands.size() < converter->minOperands || operands.size() > converter->maxOperands) {
    InFlightDiagnostic error = node.error() << "expects ";
    if (converter->maxOperands == converter->minOperands)
      error << converter->minOperands;
    else if (converter->maxOperands == ConverterTable::variadic)
      error << "at least " << converter->minOperands;
    else
      error << converter->minOperands << " to " << converter->maxOperands;
    error << " operands, but has " << operands.size();
    return failure();
  }
  for (auto [i, operand] : llvm::enumerate(operands)) {
    if (!operand && i < converter->minOperands)
      node.error() << "expects operand " << i;
    else if (!operand || converter->accepts == Accepts::values)
      continue;
    else if (!isa<RankedTensorType>(operand.getType()))
      node.unsupported() << "operand " << i << " has type " << operand.getType();
    else if (converter->accepts == Accepts::numbers && isa<tenon::StringType>(elementOf(operand)))
      node.unsupported() << "operand " << i << " holds strings";
    if (node.hasFailed())
      return failure();
  }

  if (mlir::failed(checkSignature(node)))
    return failure();

  size_t first = recorder.ops.size();
  Refusal refusal(node);
  Results results = converter->convert(node);
  bool failed = node.hasFailed() || results.isFailure;
  if (!failed && !results.of)
    for (Value &value : results.values)
      value = value ? foldSizes(node.loc, value) : value;
  for (Operation *created : ArrayRef(recorder.ops).drop_front(first)) {
    // Regions that aren't attached yet have no dominance; the pass manager verifies what becomes of them.
    bool isControlFlow = created->getNumRegions() != 0 || isa<tenon::YieldOp>(created);
    failed = failed || (!isControlFlow && mlir::failed(verify(created, /*verifyRecursively=*/false)));
  }
  recorder.ops.truncate(first);
  if (failed)
    return refusal.report();
  if (results.of && results.of != op)
    return std::optional(Reached{results.of, results.values});
  for (auto [i, result] : llvm::enumerate(op->getResults())) {
    Value value = i < results.values.size() ? results.values[i] : Value();
    if (!value && !result.use_empty()) {
      node.unsupported() << "result " << i << " is used";
      return failure();
    }
    if (!value || isa<NoneType>(result.getType()))
      continue;
    checkHint(op, i, value);
    values[result] = value;
  }
  return std::optional<Reached>();
}

std::optional<int64_t> Graph::statedRank(Value result) {
  if (auto type = dyn_cast<RankedTensorType>(result.getType()))
    return type.getRank();
  for (OpOperand &use : result.getUses()) {
    auto user = dyn_cast<NodeOp>(use.getOwner());
    const Converter *converter = user ? table.find(user.getDomain(), user.getOpType(), user.getVersion()) : nullptr;
    if (converter && converter->keepsSizes && use.getOperandNumber() == 0 && user->getNumResults() > 0)
      if (auto rank = statedRank(user->getResult(0)))
        return rank;
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Subgraphs
//===----------------------------------------------------------------------===//

Region &Graph::newRegion() {
  regions.push_back(std::make_unique<Region>());
  regions.back()->emplaceBlock();
  return *regions.back();
}

FailureOr<SmallVector<Value>> Graph::convertBody(Region &source, ArrayRef<Value> arguments) {
  auto reached = convertBlock(source, arguments);
  if (failed(reached))
    return failure();
  return reached->values;
}

FailureOr<Reached> Graph::convertBlock(Region &source, ArrayRef<Value> arguments) {
  Block &block = source.front();
  for (auto [argument, value] : llvm::zip_equal(block.getArguments(), arguments))
    values[argument] = value;
  return convertNodes(block, block.begin());
}

FailureOr<Reached> Graph::convertAfter(Reached reached) {
  for (auto [result, value] : llvm::zip_equal(reached.op->getResults(), reached.values))
    values[result] = value;
  return convertNodes(*reached.op->getBlock(), std::next(reached.op->getIterator()));
}

FailureOr<Reached> Graph::convertNodes(Block &block, Block::iterator first) {
  bool failed = false;
  for (Operation &op : llvm::make_range(first, block.getTerminator()->getIterator())) {
    if (auto node = dyn_cast<NodeOp>(op)) {
      auto reached = convertNode(node);
      failed |= mlir::failed(reached);
      if (mlir::failed(reached) || !*reached)
        continue;
      if (failed)
        return failure();
      return **reached;
    } else if (!isa<NoneOp>(op)) {
      IRMapping mapping;
      bool isKnown = true;
      for (Value operand : op.getOperands()) {
        Value value = valueOf(operand);
        isKnown &= (bool)value;
        mapping.map(operand, value);
      }
      // What it needs wasn't converted, and an error says so.
      failed |= !isKnown;
      if (!isKnown)
        continue;
      Operation *copy = builder.clone(op, mapping);
      for (auto [from, to] : llvm::zip(op.getResults(), copy->getResults()))
        values[from] = to;
    }
  }
  auto values = yieldedBy(block.getTerminator());
  if (failed || mlir::failed(values))
    return failure();
  return Reached{block.getParentOp(), *values};
}

std::optional<bool> Graph::isKnown(const Equality &equality) const {
  for (const Scope &scope : scopes)
    if (auto it = scope.facts.find({equality.a, equality.b}); it != scope.facts.end())
      return it->second == equality.holds;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

OpFoldResult Graph::materialize(Location loc, AffineExpr size) {
  size = sizes.simplify(size);
  if (isStatic(size))
    return builder.getIndexAttr(SizeAnalysis::staticSize(size));
  for (Scope &scope : scopes)
    if (Value known = scope.values.lookup(size))
      return known;
  OpFoldResult result = sizes.materialize(builder, loc, size);
  if (auto value = dyn_cast<Value>(result))
    scopes.back().values[size] = value;
  return result;
}

AffineExpr Graph::derive(StringRef key, ArrayRef<AffineExpr> arguments, function_ref<Value()> build) {
  std::pair<std::string, std::vector<const void *>> full(key.str(), {});
  for (AffineExpr argument : arguments)
    full.second.push_back(argument.getAsOpaquePointer());
  for (Scope &scope : scopes)
    if (auto it = scope.derived.find(full); it != scope.derived.end())
      return it->second;
  return scopes.back().derived[full] = sizes.expressionOf(build());
}

AffineExpr Graph::unify(AffineExpr a, AffineExpr b, bool broadcast) {
  if (scopes.size() > 1)
    return AffineExpr();
  for (auto [size, whole] : {std::pair(a, b), std::pair(b, a)}) {
    // A whole size may be a clamped one itself: where the smallest is the largest, all between them are.
    SmallVector<AffineExpr> between;
    for (auto it = clamped.find(size); it != clamped.end() && (it->second.isSeveral || !broadcast);
         it = clamped.find(it->second.whole)) {
      between.push_back(it->first);
      if (it->second.whole == whole) {
        unified.insert_range(between);
        return whole;
      }
    }
  }
  return AffineExpr();
}

void Graph::replaceUnified() {
  DenseMap<AffineExpr, AffineExpr> wholes;
  for (AffineExpr size : unified)
    wholes[size] = clamped.at(size).whole;
  for (AffineExpr size : unified) {
    Value value = sizes.valuesOf(size).front();
    builder.setInsertionPoint(value.getDefiningOp());
    // What is whole by now stands for what is whole itself.
    AffineExpr whole = wholes[size];
    for (AffineExpr next = whole.replace(wholes); next != whole; next = whole.replace(wholes))
      whole = next;
    OpFoldResult known = sizes.materialize(builder, value.getLoc(), whole);
    value.replaceAllUsesWith(getValueOrCreateConstantIndexOp(builder, value.getLoc(), known));
  }
}
