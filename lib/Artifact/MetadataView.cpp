//===- MetadataView.cpp
//-------------------------------------------------------------------------------------===//

#include "tenon/Artifact/MetadataView.h"

using namespace tenon::artifact;

namespace {
constexpr uint32_t kTables = uint32_t(Table::Count);
constexpr uint32_t kStrides[kTables] = {
    sizeof(ModelRecord),    sizeof(TensorRecord),
    sizeof(DimRecord),      sizeof(AliasRecord),
    sizeof(SymbolRecord),   sizeof(ConstantRecord),
    sizeof(KernelRecord),   sizeof(KernelCodeRecord),
    sizeof(int64_t),        sizeof(PlanRecord),
    sizeof(int64_t),        sizeof(LaunchRecord),
    sizeof(VariantRecord),  sizeof(StringRecord),
    sizeof(ProgramRecord),  sizeof(BufferRecord),
    sizeof(ExternalRecord), sizeof(StringRecord),
    sizeof(StringRecord),   sizeof(ConstantRecord),
    sizeof(BindingRecord),  1,
};
constexpr uint32_t kMaxSlots = 1u << 24;
constexpr uint32_t kMaxPlaces = 1u << 20;

struct Element {
  char name[15]; // no pointer: the loader has nothing to do
  unsigned char bits;
};
constexpr Element kElements[] = {
    {"undefined", 0},      {"float32", 32},  {"uint8", 8},        {"int8", 8},           {"uint16", 16},
    {"int16", 16},         {"int32", 32},    {"int64", 64},       {"string", 0},         {"bool", 8},
    {"float16", 16},       {"float64", 64},  {"uint32", 32},      {"uint64", 64},        {"complex64", 64},
    {"complex128", 128},   {"bfloat16", 16}, {"float8e4m3fn", 8}, {"float8e4m3fnuz", 8}, {"float8e5m2", 8},
    {"float8e5m2fnuz", 8}, {"uint4", 4},     {"int4", 4},         {"float4e2m1", 4},
};
constexpr uint32_t kElementCount = sizeof(kElements) / sizeof(kElements[0]);

bool inRange(uint32_t first, uint32_t count, uint32_t limit) { return first <= limit && count <= limit - first; }
} // namespace

unsigned tenon::artifact::bitsOf(uint32_t dtype) { return dtype < kElementCount ? kElements[dtype].bits : 0; }
const char *tenon::artifact::nameOf(uint32_t dtype) {
  return dtype < kElementCount ? kElements[dtype].name : "unknown";
}

bool MetadataView::holds(StringRecord s) const {
  uint32_t bytes = count(Table::Strings);
  return s.offset < bytes && s.size < bytes - s.offset && string(s)[s.size] == 0;
}

const char *MetadataView::open(const void *data, size_t size) {
  base = static_cast<const unsigned char *>(data);
  tables = reinterpret_cast<const TableRecord *>(base);
  if (size < sizeof(TableRecord) * kTables)
    return "metadata: too short for its directory";
  for (uint32_t t = 0; t < kTables; ++t) {
    const TableRecord &r = tables[t];
    if (r.stride < kStrides[t] || (r.stride % 8 != 0 && t != uint32_t(Table::Strings)) || r.offset % 8 != 0)
      return "metadata: a table has records of an unknown size";
    if (r.offset > size || uint64_t(r.count) * r.stride > size - r.offset)
      return "metadata: a table does not fit";
  }
  if (tables[uint32_t(Table::Strings)].stride != 1 || tables[uint32_t(Table::Entries)].stride != 8 ||
      tables[uint32_t(Table::PlanWords)].stride != 8)
    return "metadata: a table has records of an unknown size";
  return check();
}

const char *MetadataView::check() const {
  const char *badString = "metadata: a string does not fit";
  const char *badIndex = "metadata: an index is out of range";
  if (count(Table::Model) != 1)
    return "metadata: there must be one model record";
  if (!holds(model().name) || !holds(model().producer))
    return badString;
  if (inputCount() > count(Table::Tensors) || model().valueCount > kMaxSlots || model().heldCount > kMaxPlaces ||
      model().growingCount > kMaxPlaces)
    return badIndex;

  uint32_t programs = count(Table::Programs);
  auto program = table<ProgramRecord>(Table::Programs);
  if (programs == 0)
    return "metadata: there is no segment";
  uint32_t devices = count(Table::Devices);
  if (devices > kMaxDevices)
    return badIndex;
  uint32_t buffers = count(Table::Buffers);
  auto buffer = table<BufferRecord>(Table::Buffers);
  // Each record belongs to one other: looking at all takes time in proportion to the file.
  uint64_t buffersUsed = 0, dimsUsed = 0, featuresUsed = 0, entriesUsed = 0;
  for (uint32_t i = 0; i < programs; ++i) {
    const ProgramRecord &p = program[i];
    buffersUsed += p.bufferCount;
    if (!inRange(p.firstBuffer, p.bufferCount, buffers) || buffersUsed > buffers || p.slotCount > kMaxSlots ||
        p.symbolCount > uint64_t(count(Table::Symbols)) + model().valueCount)
      return badIndex;
    for (uint32_t b = 0; b < p.bufferCount; ++b) {
      const BufferRecord &r = buffer[p.firstBuffer + b];
      if (r.sizeSlot >= p.slotCount || r.firstLaunch < 0 || r.firstLaunch > r.lastLaunch || r.space > devices)
        return badIndex;
    }
  }
  // Segment 0 reads the symbols that are bound from the inputs.
  if (program[0].symbolCount > count(Table::Symbols))
    return badIndex;

  auto dim = table<DimRecord>(Table::Dims);
  for (uint32_t i = 0; i < count(Table::Tensors); ++i) {
    const TensorRecord &t = input(i);
    if (!holds(t.name))
      return badString;
    if (t.dtype == 0 || t.dtype >= kElementCount || t.kind > 2)
      return "metadata: a tensor has an unknown type";
    dimsUsed += t.rank;
    if (t.rank > kMaxTensorRank || !inRange(t.firstDim, t.rank, count(Table::Dims)) || dimsUsed > count(Table::Dims))
      return badIndex;
    for (uint32_t d = 0; d < t.rank; ++d) {
      const DimRecord &r = dim[t.firstDim + d];
      bool valid = false;
      if (r.kind == 0)
        valid = r.value >= 0;
      else if (r.kind == 1)
        valid = r.value >= 0 && r.value < int64_t(count(Table::Symbols));
      else if (r.kind == 2)
        valid = i >= inputCount() && r.segment < programs && r.value >= 0 &&
                r.value < int64_t(program[r.segment].slotCount);
      else if (r.kind == 3)
        valid = i >= inputCount();
      if (!valid || r.boundSlot < -1 || r.boundSlot >= int64_t(program[0].slotCount))
        return badIndex;
    }
  }

  auto alias = table<AliasRecord>(Table::Aliases);
  for (uint32_t i = 0; i < count(Table::Aliases); ++i)
    if (alias[i].output >= outputCount() || alias[i].input >= inputCount())
      return badIndex;
  auto symbol = table<SymbolRecord>(Table::Symbols);
  for (uint32_t i = 0; i < count(Table::Symbols); ++i) {
    const SymbolRecord &s = symbol[i];
    if (!holds(s.name))
      return badString;
    if (s.divisor < 1)
      return "metadata: a symbol has a divisor below 1";
    bool fromInput = s.source <= 1 && s.input < inputCount() && s.dim < input(s.input).rank;
    if (!fromInput && !(s.source == 2 && s.input < outputCount()))
      return badIndex;
  }

  uint32_t variants = count(Table::Variants), kernels = count(Table::Kernels);
  auto kernel = table<KernelRecord>(Table::Kernels);
  for (uint32_t i = 0; i < kernels; ++i)
    if (!holds(kernel[i].name))
      return badString;
  auto plan = table<PlanRecord>(Table::Plans);
  for (uint32_t i = 0; i < plan.count; ++i)
    if (!inRange(plan[i].firstWord, plan[i].wordCount, count(Table::PlanWords)))
      return badIndex;
  if (uint64_t(kernels) * variants != count(Table::KernelCodes))
    return "metadata: kernels and variants do not match the table of their code";
  auto code = table<KernelCodeRecord>(Table::KernelCodes);
  for (uint32_t i = 0; i < code.count; ++i) {
    entriesUsed += code[i].entryCount;
    if (!inRange(code[i].firstEntry, code[i].entryCount, count(Table::Entries)) ||
        entriesUsed > count(Table::Entries) || (code[i].entryCount != 0 && code[i].plan >= plan.count))
      return badIndex;
  }
  auto launch = table<LaunchRecord>(Table::Launches);
  for (uint32_t i = 0; i < count(Table::Launches); ++i) {
    if (!holds(launch[i].nodes))
      return badString;
    if (launch[i].kernel >= kernels)
      return badIndex;
  }
  auto binding = table<BindingRecord>(Table::Bindings);
  for (uint32_t i = 0; i < binding.count; ++i) {
    const BindingRecord &b = binding[i];
    if (b.launch >= count(Table::Launches) || b.variant >= variants || b.constant >= count(Table::Formed))
      return badIndex;
    // Arguments of a launch and variant are counted from 0 on.
    bool isFirst = i == 0 || binding[i - 1].launch != b.launch || binding[i - 1].variant != b.variant;
    if (b.argument != (isFirst ? 0 : binding[i - 1].argument + 1))
      return badIndex;
    if (i != 0 &&
        (binding[i - 1].launch > b.launch || (binding[i - 1].launch == b.launch && binding[i - 1].variant > b.variant)))
      return badIndex;
  }
  auto variant = table<VariantRecord>(Table::Variants);
  for (uint32_t i = 0; i < variants; ++i) {
    if (!holds(variant[i].name))
      return badString;
    featuresUsed += variant[i].featureCount;
    if (!inRange(variant[i].firstFeature, variant[i].featureCount, count(Table::Features)) ||
        featuresUsed > count(Table::Features))
      return badIndex;
  }
  const Table texts[] = {Table::Features, Table::Messages, Table::Devices};
  for (Table t : texts) {
    auto text = table<StringRecord>(t);
    for (uint32_t i = 0; i < text.count; ++i)
      if (!holds(text[i]))
        return badString;
  }
  auto external = table<ExternalRecord>(Table::Externals);
  for (uint32_t i = 0; i < external.count; ++i)
    if (!holds(external[i].library) || !holds(external[i].function) || !holds(external[i].nodes))
      return badString;
  return nullptr;
}
