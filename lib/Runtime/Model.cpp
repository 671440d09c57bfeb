//===- Model.cpp - Open, check, map ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Model.h"
#include "CpuFeatures.h"
#include "Error.h"

#include <errno.h>
#include <fcntl.h>
#include <new>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace tenon::artifact;
using namespace tenon::runtime;

static_assert(kKernelAbi == TENON_KERNEL_ABI);

#if defined(__x86_64__)
static constexpr uint64_t kMachine = 62;
#elif defined(__aarch64__)
static constexpr uint64_t kMachine = 183;
#else
static constexpr uint64_t kMachine = 0;
#endif

tenon_model::~tenon_model() {
  while (DeviceConstants *constants = deviceConstants) {
    deviceConstants = constants->next;
    constants->~DeviceConstants();
    free(constants);
  }
  for (uint32_t i = 0; i < mappingCount; ++i)
    munmap(mappings[i].base, mappings[i].size);
  free(arrays);
  free(path);
}

tenon_status tenon_model::open(const char *file) {
  path = strdup(file);
  if (!path)
    return outOfMemory();
  int fd = ::open(file, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) {
    int error = errno;
    if (fd >= 0)
      close(fd);
    return fail(TENON_ERROR_FILE, "cannot open '%s': %s", file, strerror(error));
  }
  tenon_status result = S_ISREG(status.st_mode) ? map(fd, uint64_t(status.st_size))
                                                : fail(TENON_ERROR_FILE, "cannot open '%s': not a regular file", file);
  close(fd);
  return result;
}

char *tenon_model::mapRange(int file, uint64_t offset, uint64_t size, int protection) {
  uint64_t page = uint64_t(sysconf(_SC_PAGESIZE)), skip = offset % page;
  void *base = mmap(nullptr, size + skip, protection, MAP_PRIVATE, file, off_t(offset - skip));
  if (base == MAP_FAILED)
    return nullptr;
  mappings[mappingCount++] = {base, size + skip};
  return static_cast<char *>(base) + skip;
}

tenon_status tenon_model::map(int file, uint64_t fileSize) {
  unsigned char last[sizeof(Trailer)];
  Trailer trailer;
  if (fileSize < sizeof(Trailer))
    return fail(TENON_ERROR_FORMAT, "'%s' is not a model: it is too short", path);
  if (pread(file, last, sizeof(last), off_t(fileSize - sizeof(last))) != ssize_t(sizeof(last)))
    return fail(TENON_ERROR_FILE, "cannot read '%s': %s", path, strerror(errno));
  if (const char *problem = readTrailer(last, fileSize, trailer))
    return fail(TENON_ERROR_FORMAT, "'%s': %s", path, problem);
  // The container, the host program, and the images of variants.
  if (!mappings.allocate(1))
    return outOfMemory();
  containerOffset = trailer.offset;
  if (trailer.size < sizeof(ContainerHeader))
    return fail(TENON_ERROR_FORMAT, "'%s': the container is too short for its header", path);
  const char *base = mapRange(file, trailer.offset, trailer.size, PROT_READ);
  if (!base)
    return fail(TENON_ERROR_FILE, "cannot map '%s': %s", path, strerror(errno));
  if (const char *problem = container.open(base, trailer.size))
    return fail(TENON_ERROR_FORMAT, "'%s': %s", path, problem);
  if (container.header().kernelAbi != TENON_KERNEL_ABI)
    return fail(TENON_ERROR_FORMAT, "'%s': its code is for version %u of the runtime's ABI, this runtime has %u", path,
                container.header().kernelAbi, TENON_KERNEL_ABI);
  if (container.header().machine != kMachine)
    return fail(TENON_ERROR_CPU, "'%s': its code is for another machine (ELF machine %u)", path,
                unsigned(container.header().machine));

  const SegmentRecord &meta = *container.find(SegmentKind::Metadata);
  if (!container.verify(meta))
    return fail(TENON_ERROR_FORMAT, "'%s': the checksum of the metadata is wrong", path);
  if (const char *problem = metadata.open(container.bytes(meta), meta.size))
    return fail(TENON_ERROR_FORMAT, "'%s': %s", path, problem);

  Mapping whole = mappings[0];
  if (!mappings.allocate(2 + metadata.count(Table::Variants))) {
    munmap(whole.base, whole.size);
    mappingCount = 0;
    return outOfMemory();
  }
  mappings[0] = whole;
  uint32_t launches = metadata.count(Table::Launches), bindingCount = metadata.count(Table::Bindings),
           kernelCount = metadata.count(Table::Kernels), outputCount = metadata.outputCount();
  const WantedSpan wanted[] = {
      want(constants, metadata.count(Table::Constants)),
      want(formed, metadata.count(Table::Formed)),
      want(aliases, outputCount),
      want(outputProgram, outputCount),
      want(programs, metadata.count(Table::Programs)),
      want(kernels, kernelCount),
      want(variantOf, kernelCount),
      want(grids, metadata.count(Table::Entries)),
      want(firstBinding, launches),
      want(bindings, bindingCount),
      want(bound, bindingCount),
  };
  int64_t bytes = 0;
  arrays = allocateSpans(wanted, sizeof(wanted) / sizeof(wanted[0]), bytes);
  if (!arrays)
    return outOfMemory();

  findOutputs();
  tenon_status status = findConstants(Table::Constants, constants);
  if (status == TENON_OK)
    status = findConstants(Table::Formed, formed);
  if (status == TENON_OK)
    status = findKernels(file);
  if (status == TENON_OK)
    bindConstants();
  return status;
}

tenon_status tenon_model::findConstants(Table table, Span<const void *> &result) {
  auto records = metadata.table<ConstantRecord>(table);
  for (uint32_t i = 0; i < records.count; ++i) {
    const ConstantRecord &r = records[i];
    const SegmentRecord *segment = container.find(SegmentKind::Constants, r.segment);
    if (!segment || r.offset > segment->size || r.bytes > segment->size - r.offset)
      return fail(TENON_ERROR_FORMAT, "'%s': constant %u lies outside its segment", path, i);
    result[i] = container.bytes(*segment) + r.offset;
  }
  return TENON_OK;
}

/// Each launch has the constants of the variant that its kernel comes from.
void tenon_model::bindConstants() {
  auto launches = metadata.table<LaunchRecord>(Table::Launches);
  auto records = metadata.table<BindingRecord>(Table::Bindings);
  uint32_t next = 0, record = 0;
  for (uint32_t i = 0; i < launches.count; ++i) {
    firstBinding[i] = next;
    for (; record < records.count && records[record].launch == i; ++record) {
      if (records[record].variant != variantOf[launches[i].kernel])
        continue;
      bindings[next] = records[record].constant;
      bound[next++] = formed[records[record].constant];
    }
  }
}

/// An output is reserved by the last segment that one of its sizes comes from.
void tenon_model::findOutputs() {
  uint32_t count = metadata.outputCount();
  for (uint32_t i = 0; i < count; ++i) {
    const TensorRecord &tensor = metadata.output(i);
    aliases[i] = -1;
    for (uint32_t d = 0; d < tensor.rank; ++d)
      if (dim(tensor, d).kind == 2 && dim(tensor, d).segment > outputProgram[i])
        outputProgram[i] = dim(tensor, d).segment;
  }
  auto records = metadata.table<AliasRecord>(Table::Aliases);
  for (uint32_t i = 0; i < records.count; ++i)
    aliases[records[i].output] = int32_t(records[i].input);
}

tenon_status tenon_model::mapCode(int file, const SegmentRecord &segment, char **code) {
  // Checked through the readable mapping first: nothing that is damaged becomes executable.
  if (!container.verify(segment))
    return fail(TENON_ERROR_FORMAT, "'%s': the checksum of the code is wrong", path);
  *code = mapRange(file, containerOffset + segment.offset, segment.size != 0 ? segment.size : 1, PROT_READ | PROT_EXEC);
  return *code ? TENON_OK : fail(TENON_ERROR_FILE, "cannot map the code of '%s': %s", path, strerror(errno));
}

tenon_status tenon_model::findKernels(int file) {
  const SegmentRecord &host = *container.find(SegmentKind::HostCode);
  char *code;
  if (tenon_status status = mapCode(file, host, &code))
    return status;
  auto badEntry = [&] { return fail(TENON_ERROR_FORMAT, "'%s': an entry lies outside its code", path); };
  auto inside = [](int64_t entry, const SegmentRecord &s) { return entry >= 0 && uint64_t(entry) < s.size; };
  auto records = metadata.table<ProgramRecord>(Table::Programs);
  if (!inside(metadata.model().runEntry, host))
    return badEntry();
  run = reinterpret_cast<tenon_run_entry>(code + metadata.model().runEntry);
  for (uint32_t i = 0; i < records.count; ++i) {
    if (!inside(records[i].planEntry, host) || !inside(records[i].executeEntry, host))
      return badEntry();
    programs[i] = {reinterpret_cast<tenon_plan_entry>(code + records[i].planEntry),
                   reinterpret_cast<tenon_execute_entry>(code + records[i].executeEntry)};
  }

  // Each kernel comes from the first variant that has it and runs here.
  uint32_t count = metadata.count(Table::Kernels), variants = metadata.count(Table::Variants);
  auto variantRecords = metadata.table<VariantRecord>(Table::Variants);
  auto features = metadata.table<StringRecord>(Table::Features);
  auto entries = metadata.table<int64_t>(Table::Entries);
  auto codes = metadata.table<KernelCodeRecord>(Table::KernelCodes);
  const char *missing = "";
  for (uint32_t v = 0; v < variants; ++v) {
    const VariantRecord &record = variantRecords[v];
    bool runsHere = true;
    for (uint32_t f = 0; f < record.featureCount && runsHere; ++f) {
      const char *feature = string(features[record.firstFeature + f]);
      runsHere = cpuHas(feature[0] == '+' ? feature + 1 : feature);
      if (!runsHere)
        missing = feature;
    }
    if (!runsHere)
      continue;
    const SegmentRecord *image = container.find(SegmentKind::KernelCode, v);
    char *imageCode = nullptr;
    for (uint32_t k = 0; k < count; ++k) {
      const KernelCodeRecord &its = codes[k * variants + v];
      if (its.entryCount == 0 || kernels[k].grids)
        continue;
      if (!image)
        return badEntry();
      if (!imageCode)
        if (tenon_status status = mapCode(file, *image, &imageCode))
          return status;
      for (uint32_t e = its.firstEntry; e < its.firstEntry + its.entryCount; ++e) {
        if (!inside(entries[e], *image))
          return badEntry();
        grids[e] = reinterpret_cast<tenon_kernel>(imageCode + entries[e]);
      }
      const PlanRecord &plan = metadata.table<PlanRecord>(Table::Plans)[its.plan];
      kernels[k].grids = grids.data() + its.firstEntry;
      kernels[k].gridCount = its.entryCount;
      kernels[k].wordCount = plan.wordCount;
      kernels[k].plan = &metadata.table<int64_t>(Table::PlanWords)[plan.firstWord];
      variantOf[k] = v;
    }
    if (!variant[0])
      variant = string(record.name);
  }
  for (uint32_t k = 0; k < count; ++k)
    if (!kernels[k].grids)
      return fail(TENON_ERROR_CPU, "'%s' has no code for this CPU: kernel '%s' is missing%s%s", path,
                  string(metadata.table<KernelRecord>(Table::Kernels)[k].name), missing[0] ? "; a variant needs " : "",
                  missing);
  return TENON_OK;
}

//===--------------------------------------------------------------------------------------------------------===//
// C ABI
//===--------------------------------------------------------------------------------------------------------===//

const char *tenon_version(void) { return "0.1.0"; }
const char *tenon_dtype_name(int32_t dtype) { return nameOf(uint32_t(dtype)); }
int32_t tenon_dtype_bits(int32_t dtype) { return int32_t(bitsOf(uint32_t(dtype))); }

tenon_status tenon_model_open(const char *path, tenon_model **model) {
  if (model)
    *model = nullptr;
  if (!path || !model)
    return nullArgument(path ? "model" : "path");
  void *memory = malloc(sizeof(tenon_model));
  if (!memory)
    return outOfMemory();
  tenon_model *opened = new (memory) tenon_model;
  if (tenon_status status = opened->open(path)) {
    tenon_model_close(opened);
    return status;
  }
  *model = opened;
  return TENON_OK;
}

void tenon_model_close(tenon_model *model) {
  if (!model || model->references.fetch_sub(1) != 1)
    return;
  model->~tenon_model();
  free(model);
}

int32_t tenon_model_input_count(const tenon_model *model) { return model ? int32_t(model->metadata.inputCount()) : 0; }
int32_t tenon_model_output_count(const tenon_model *model) {
  return model ? int32_t(model->metadata.outputCount()) : 0;
}
const char *tenon_model_name(const tenon_model *model) {
  return model ? model->string(model->metadata.model().name) : "";
}
const char *tenon_model_variant(const tenon_model *model) { return model ? model->variant : ""; }

const char *tenon_model_property(const tenon_model *model, int32_t index, const char **value) {
  if (!model || uint32_t(index) >= model->metadata.count(Table::Properties))
    return nullptr;
  const PropertyRecord &property = model->metadata.table<PropertyRecord>(Table::Properties)[uint32_t(index)];
  if (value)
    *value = model->string(property.value);
  return model->string(property.key);
}

/// The tensor, or null with the error set.
static const TensorRecord *findTensor(const tenon_model *model, bool output, int32_t index) {
  if (!model) {
    nullArgument("model");
    return nullptr;
  }
  int32_t count = output ? tenon_model_output_count(model) : tenon_model_input_count(model);
  if (index < 0 || index >= count) {
    fail(TENON_ERROR_ARGUMENT, "%s %d does not exist: the model has %d", output ? "output" : "input", index, count);
    return nullptr;
  }
  return output ? &model->metadata.output(uint32_t(index)) : &model->metadata.input(uint32_t(index));
}

static tenon_status describe(const tenon_model *model, bool output, int32_t index, tenon_tensor_info *info) {
  const TensorRecord *tensor = findTensor(model, output, index);
  if (!tensor)
    return TENON_ERROR_ARGUMENT;
  if (!info)
    return nullArgument("info");
  *info = {model->string(tensor->name), int32_t(tensor->kind), int32_t(tensor->dtype), int32_t(tensor->rank),
           output ? model->aliases[size_t(index)] : -1};
  return TENON_OK;
}

static tenon_status describeDim(const tenon_model *model, bool output, int32_t index, int32_t dim, tenon_dim *result) {
  const TensorRecord *tensor = findTensor(model, output, index);
  if (!tensor)
    return TENON_ERROR_ARGUMENT;
  if (!result)
    return nullArgument("result");
  if (dim < 0 || uint32_t(dim) >= tensor->rank)
    return fail(TENON_ERROR_ARGUMENT, "dimension %d of '%s' does not exist: its rank is %u", dim,
                model->string(tensor->name), tensor->rank);
  const DimRecord &r = model->dim(*tensor, uint32_t(dim));
  *result = {r.kind == 0 ? r.value : -1, nullptr};
  if (r.kind == 1)
    result->symbol = model->string(model->metadata.table<SymbolRecord>(Table::Symbols)[uint32_t(r.value)].name);
  return TENON_OK;
}

static int32_t findByName(const tenon_model *model, bool output, const char *name) {
  if (!model || !name)
    return -1;
  int32_t count = output ? tenon_model_output_count(model) : tenon_model_input_count(model);
  for (int32_t i = 0; i < count; ++i)
    if (strcmp(model->string(findTensor(model, output, i)->name), name) == 0)
      return i;
  fail(TENON_ERROR_ARGUMENT, "the model has no %s named '%s'", output ? "output" : "input", name);
  return -1;
}

tenon_status tenon_model_input(const tenon_model *model, int32_t index, tenon_tensor_info *info) {
  return describe(model, false, index, info);
}
tenon_status tenon_model_output(const tenon_model *model, int32_t index, tenon_tensor_info *info) {
  return describe(model, true, index, info);
}
tenon_status tenon_model_input_dim(const tenon_model *model, int32_t index, int32_t dim, tenon_dim *result) {
  return describeDim(model, false, index, dim, result);
}
tenon_status tenon_model_output_dim(const tenon_model *model, int32_t index, int32_t dim, tenon_dim *result) {
  return describeDim(model, true, index, dim, result);
}
int32_t tenon_model_output_key(const tenon_model *model, int32_t index, int32_t key, tenon_key *result) {
  if (!model || !result)
    return 0;
  auto keys = model->metadata.table<KeyRecord>(Table::Keys);
  for (uint32_t i = 0; i < keys.count; ++i)
    if (keys[i].output == uint32_t(index) && key-- == 0) {
      *result = {keys[i].isText ? model->string(keys[i].text) : nullptr, keys[i].number};
      return 1;
    }
  return 0;
}
int32_t tenon_model_find_input(const tenon_model *model, const char *name) { return findByName(model, false, name); }
int32_t tenon_model_find_output(const tenon_model *model, const char *name) { return findByName(model, true, name); }

tenon_status tenon_model_verify(const tenon_model *model) {
  if (!model)
    return nullArgument("model");
  for (uint32_t i = 0; i < model->container.segmentCount(); ++i)
    if (!model->container.verify(model->container.segment(i)))
      return fail(TENON_ERROR_FORMAT, "'%s': the checksum of segment %u is wrong", model->path, i);
  return TENON_OK;
}
