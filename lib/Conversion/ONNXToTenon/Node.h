//===- Node.h - A node of a model while it is converted ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// What a converter of one ONNX operator sees: the node's attributes and converted operands, and the means to
// build graph ops from them. Result types follow from operand types and from sizes, so builders take sizes,
// not types. An error marks the node as failed; the converter may go on or return, what it built is of no use
// then.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_NODE_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_NODE_H

#include "tenon/Dialect/ONNX/IR/ONNXOps.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

namespace tenon::onnx {

class Graph;

/// One expression per dimension.
using Sizes = llvm::SmallVector<mlir::AffineExpr>;

/// The results of a node, or a failure that has been reported. A null value is a result that nobody uses.
class Results {
public:
  Results(mlir::Value value) : values{value} {}
  Results(llvm::ArrayRef<mlir::Value> values) : values(values) {}
  Results(std::initializer_list<mlir::Value> values) : values(values) {}
  Results(mlir::LogicalResult) : isFailure(true) {}
  Results(const mlir::InFlightDiagnostic &) : isFailure(true) {}

  llvm::SmallVector<mlir::Value> values;
  /// The op of the model whose results these are, where it isn't the node: one that holds the node.
  mlir::Operation *of = nullptr;
  bool isFailure = false;
};

inline mlir::RankedTensorType typeOf(mlir::Value value) { return mlir::cast<mlir::RankedTensorType>(value.getType()); }
inline int64_t rankOf(mlir::Value value) { return typeOf(value).getRank(); }
inline mlir::Type elementOf(mlir::Value value) { return typeOf(value).getElementType(); }
/// Whether a tensor has one element, whatever its rank.
inline bool isSingle(mlir::Value value) {
  return typeOf(value).hasStaticShape() && typeOf(value).getNumElements() == 1;
}
inline bool isStatic(mlir::AffineExpr size) { return mlir::isa<mlir::AffineConstantExpr>(size); }
inline bool isStatic(mlir::AffineExpr size, int64_t value) { return SizeAnalysis::staticSize(size) == value; }

class Node {
public:
  Node(Graph &graph, NodeOp op, llvm::ArrayRef<mlir::Value> operands);

  Graph &graph;
  NodeOp op;
  mlir::OpBuilder &builder;
  SizeAnalysis &sizes;
  mlir::Location loc;

  llvm::StringRef name() { return op.getOpType(); }
  int64_t version() { return op.getVersion(); }

  //===--- Diagnostics ---===//
  mlir::InFlightDiagnostic error();       ///< `'Conv' (opset 17) `, to be continued
  mlir::InFlightDiagnostic unsupported(); ///< `'Conv' (opset 17) is not supported: `, to be continued
  bool hasFailed() const { return failed; }

  //===--- Operands and results ---===//
  size_t size() const { return operands.size(); }
  bool has(size_t i) const { return i < operands.size() && operands[i]; }
  /// The operand, null where it is left out.
  mlir::Value operator[](size_t i) const { return i < operands.size() ? operands[i] : mlir::Value(); }
  llvm::ArrayRef<mlir::Value> all() const { return operands; }
  /// Whether all of these operands are there, an error where one isn't.
  bool expect(llvm::ArrayRef<size_t> required);
  /// A value of one element as a scalar, which is checked at run time where its sizes aren't known; null after an
  /// error, which says what was expected.
  mlir::Value single(mlir::Value value, const llvm::Twine &expected);
  bool isUsed(size_t result) { return result < op->getNumResults() && !op->getResult(result).use_empty(); }

  //===--- Attributes ---===//
  bool hasAttribute(llvm::StringRef name) { return op.getNodeAttributes().contains(name); }
  mlir::Attribute attribute(llvm::StringRef name) { return op.getNodeAttributes().get(name); }
  int64_t integer(llvm::StringRef name, int64_t otherwise);
  bool flag(llvm::StringRef name, bool otherwise = false) { return integer(name, otherwise) != 0; }
  double number(llvm::StringRef name, double otherwise);
  llvm::StringRef string(llvm::StringRef name, llvm::StringRef otherwise);
  std::optional<llvm::SmallVector<int64_t>> integers(llvm::StringRef name);
  std::optional<llvm::SmallVector<double>> numbers(llvm::StringRef name);
  /// A list of `count` values, all `otherwise` where the attribute is left out.
  llvm::SmallVector<int64_t> integers(llvm::StringRef name, size_t count, int64_t otherwise);

  /// A dimension of a tensor of that rank, counted from the end where it is negative; 0 after an error.
  int64_t dimension(int64_t axis, int64_t rank);
  /// Sorted, different dimensions; empty after an error.
  llvm::SmallVector<int64_t> dimensions(llvm::ArrayRef<int64_t> axes, int64_t rank);

  //===--- What is known of values ---===//
  Sizes sizesOf(mlir::Value value) { return sizes.sizesOf(value); }
  mlir::AffineExpr sizeOf(mlir::Value value, int64_t dim) { return sizes.sizesOf(value)[dim]; }
  mlir::AffineExpr size(int64_t value) { return sizes.constant(value); }
  Sizes constants(llvm::ArrayRef<int64_t> values);
  /// All elements, where they are known when compiling.
  std::optional<llvm::SmallVector<int64_t>> constantIntegers(mlir::Value value);
  std::optional<llvm::SmallVector<double>> constantNumbers(mlir::Value value);
  /// The elements of an integer tensor of rank 0 or 1 as sizes; those that follow from nothing are read from
  /// data. Where their number isn't known it is `count`, which is checked at run time; without one it is an error.
  std::optional<Sizes> elements(mlir::Value value, std::optional<int64_t> count = std::nullopt);
  /// Whether it may be: it is read from a tensor, or subtracted.
  bool mayBeNegative(mlir::AffineExpr size);

  //===--- Sizes ---===//
  mlir::AffineExpr product(llvm::ArrayRef<mlir::AffineExpr> factors);
  /// The quotient of two products; factors that occur on both sides cancel.
  mlir::AffineExpr quotient(llvm::ArrayRef<mlir::AffineExpr> factors, llvm::ArrayRef<mlir::AffineExpr> divisors);
  mlir::AffineExpr least(mlir::AffineExpr a, mlir::AffineExpr b);
  mlir::AffineExpr largest(mlir::AffineExpr a, mlir::AffineExpr b);
  /// `a == b ? x : y`.
  mlir::AffineExpr choose(mlir::AffineExpr a, mlir::AffineExpr b, mlir::AffineExpr x, mlir::AffineExpr y);
  /// `place < 0 ? place + extent : place`.
  mlir::AffineExpr fromEnd(mlir::AffineExpr place, mlir::AffineExpr extent);
  mlir::OpFoldResult materialize(mlir::AffineExpr size);
  /// Ends the run with a message where two sizes differ.
  void expectEqual(mlir::AffineExpr actual, mlir::AffineExpr expected, llvm::StringRef message);
  /// Ends the run, or is an error when compiling, where an extent without elements is to give `wanted` ones.
  void expectElements(mlir::AffineExpr extent, mlir::AffineExpr wanted, int64_t dim);
  /// The value with the sizes that the operator's rules say it has; null ones are its own. Those that aren't known when
  /// compiling are checked at run time. An error, which begins as the check does, where they can't be: `expects WHAT`.
  mlir::Value withSizes(mlir::Value value, llvm::ArrayRef<mlir::AffineExpr> expected, const llvm::Twine &what);
  /// The same for one dimension.
  mlir::Value withSize(mlir::Value value, int64_t dim, mlir::AffineExpr expected, const llvm::Twine &what);
  /// Checks that `divisor`, positive where it is static, divides a size: an error when compiling, or at run time.
  void expectMultiple(mlir::AffineExpr size, mlir::AffineExpr divisor, const llvm::Twine &what);
  /// The rank that the model states for a result, where no operand says it.
  std::optional<int64_t> statedRank(size_t result);
  /// What a user can do about a size that has to be known when compiling: the end of a message.
  std::string wayToKnow(mlir::AffineExpr size);
  /// The common sizes by numpy's rules, an error where there are none.
  std::optional<Sizes> broadcastSizes(llvm::ArrayRef<mlir::AffineExpr> a, llvm::ArrayRef<mlir::AffineExpr> b);
  std::optional<Sizes> broadcastSizes(llvm::ArrayRef<mlir::Value> values);
  mlir::RankedTensorType typeFor(mlir::Type element, llvm::ArrayRef<mlir::AffineExpr> sizes);

  //===--- Constants ---===//
  mlir::Value constant(mlir::TypedAttr value) { return ConstantOp::create(builder, loc, value.getType(), value); }
  mlir::Value scalar(double value, mlir::Type element); ///< of strings, 0 is the empty one
  mlir::Value scalarInteger(int64_t value, mlir::Type element);
  mlir::Value integersConstant(llvm::ArrayRef<int64_t> values);
  mlir::Value numbersConstant(llvm::ArrayRef<double> values, mlir::Type element);
  /// A number everywhere, as `like`.
  mlir::Value splat(double value, mlir::Value like);
  mlir::Value boolean(bool value);

  //===--- Ops ---===//
  template <typename Op> mlir::Value unary(mlir::Value x) { return Op::create(builder, loc, x.getType(), x); }
  /// Operands of equal sizes and element types; one of rank 0 is repeated.
  template <typename Op> mlir::Value binary(mlir::Value a, mlir::Value b) {
    std::tie(a, b) = align(a, b);
    return Op::create(builder, loc, a.getType(), a, b);
  }
  template <typename Op> mlir::Value binary(mlir::Value a, double b) { return binary<Op>(a, splat(b, a)); }
  mlir::Value compare(Predicate predicate, mlir::Value a, mlir::Value b);
  mlir::Value compare(Predicate predicate, mlir::Value a, double b) { return compare(predicate, a, splat(b, a)); }
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);
  mlir::Value clamp(mlir::Value x, double low, double high);
  mlir::Value cast(mlir::Value x, mlir::Type element, bool saturate = false);
  mlir::Value reshape(mlir::Value x, llvm::ArrayRef<mlir::AffineExpr> sizes);
  /// Inserts dimensions of size 1 at these places of the result.
  mlir::Value unsqueeze(mlir::Value x, llvm::ArrayRef<int64_t> dims);
  mlir::Value squeeze(mlir::Value x, llvm::ArrayRef<int64_t> dims);
  /// Operand dimension i becomes dimension `dims[i]`.
  mlir::Value broadcast(mlir::Value x, llvm::ArrayRef<int64_t> dims, llvm::ArrayRef<mlir::AffineExpr> sizes);
  /// By numpy's rule: the last dimensions run together.
  mlir::Value broadcastTo(mlir::Value x, llvm::ArrayRef<mlir::AffineExpr> sizes);
  /// A vector along dimension `dim` of `like`.
  mlir::Value along(mlir::Value vector, int64_t dim, mlir::Value like);
  /// All to their common sizes; false after an error.
  bool broadcastAll(llvm::MutableArrayRef<mlir::Value> values);
  mlir::Value transpose(mlir::Value x, llvm::ArrayRef<int64_t> permutation);
  /// Moves one dimension to another place.
  mlir::Value moveDim(mlir::Value x, int64_t from, int64_t to);
  mlir::Value slice(mlir::Value x, llvm::ArrayRef<mlir::AffineExpr> offsets, llvm::ArrayRef<mlir::AffineExpr> sizes,
                    llvm::ArrayRef<mlir::AffineExpr> strides);
  /// `size` places of one dimension.
  mlir::Value slice(mlir::Value x, int64_t dim, mlir::AffineExpr offset, mlir::AffineExpr size, int64_t stride = 1);
  mlir::Value pad(mlir::Value x, mlir::Value value, llvm::ArrayRef<mlir::AffineExpr> low,
                  llvm::ArrayRef<mlir::AffineExpr> high, PadMode mode = PadMode::constant);
  mlir::Value concat(llvm::ArrayRef<mlir::Value> values, int64_t dim);
  mlir::Value iota(llvm::ArrayRef<mlir::AffineExpr> sizes, int64_t dim, mlir::Type element);
  mlir::Value fromSizes(llvm::ArrayRef<mlir::AffineExpr> elements, mlir::RankedTensorType type);
  mlir::Value gather(mlir::Value x, mlir::Value indices, llvm::ArrayRef<int64_t> dims, int64_t batchDims,
                     IndexMode mode = IndexMode::error);
  mlir::Value reduce(Combiner combiner, mlir::Value x, llvm::ArrayRef<int64_t> dims, bool keepDims = false);
  mlir::Value contract(mlir::Value a, mlir::Value b, unsigned dims, llvm::ArrayRef<unsigned> aDims,
                       llvm::ArrayRef<unsigned> bDims, llvm::ArrayRef<unsigned> resultDims, mlir::Type element);
  /// An op that states its result's sizes; null after an error.
  template <typename Op, typename... Args> mlir::Value sized(int64_t rank, mlir::Type element, Args &&...args) {
    auto dynamic = mlir::RankedTensorType::get(llvm::SmallVector<int64_t>(rank, mlir::ShapedType::kDynamic), element);
    Op op = Op::create(builder, loc, dynamic, std::forward<Args>(args)...);
    return refine(op);
  }

private:
  mlir::Value refine(SizesInterface op);
  std::pair<mlir::Value, mlir::Value> align(mlir::Value a, mlir::Value b);

  llvm::SmallVector<mlir::Value> operands;
  bool failed = false;
};

/// Which operands a converter takes: tensors of numbers, those of strings too, or sequences and optionals as well.
enum class Accepts { numbers, tensors, values };

/// Converts the nodes of one operator from one version on.
struct Converter {
  int64_t since;
  unsigned minOperands, maxOperands;
  Results (*convert)(Node &);
  Accepts accepts;
  bool keepsSizes = false; ///< whether the result has the sizes of the first operand
};

/// Converters by name, and by `domain.name` outside of ONNX's own domain.
class ConverterTable {
public:
  static constexpr unsigned variadic = ~0u;

  Converter &add(llvm::StringRef name, int64_t since, unsigned minOperands, unsigned maxOperands,
                 Results (*convert)(Node &), Accepts accepts = Accepts::numbers) {
    return table[name].emplace_back(Converter{since, minOperands, maxOperands, convert, accepts});
  }
  /// An operator that can't be converted, or `domain.*` for all of a domain, and why.
  void refuse(llvm::StringRef name, llvm::StringRef reason) { refused[name] = reason; }
  /// The converters of an operator, the one for that version first; none where the operator isn't known.
  const Converter *find(llvm::StringRef domain, llvm::StringRef name, int64_t version) const;
  /// Why there is none.
  std::string reasonAgainst(llvm::StringRef domain, llvm::StringRef name) const;
  /// By name, one a line: the oldest version that is converted, or `: reason`.
  void print(llvm::raw_ostream &os) const;

private:
  const llvm::SmallVector<Converter> *entries(llvm::StringRef domain, llvm::StringRef name) const;
  llvm::StringMap<llvm::SmallVector<Converter>> table;
  llvm::StringMap<llvm::StringRef> refused;
};

void addAttentionConverters(ConverterTable &table);
void addContractionConverters(ConverterTable &table);
void addControlFlowConverters(ConverterTable &table);
void addDataMovementConverters(ConverterTable &table);
void addDetectionConverters(ConverterTable &table);
void addElementwiseConverters(ConverterTable &table);
void addIndexingConverters(ConverterTable &table);
void addLossConverters(ConverterTable &table);
void addMachineLearningConverters(ConverterTable &table);
void addMatrixConverters(ConverterTable &table);
void addMicrosoftConverters(ConverterTable &table);
void addMicrosoftAttentionConverters(ConverterTable &table);
void addMicrosoftContractionConverters(ConverterTable &table);
void addMicrosoftNormalizationConverters(ConverterTable &table);
void addMicrosoftQuantizationConverters(ConverterTable &table);
void addMicrosoftWeightConverters(ConverterTable &table);
void addNormalizationConverters(ConverterTable &table);
void addQuantizationConverters(ConverterTable &table);
void addRecurrentConverters(ConverterTable &table);
void addReductionConverters(ConverterTable &table);
void addResizeConverters(ConverterTable &table);
void addSamplingConverters(ConverterTable &table);
void addSequenceConverters(ConverterTable &table);
void addShapeConverters(ConverterTable &table);
void addSlicingConverters(ConverterTable &table);
void addSpectraConverters(ConverterTable &table);
void addStringConverters(ConverterTable &table);

/// The element type of a number of ONNX's `TensorProto.DataType`; null where there is none.
mlir::Type elementTypeOf(int64_t dataType, mlir::MLIRContext *context);

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_NODE_H
